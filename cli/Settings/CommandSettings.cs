using System.CommandLine;

namespace NinCudnn.Cli.Settings;

/// <summary>What environment and files say for one command line, in the order in which they go before each other.</summary>
internal sealed class CommandSettings
{
    // Of options that exclude each other, the one from the nearer place decides.
    private static readonly string[][] _exclusive = [["--images"], ["--dataset", "--data"]];

    // What is only for --images is left alone by settings where the images are none of the user's.
    private static readonly string[] _onlyForImages = ["--image-size", "--channels", "--test-fraction", "--split-seed", "--skip-broken"];

    private CommandSettings(IReadOnlyList<Setting> chosen) => Chosen = chosen;

    /// <summary>Those that count: none for an option that the command line has.</summary>
    public IReadOnlyList<Setting> Chosen { get; }

    /// <summary>Whether settings can be made for a command.</summary>
    public static bool CanBeMadeFor(Command command) => CommandTree.IsLeaf(command) && CommandTree.IsVisible(command) && CommandTree.OwnOptions(command).Any();

    /// <summary>Reads what there is for a command line.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="files">The files, the one that goes before the others first.</param>
    /// <exception cref="ArgumentException">A variable is misspelt.</exception>
    public static CommandSettings For(ParseResult parsed, IEnumerable<ConfigFile> files)
    {
        Command command = parsed.CommandResult.Command;
        // A run that goes on does so with what it was started with.
        if (CommandTree.OwnOptions(command).Any(option => option.Name == "--resume" && CommandTree.IsGiven(parsed, option)))
            return new CommandSettings([]);
        HashSet<string> given = [.. CommandTree.OwnOptions(command).Where(option => CommandTree.IsGiven(parsed, option)).Select(option => option.Name)];
        var chosen = new List<Setting>();
        foreach (IEnumerable<Setting> place in (IEnumerable<IEnumerable<Setting>>)[EnvironmentSettings.For(command), .. files.Select(file => file.For(command))])
        {
            Setting[] added = [.. place.Where(setting => !given.Contains(setting.Option.Name) && !IsExcluded(setting.Option, given)).DistinctBy(setting => setting.Option)];
            chosen.AddRange(added);
            given.UnionWith(added.Select(setting => setting.Option.Name));
        }
        if (command.Options.Any(option => option.Name == "--images") && !given.Contains("--images"))
            chosen.RemoveAll(setting => _onlyForImages.Contains(setting.Option.Name));
        return new CommandSettings(chosen);
    }

    /// <summary>The command line with the settings in it, behind the command's name, so that they come before any <c>--</c>.</summary>
    public string[] InsertInto(IReadOnlyList<string> arguments, Command command)
    {
        int end = 0;
        while (arguments[end].StartsWith('-'))
            end += arguments[end] == ConfigFiles.OptionName ? 2 : 1;
        end += CommandTree.Path(command).Length;
        return [.. arguments.Take(end), .. Chosen.Select(setting => setting.Argument), .. arguments.Skip(end)];
    }

    /// <summary>The setting that an option's value comes from.</summary>
    public Setting? Of(Option option) => Chosen.FirstOrDefault(setting => setting.Option == option);

    private static bool IsExcluded(Option option, HashSet<string> given) =>
        _exclusive.Any(group => group.Contains(option.Name)) && _exclusive.Any(group => !group.Contains(option.Name) && group.Any(given.Contains));
}
