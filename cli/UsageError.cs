using System.CommandLine;
using System.CommandLine.Parsing;
using NinCudnn.Cli.Settings;

namespace NinCudnn.Cli;

/// <summary>Says in one line what is wrong with a command line, or with a setting that completes it.</summary>
internal static class UsageError
{
    /// <summary>The message; null if nothing is wrong.</summary>
    /// <param name="parsed">The command line with the settings in it.</param>
    /// <param name="arguments">The same as it was before it was parsed.</param>
    /// <param name="settings">The settings; null if there are none.</param>
    /// <param name="mayLack">Whether what is required may be missing.</param>
    public static string? Find(ParseResult parsed, IReadOnlyList<string> arguments, CommandSettings? settings, bool mayLack = false)
    {
        Command command = parsed.CommandResult.Command;
        string help = $" (see: {CommandTree.CommandLine(command)} --help)";
        // A word that is not known is the likelier cause when there are further errors.
        if (UnknownWord(parsed) is { } unknown)
        {
            // What is no truth value is not taken for a flag's value by the parser, but for a further word.
            if (CommandTree.AllOptions(command).FirstOrDefault(flag => CommandTree.IsFlag(flag) && arguments.Contains($"{flag.Name}={unknown}")) is { } flag)
                return At(flag, $"{flag.Name} is '{unknown}', but must be true or false");
            return $"there is no command or option '{unknown}'{NearestName.Question(unknown, KnownWords(command, unknown))}{help}";
        }
        if (parsed.Errors.FirstOrDefault(error => !mayLack || OptionOf(error.SymbolResult) is { Implicit: false }) is not { } error)
            return null;

        string message = error.Message.TrimEnd('.');
        return OptionOf(error.SymbolResult) is { } option ? At(option.Option, message) : message + help;

        // A mistake in a setting is where the setting is.
        string At(Option option, string mistake) => settings?.Of(option) is { } setting ? $"{setting}: {mistake}" : mistake + help;
    }

    /// <summary>What to append to the message of an exception that settings may have led to.</summary>
    public static string Hint(ParseResult parsed, CommandSettings? settings)
    {
        if (settings is not { Chosen.Count: > 0 })
            return "";
        string places = string.Join(" and ", settings.Chosen.Select(setting => setting.Place).Distinct());
        return $" (options also come from {places}; see: nin config show {string.Join(' ', CommandTree.Path(parsed.CommandResult.Command))})";
    }

    /// <summary>A word that is not known, or an option that is not known and was therefore taken for an argument.</summary>
    public static string? UnknownWord(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        if (!command.TreatUnmatchedTokensAsErrors)
            return null;
        int end = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).Count(); // behind -- anything is an argument
        HashSet<Token> before = new(parsed.Tokens.Take(end), ReferenceEqualityComparer.Instance);
        return command.Arguments.SelectMany(argument => parsed.GetResult(argument)?.Tokens ?? [])
            .Where(token => token.Value is ['-', _, ..] && before.Contains(token)).Select(token => token.Value)
            .Concat(parsed.UnmatchedTokens)
            .FirstOrDefault();
    }

    private static IEnumerable<string> KnownWords(Command command, string unknown) => unknown.StartsWith('-')
        ? CommandTree.AllOptions(command).SelectMany(option => (IEnumerable<string>)[option.Name, .. option.Aliases])
        : command.Subcommands.Where(CommandTree.IsVisible).Select(sub => sub.Name);

    private static OptionResult? OptionOf(SymbolResult? result) => result as OptionResult ?? result?.Parent as OptionResult;
}
