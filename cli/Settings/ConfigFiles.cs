using System.CommandLine;

namespace NinCudnn.Cli.Settings;

/// <summary>Where files of settings are looked for.</summary>
internal sealed class ConfigFiles
{
    public const string OptionName = "--config";
    private const string NoConfigName = "--no-config";
    private const string ProjectName = "nin.json";

    private readonly FileInfo? _named;
    private readonly bool _none;

    /// <exception cref="ArgumentException">The command line says both that there is a file and that there is none.</exception>
    public ConfigFiles(ParseResult parsed)
    {
        _named = parsed.GetValue<FileInfo?>(OptionName);
        _none = parsed.GetValue<bool>(NoConfigName);
        if (_none && _named is not null)
            throw new ArgumentException($"{OptionName} and {NoConfigName} exclude each other");
    }

    /// <summary>The paths, the one that goes before the others first; those that are only looked for may not be there.</summary>
    public IEnumerable<string> Paths => _none ? [] : [_named?.ToString() ?? ProjectName, UserPath];

    private static string UserPath => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } directory
            ? directory
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "nin", "config.json");

    /// <summary>Adds the options to the program.</summary>
    public static void AddOptionsTo(RootCommand root)
    {
        Option<FileInfo?> file = Commands.SharedOptions.File(new(OptionName) { Description = $"Read settings from this file, not from ./{ProjectName}.", Recursive = true });
        root.Add(file);
        root.Add(new Option<bool>(NoConfigName) { Description = "Read no files with settings.", Recursive = true });
    }

    /// <summary>Words of a command line without these options.</summary>
    public static string[] WithoutOptions(string[] words) =>
        [.. words.Where((word, i) => word is not (OptionName or NoConfigName) && (i == 0 || words[i - 1] != OptionName))];

    /// <summary>Reads those that there are.</summary>
    /// <param name="root">The program's commands.</param>
    /// <exception cref="ArgumentException">One can't be read or has mistakes, or the one that was named isn't there.</exception>
    public IEnumerable<ConfigFile> Read(Command root) =>
        [.. Paths.Where(path => path == _named?.ToString() || File.Exists(path)).Select(path => ConfigFile.Read(path, root))];
}
