using System.CommandLine;
using NinCudnn.Cli.Output;
using NinCudnn.Cli.Settings;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin config</c></summary>
internal static class ConfigCommand
{
    public static Command Create() => new("config", "Settings in files and environment variables, which hold where no option is given.")
    {
        CreateShow(), CreateSchema(),
    };

    private static Command CreateShow()
    {
        Argument<string[]> line = new("command")
        {
            Description = "A command, with options if you like: shows the value of each of its options, and where it comes from.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        // The options are those of the command that is asked about.
        var show = new Command("show", "Shows which settings there are, or which values a command would use.") { line };
        show.TreatUnmatchedTokensAsErrors = false;
        show.SetAction(parsed =>
        {
            var root = (RootCommand)parsed.RootCommandResult.Command;
            var files = new ConfigFiles(parsed);
            ConfigFile[] read = [.. files.Read(root)];
            string[] words = ConfigFiles.WithoutOptions([.. parsed.Tokens.Select(token => token.Value).SkipWhile(word => word != show.Name).Skip(1)]);
            if (words.Length == 0)
                ShowAll(root, files, read);
            else
                ShowFor(root, read, words);
            return ExitCode.Success;
        });
        return show;
    }

    private static Command CreateSchema()
    {
        var command = new Command("schema", "Writes the JSON schema of such files.");
        command.SetAction(parsed =>
        {
            Console.WriteLine(ConfigSchema.Write(parsed.RootCommandResult.Command));
            return ExitCode.Success;
        });
        return command;
    }

    private static void ShowAll(Command root, ConfigFiles files, ConfigFile[] read)
    {
        foreach (string path in files.Paths)
            Console.WriteLine($"{path}: {(read.Any(file => file.Place == path) ? "read" : "not there")}");
        string[][] rows =
        [
            .. from command in CommandTree.Leaves(root)
               where CommandSettings.CanBeMadeFor(command)
               let settings = CommandSettings.For(root.Parse(CommandTree.Path(command)), read)
               from setting in settings.Chosen
               select new[] { string.Join(' ', CommandTree.Path(command)), setting.Option.Name, setting.Text, setting.ToString() },
        ];
        if (rows.Length == 0)
        {
            Console.WriteLine("no settings");
            return;
        }
        Console.WriteLine();
        TextTable.Write(Console.Out, ["command", "option", "value", "from"], rows, firstNumber: 4);
    }

    private static void ShowFor(RootCommand root, ConfigFile[] files, string[] words)
    {
        ParseResult parsed = root.Parse(words);
        Command command = parsed.CommandResult.Command;
        if (UsageError.UnknownWord(parsed) is null && !CommandSettings.CanBeMadeFor(command))
            throw new ArgumentException($"{CommandTree.CommandLine(command)} has no options that settings can be made for");
        CommandSettings settings = CommandSettings.For(parsed, files);
        words = settings.InsertInto(words, command);
        parsed = root.Parse(words);
        if (UsageError.Find(parsed, words, settings, mayLack: true) is { } message)
            throw new ArgumentException(message);

        RecipeChoice? recipe = command.Options.FirstOrDefault(option => option.ValueType == typeof(RecipeChoice)) is Option<RecipeChoice> option
            ? parsed.GetValue(option)
            : null;
        IReadOnlyDictionary<string, string?> recipeValues = recipe is null ? new Dictionary<string, string?>() : RecipeValues.Of(recipe.Recipe);
        TextTable.Write(
            Console.Out, ["option", "value", "from"],
            [.. CommandTree.OwnOptions(command).Select(option => Row(option))],
            firstNumber: 3);

        string[] Row(Option option)
        {
            if (settings.Of(option) is { } setting)
                return [option.Name, setting.Text, setting.ToString()];
            if (parsed.GetResult(option) is { Implicit: false } given)
                return [option.Name, given.Tokens is [{ } token] ? token.Value : "true", "command line"];
            if (recipeValues.GetValueOrDefault(option.Name) is { } value)
                return [option.Name, value, $"recipe {recipe}"];
            return option.HasDefaultValue ? [option.Name, Text(option.GetDefaultValue()), "default"] : [option.Name, "-", ""];
        }

        static string Text(object? value) => value is bool isOn ? isOn ? "true" : "false" : $"{value}";
    }
}
