using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
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
    private const string DeathsKey = "nin.deaths";

    private static readonly string[] _left =
        [.. RecipeValues.Of(TrainingRecipe.Seed).Keys, "--recipe", "--arch", "--seed", "--output", "--resume", "--json", "--debug-numerics"];

    /// <summary>What to put into a checkpoint's notes.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="deaths">The attempts before.</param>
    public static IReadOnlyDictionary<string, string> Notes(ParseResult parsed, IEnumerable<RunDeath> deaths) => new Dictionary<string, string>
    {
        [NotesKey] = JsonSerializer.Serialize(
            Remembered(parsed).Where(option => CommandTree.IsGiven(parsed, option)).Select(option => $"{option.Name}={Text(parsed, option)}").ToArray(),
            RunJsonContext.Default.StringArray),
        [DeathsKey] = JsonSerializer.Serialize([.. deaths], RunJsonContext.Default.RunDeathArray),
    };

    /// <summary>The arguments in a checkpoint's notes; none where another program wrote it.</summary>
    /// <exception cref="InvalidDataException">They are not as they were written.</exception>
    public static string[] Read(TrainingCheckpoint checkpoint) => Read(checkpoint, NotesKey, RunJsonContext.Default.StringArray);

    /// <summary>The attempts before, by a checkpoint's notes.</summary>
    /// <exception cref="InvalidDataException">They are not as they were written.</exception>
    public static RunDeath[] ReadDeaths(TrainingCheckpoint checkpoint) => Read(checkpoint, DeathsKey, RunJsonContext.Default.RunDeathArray);

    /// <summary>The options whose values differ.</summary>
    public static IEnumerable<(Option Option, string Before, string Now)> Differences(ParseResult before, ParseResult now) =>
        from option in Remembered(now)
        let texts = (Before: Text(before, option), Now: Text(now, option))
        where texts.Before != texts.Now
        select (option, texts.Before, texts.Now);

    private static T[] Read<T>(TrainingCheckpoint checkpoint, string key, JsonTypeInfo<T[]> type)
    {
        if (!checkpoint.Notes.TryGetValue(key, out string? json))
            return [];
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? [];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"the checkpoint's {key} can't be read: {e.Message}", e);
        }
    }

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
