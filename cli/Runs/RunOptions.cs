using System.CommandLine;
using System.Text.Json;
using NinCudnn.Cli.Settings;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>
/// The options of <c>nin train</c> that a checkpoint remembers, so that <c>--resume</c> needs none: all that were given but those whose values it
/// holds in another form, and those that are for one process.
/// </summary>
internal static class RunOptions
{
    private const string NotesKey = "nin.options";

    private static readonly string[] _left =
        [.. RecipeValues.Of(TrainingRecipe.Seed).Keys, "--recipe", "--arch", "--seed", "--output", "--resume", "--json", "--debug-numerics"];

    /// <summary>What to put into a checkpoint's notes.</summary>
    public static IReadOnlyDictionary<string, string> Notes(ParseResult parsed) => new Dictionary<string, string>
    {
        [NotesKey] = JsonSerializer.Serialize(
            Remembered(parsed).Where(option => CommandTree.IsGiven(parsed, option)).Select(option => $"{option.Name}={Text(parsed, option)}").ToArray(),
            RunJsonContext.Default.StringArray),
    };

    /// <summary>The arguments in a checkpoint's notes; none where another program wrote it.</summary>
    /// <exception cref="InvalidDataException">They are not as they were written.</exception>
    public static string[] Read(TrainingCheckpoint checkpoint)
    {
        if (!checkpoint.Notes.TryGetValue(NotesKey, out string? json))
            return [];
        try
        {
            return JsonSerializer.Deserialize(json, RunJsonContext.Default.StringArray) ?? [];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"the checkpoint's {NotesKey} can't be read: {e.Message}", e);
        }
    }

    /// <summary>The options whose values differ.</summary>
    public static IEnumerable<(Option Option, string Before, string Now)> Differences(ParseResult before, ParseResult now) =>
        from option in Remembered(now)
        let texts = (Before: Text(before, option), Now: Text(now, option))
        where texts.Before != texts.Now
        select (option, texts.Before, texts.Now);

    private static IEnumerable<Option> Remembered(ParseResult parsed) =>
        CommandTree.OwnOptions(parsed.CommandResult.Command).Where(option => !_left.Contains(option.Name));

    /// <summary>The value as a command line has it, a path in full, since the next one may begin elsewhere.</summary>
    private static string Text(ParseResult parsed, Option option)
    {
        if (parsed.GetResult(option) is not { Implicit: false } result)
            return option.HasDefaultValue ? $"{option.GetDefaultValue()}" : CommandTree.IsFlag(option) ? "false" : "not given";
        string text = result.Tokens.Count > 0 ? result.Tokens[0].Value : "true";
        return typeof(FileSystemInfo).IsAssignableFrom(option.ValueType) ? Path.GetFullPath(text) : text;
    }
}
