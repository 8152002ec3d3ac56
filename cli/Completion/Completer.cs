using System.CommandLine;
using System.CommandLine.Completions;

namespace NinCudnn.Cli.Completion;

/// <summary>
/// Answers the shells' scripts beside this file: what the last of some words may become. The answer's first line says which files may stand
/// there too (<c>words</c> for none, <c>files</c>, <c>directories</c>, <c>json</c>); each further line is a value, a tab and its description.
/// </summary>
internal static class Completer
{
    /// <summary>The first argument by which scripts ask.</summary>
    public const string Request = "__complete";

    private const string NoFiles = "words";
    private const string AnyFiles = "files";
    private const string Directories = "directories";
    private const string JsonFiles = "json";

    /// <summary>Writes the answer.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="root">The program's commands.</param>
    /// <param name="words">The words behind the program's name up to the cursor; the last one is the one to complete, and may be empty.</param>
    public static void Write(TextWriter output, Command root, IReadOnlyList<string> words)
    {
        string current = words.Count > 0 ? words[^1] : "";
        var (files, values) = Complete(new Position(root, words.Take(words.Count - 1)), current);
        output.WriteLine(files);
        foreach (var (value, description) in values.Where(entry => entry.Value.StartsWith(current, StringComparison.Ordinal)))
            output.WriteLine($"{value}\t{description}");
    }

    private static (string Files, IEnumerable<(string Value, string Description)> Values) Complete(Position position, string current)
    {
        if (position.Pending is { } pending)
            return (FilesOf(pending.ValueType, pending.HelpName), ValuesOf(pending, ""));
        if (!position.IsBehindDashes && current.StartsWith('-'))
        {
            if (current.IndexOf('=', StringComparison.Ordinal) is var end and > 0 && CommandTree.FindOption(position.Command, current[..end]) is { } option)
                return (FilesOf(option.ValueType, option.HelpName), ValuesOf(option, current[..(end + 1)]));
            return (NoFiles, OptionNames(position));
        }
        if (position.Command.Subcommands.Count > 0)
            return (NoFiles, position.HasArguments ? [] : position.Command.Subcommands.Where(CommandTree.IsVisible).Select(command => (command.Name, FirstSentence(command.Description))));
        if (position.Argument is { } argument)
            return (FilesOf(argument.ValueType, "path"), ValuesOf(argument, ""));
        return (NoFiles, position.IsBehindDashes ? [] : OptionNames(position));
    }

    private static IEnumerable<(string, string)> OptionNames(Position position) => CommandTree.AllOptions(position.Command)
        .Where(option => !position.Given.Contains(option))
        .SelectMany(option => option.Aliases.Where(alias => alias.StartsWith("--", StringComparison.Ordinal)).Prepend(option.Name)
            .Select(name => (name, FirstSentence(option.Description))));

    private static IEnumerable<(string, string)> ValuesOf(Symbol symbol, string prefix)
    {
        IEnumerable<string> values = symbol is Option option && CommandTree.IsFlag(option)
            ? ["true", "false"]
            : symbol.GetCompletions(CompletionContext.Empty).Select(item => item.Label);
        return values.Select(value => (prefix + value, ""));
    }

    /// <summary>Which files may be a value, by its type and by what help calls it.</summary>
    private static string FilesOf(Type type, string? helpName) =>
        type == typeof(DirectoryInfo) ? Directories
        : type == typeof(FileInfo) ? AnyFiles
        : type == typeof(RecipeChoice) || type == typeof(ArchitectureChoice) ? JsonFiles
        : helpName == "path" && (type == typeof(string) || type == typeof(string[])) ? AnyFiles
        : NoFiles;

    private static string FirstSentence(string? text) => text is null ? "" : text.Split(". ")[0].TrimEnd('.');

    /// <summary>Where the words before the cursor lead.</summary>
    private sealed class Position
    {
        private int _arguments;

        public Position(Command root, IEnumerable<string> words)
        {
            Command = root;
            foreach (string word in words)
                Pass(root, word);
        }

        public Command Command { get; private set; }

        /// <summary>The option whose value comes next.</summary>
        public Option? Pending { get; private set; }

        public bool IsBehindDashes { get; private set; }

        /// <summary>Whether there are words that are neither commands nor options.</summary>
        public bool HasArguments => _arguments > 0;

        public HashSet<Option> Given { get; } = [];

        /// <summary>The argument that comes next; null if there is none.</summary>
        public Argument? Argument
        {
            get
            {
                int taken = 0;
                return Command.Arguments.FirstOrDefault(argument => (taken += argument.Arity.MaximumNumberOfValues) > _arguments);
            }
        }

        private void Pass(Command root, string word)
        {
            if (Pending is not null)
            {
                Pending = null;
            }
            else if (IsBehindDashes)
            {
                _arguments++;
            }
            else if (word == "--")
            {
                IsBehindDashes = true;
            }
            else if (word.StartsWith('-') && word.Length > 1)
            {
                bool hasValue = word.Contains('=', StringComparison.Ordinal);
                if (CommandTree.FindOption(Command, word.Split('=')[0]) is { } option)
                {
                    Given.Add(option);
                    Pending = hasValue || option.Arity.MinimumNumberOfValues == 0 ? null : option;
                }
            }
            else if (Command.Subcommands.FirstOrDefault(sub => sub.Name == word) is { } command)
            {
                // nin config show takes a whole command line.
                Command = command.TreatUnmatchedTokensAsErrors ? command : root;
            }
            else
            {
                _arguments++;
            }
        }
    }
}
