using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Cli.Output;
using NinCudnn.Formats;

namespace NinCudnn.Cli.Runs;

// run.json of a run's directory; docs/json.md describes the fields.

internal sealed record RunDocument(
    int Format, string Status, DateTimeOffset Started, DateTimeOffset? Ended, string? Failure, IReadOnlyList<string> CommandLine,
    StartEvent Start, JsonElement Recipe, JsonElement Architecture, RunExecution Execution, RunVersions Versions, RunDevice Device, RunData Data, EndEvent? End,
    IReadOnlyList<RunResume>? Resumes = null, IReadOnlyList<RunDeath>? Deaths = null)
{
    public const int CurrentFormat = 1;
    public const string Running = "running";
    public const string Finished = "finished";
    public const string Stopped = "stopped";
    public const string Failed = "failed";

    private const string FileName = "run.json";
    private const double MaxSeconds = 1e9; // thirty years

    /// <summary>Where a run's document is.</summary>
    public static string PathIn(string directory) => Path.Combine(directory, FileName);

    /// <summary>Reads a run's document.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="InvalidDataException">It is no such document.</exception>
    public static RunDocument Load(string directory)
    {
        string path = PathIn(directory);
        try
        {
            RunDocument document = JsonSerializer.Deserialize(File.ReadAllBytes(path), RunJsonContext.Default.RunDocument)
                ?? throw new InvalidDataException($"{path} is null");
            if (document.Format != CurrentFormat)
                throw new InvalidDataException($"{path} has the format {document.Format}, this version reads {CurrentFormat}");
            if (document.Recipe.ValueKind != JsonValueKind.Object || document.Architecture.ValueKind != JsonValueKind.Object)
                throw new InvalidDataException($"{path}: recipe and architecture must be objects");
            if (document.End is { Seconds: not (>= 0 and < MaxSeconds) } end)
                throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{path}: a run can't have taken {end.Seconds} s"));
            CheckText(document.Recipe);
            CheckText(document.Architecture);
            return document;
        }
        catch (InvalidOperationException e)
        {
            throw new InvalidDataException($"{path} has a string that is no valid text", e);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: line {e.LineNumber + 1} is not what the document of a run has there", e);
        }
    }

    /// <exception cref="InvalidOperationException">A string is no valid text, which elements find out no sooner than one asks for it.</exception>
    private static void CheckText(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    _ = member.Name;
                    CheckText(member.Value);
                }
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                    CheckText(item);
                break;
            case JsonValueKind.String:
                _ = value.GetString();
                break;
        }
    }

    /// <summary>Writes it in place of an earlier one.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Save(string directory)
    {
        using var file = new AtomicFile(PathIn(directory));
        JsonSerializer.Serialize(file.Stream, this, RunJsonContext.Default.RunDocument);
        file.Stream.WriteByte((byte)'\n');
        file.Finish();
        file.Commit();
    }
}

/// <summary>Where a run that was interrupted went on.</summary>
internal sealed record RunResume(DateTimeOffset Time, long Step, string Checkpoint, IReadOnlyList<string> CommandLine, IReadOnlyList<string> Changes);

/// <summary>An attempt of a run whose network died, so that it began again with another seed.</summary>
internal sealed record RunDeath(ulong Seed, int Epoch, long Step, long Since);

internal sealed record RunExecution(string Algorithms, bool Deterministic, long WorkspaceLimit, string DataPlacement);

internal sealed record RunVersions(string Nin, string Dotnet, string System, string Driver, string Cudnn, string Cublas, string CublasLt, string? Onednn);

internal sealed record RunDevice(string Name, string Provider, long MemoryBytes, int Multiprocessors, string ComputeCapability);

internal sealed record RunData(string Name, int Height, int Width, int Channels, IReadOnlyList<string> Classes, RunSplit Train, RunSplit Test);

internal sealed record RunSplit(int Samples, string ImagesSha1, string LabelsSha1);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(RunDocument))]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(RunDeath[]))]
internal sealed partial class RunJsonContext : JsonSerializerContext;
