using System.CommandLine;
using System.CommandLine.Help;

namespace NinCudnn.Cli;

/// <summary>Looks at the program's commands from outside: completion, settings and reference are made of it.</summary>
internal static class CommandTree
{
    /// <summary>The names of the commands down to this one, without the program's; empty for the program.</summary>
    public static string[] Path(Command command) =>
        command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? [.. Path(parent), command.Name] : [];

    /// <summary>As it is typed, with the program's name.</summary>
    public static string CommandLine(Command command) => string.Join(' ', ["nin", .. Path(command)]);

    /// <summary>The visible commands below this one, those that are no groups.</summary>
    public static IEnumerable<Command> Leaves(Command command) => Groups(command).SelectMany(group => group.Subcommands.Where(IsVisible).Where(IsLeaf));

    /// <summary>This command and the visible ones below it that consist of others.</summary>
    public static IEnumerable<Command> Groups(Command command) => [command, .. command.Subcommands.Where(IsVisible).Where(sub => !IsLeaf(sub)).SelectMany(Groups)];

    public static bool IsLeaf(Command command) => command.Subcommands.Count == 0;

    public static bool IsVisible(Symbol symbol) => !symbol.Hidden;

    /// <summary>A command's own visible options, those of which settings can be made.</summary>
    public static IEnumerable<Option> OwnOptions(Command command) =>
        command.Options.Where(option => option is { Hidden: false, Recursive: false } and not (HelpOption or VersionOption));

    /// <summary>The visible options that may stand behind a command.</summary>
    public static IEnumerable<Option> AllOptions(Command command)
    {
        IEnumerable<Option> inherited = command.Parents.OfType<Command>().FirstOrDefault() is { } parent ? AllOptions(parent).Where(option => option.Recursive) : [];
        return [.. command.Options.Where(IsVisible), .. inherited];
    }

    /// <summary>An option by its name or another that it has.</summary>
    public static Option? FindOption(Command command, string name) =>
        AllOptions(command).FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name));

    /// <summary>Whether a command line, or a setting that completes it, has an option.</summary>
    public static bool IsGiven(ParseResult parsed, Option option) => parsed.GetResult(option) is { Implicit: false };

    /// <summary>Whether an option needs no value.</summary>
    public static bool IsFlag(Option option) => option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool) || option.ValueType == typeof(bool?);
}
