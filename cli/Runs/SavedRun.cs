using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Cli.Output;

namespace NinCudnn.Cli.Runs;

/// <summary>A run that a directory holds.</summary>
/// <param name="Directory">The directory's full path.</param>
/// <param name="Run">What its run.json says.</param>
internal sealed record SavedRun(string Directory, RunDocument Run)
{
    public string Name => Path.GetFileName(Directory);

    /// <exception cref="FileNotFoundException">The directory holds no run.</exception>
    /// <exception cref="InvalidDataException">The run's document is damaged.</exception>
    public static SavedRun Load(string directory)
    {
        string path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory));
        return File.Exists(RunDocument.PathIn(path))
            ? new SavedRun(path, RunDocument.Load(path))
            : throw new FileNotFoundException($"{directory} holds no run: there is no {RunDocument.PathIn(directory)}");
    }

    /// <summary>The epochs in the run's metrics; none where these are missing. A last line that is cut off, in a run that was killed, is passed over.</summary>
    public EpochEvent[] ReadEpochs()
    {
        string path = RunDirectory.MetricsIn(Directory);
        return File.Exists(path) ? [.. File.ReadLines(path).Select(Parse).OfType<EpochEvent>()] : [];
    }

    private static EpochEvent? Parse(string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement is { ValueKind: JsonValueKind.Object } members && members.TryGetProperty("event", out JsonElement name)
                && name.ValueKind == JsonValueKind.String && name.ValueEquals("epoch")
                ? document.RootElement.Deserialize(JsonEventsContext.Default.EpochEvent)
                : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // the latter of half a surrogate pair
        {
            return null;
        }
    }
}

/// <summary>A line of <c>nin runs list --json</c>.</summary>
internal sealed record RunLine(string Directory, RunDocument Run);

/// <summary>The line of <c>nin runs compare --json</c>.</summary>
/// <param name="Directories">The runs.</param>
/// <param name="Differences">What is not the same in all: by its name a value for each run.</param>
/// <param name="Ends">How each ended; null for one that has not.</param>
internal sealed record RunComparison(IReadOnlyList<string> Directories, IReadOnlyDictionary<string, string[]> Differences, IReadOnlyList<EndEvent?> Ends);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunLine))]
[JsonSerializable(typeof(RunComparison))]
internal sealed partial class RunLineContext : JsonSerializerContext;
