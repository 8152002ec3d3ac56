using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Cli.Output;
using NinCudnn.Formats;

namespace NinCudnn.Cli.Runs;

// run.json of a run's directory; docs/json.md describes the fields.

internal sealed record RunDocument(
    int Format, string Status, DateTimeOffset Started, DateTimeOffset? Ended, string? Failure, IReadOnlyList<string> CommandLine,
    StartEvent Start, JsonElement Recipe, JsonElement Architecture, RunExecution Execution, RunVersions Versions, RunDevice Device, RunData Data, EndEvent? End,
    IReadOnlyList<RunResume>? Resumes = null)
{
    public const int CurrentFormat = 1;
    public const string Running = "running";
    public const string Finished = "finished";
    public const string Stopped = "stopped";
    public const string Failed = "failed";

    private const string FileName = "run.json";

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
            return document.Format == CurrentFormat
                ? document
                : throw new InvalidDataException($"{path} has the format {document.Format}, this version reads {CurrentFormat}");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
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
internal sealed partial class RunJsonContext : JsonSerializerContext;
