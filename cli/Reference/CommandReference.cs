using System.CommandLine;
using NinCudnn.Cli.Commands;

namespace NinCudnn.Cli.Reference;

/// <summary>What there is to say about a command, for pages to be made of.</summary>
/// <param name="Command">The command.</param>
internal sealed record CommandReference(Command Command)
{
    /// <summary>Its name with the program's.</summary>
    public string Name => CommandTree.CommandLine(Command);

    /// <summary>How it is called.</summary>
    public string Usage => string.Join(' ', [Name, .. Command.Arguments.Select(ArgumentForm), .. HasOptions ? ["[options]"] : Array.Empty<string>()]);

    public IReadOnlyList<string> Examples => HelpWithExamples.ExamplesOf(Command);

    private bool HasOptions => CommandTree.OwnOptions(Command).Any();

    /// <summary>All commands that do something, in the order of the help.</summary>
    public static IEnumerable<CommandReference> All(Command root) => Commands(root).Select(command => new CommandReference(command));

    /// <summary>Names and value of an option, as they are typed.</summary>
    public static string OptionForm(Option option)
    {
        IEnumerable<string> names = option.Aliases.Order(StringComparer.Ordinal).Append(option.Name).OrderBy(name => name.StartsWith("--", StringComparison.Ordinal));
        return string.Join(", ", names) + (CommandTree.IsFlag(option) ? "" : $" <{option.HelpName ?? option.Name.TrimStart('-')}>");
    }

    /// <summary>What an option is for, with its default value where it has one that its description doesn't tell.</summary>
    public static string Describe(Option option)
    {
        string description = (option.Required ? "Required. " : "") + option.Description;
        return option.HasDefaultValue && !CommandTree.IsFlag(option) ? $"{description} Default: {option.GetDefaultValue()}." : description;
    }

    private static string ArgumentForm(Argument argument)
    {
        string form = $"<{argument.Name}>" + (argument.Arity.MaximumNumberOfValues > 1 ? "..." : "");
        return argument.Arity.MinimumNumberOfValues == 0 ? $"[{form}]" : form;
    }

    private static IEnumerable<Command> Commands(Command command) => command.Subcommands.Where(CommandTree.IsVisible).SelectMany(sub =>
        CommandTree.IsLeaf(sub) ? [sub] : Commands(sub));
}
