using System.Collections;
using System.CommandLine;

namespace NinCudnn.Cli.Settings;

/// <summary>Settings in environment variables: <c>NIN_TRAIN_BATCH</c> for <c>nin train --batch</c>, <c>NIN_DEVICE</c> for every command's <c>--device</c>.</summary>
internal static class EnvironmentSettings
{
    /// <summary>The variable for an option of a command.</summary>
    public static string VariableOf(Command command, Option option) => Variable([.. CommandTree.Path(command), Setting.KeyOf(option)]);

    /// <summary>The settings for a command, the more particular ones first. An empty variable is none.</summary>
    /// <exception cref="ArgumentException">A variable looks like one that is meant, but is none.</exception>
    public static IEnumerable<Setting> For(Command command)
    {
        Option[] options = [.. CommandTree.OwnOptions(command)];
        var known = new List<(string Variable, Option Option)>();
        known.AddRange(options.Select(option => (VariableOf(command, option), option)));
        string[] own = [.. known.Select(entry => entry.Variable)];
        known.AddRange(options.Where(Setting.IsShared).Select(option => (Variable([Setting.KeyOf(option)]), option)));
        RefuseMisspelt(Variable(CommandTree.Path(command)) + "_", own);
        return known.Select(entry => (entry.Variable, entry.Option, Value: Environment.GetEnvironmentVariable(entry.Variable)))
            .Where(entry => entry.Value is { Length: > 0 })
            .Select(entry => new Setting(entry.Option, Text(entry.Option, entry.Value!), entry.Variable));
    }

    /// <summary>Other variables that begin like this may be somebody else's, unless their names are nearly right.</summary>
    private static void RefuseMisspelt(string prefix, string[] known)
    {
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (!name.StartsWith(prefix, StringComparison.Ordinal) || known.Contains(name))
                continue;
            if (NearestName.Of(name[prefix.Length..], known.Select(other => other[prefix.Length..])) is { } meant)
                throw new ArgumentException($"the environment variable {name} stands for no option; did you mean {prefix}{meant}?");
        }
    }

    private static string Text(Option option, string value) => !CommandTree.IsFlag(option) ? value : value switch
    {
        "1" => "true",
        "0" => "false",
        _ => value,
    };

    private static string Variable(IEnumerable<string> words) =>
        string.Join('_', ["NIN", .. words.Select(word => word.Replace('-', '_').ToUpperInvariant())]);
}
