using System.Globalization;
using NinCudnn.Formats;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>
/// A run's directory: <c>run.json</c>, <c>metrics.jsonl</c> and <c>checkpoints</c> while it goes; <c>model.safetensors</c>, <c>curves.png</c> and
/// <c>report.html</c> when it has ended. One process at a time trains in it.
/// </summary>
internal sealed class RunDirectory : IDisposable
{
    public const string ModelName = "model.safetensors";
    private const string MetricsName = "metrics.jsonl";
    private const string CheckpointsName = "checkpoints";
    private const string LockName = ".lock";

    private readonly FileStream _lock; // given up by the system too, when the process is killed

    private RunDirectory(string path, TrainingPosition? position)
    {
        Path = path;
        _lock = new FileStream(
            System.IO.Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1, FileOptions.DeleteOnClose);
        try
        {
            if (position is not null)
            {
                AtomicFile.DeleteLeftovers(path, "*");
                Before = RunMetrics.Rewind(MetricsIn(path), position);
            }
            Metrics = new StreamWriter(new OutputFileStream(MetricsIn(path), position is null ? FileMode.CreateNew : FileMode.Append));
        }
        catch
        {
            _lock.Dispose();
            throw;
        }
    }

    public string Path { get; }

    public string ModelPath => System.IO.Path.Combine(Path, ModelName);

    /// <summary>The run's events, one JSON object a line.</summary>
    public TextWriter Metrics { get; private set; }

    /// <summary>The events that were there before the run went on.</summary>
    public RunMetrics Before { get; private set; } = RunMetrics.None;

    /// <summary>Makes the directory.</summary>
    /// <param name="path">Where, or null for a new one under ./runs.</param>
    /// <param name="recipe">Goes into a new one's name.</param>
    /// <exception cref="IOException">It can't be made, or holds another run.</exception>
    public static RunDirectory Create(string? path, string recipe)
    {
        path ??= NewPath(recipe);
        string[] names = [ModelName, MetricsName, System.IO.Path.GetFileName(RunDocument.PathIn(path))];
        string[] taken =
        [
            .. names.Where(name => File.Exists(System.IO.Path.Combine(path, name))),
            .. new CheckpointDirectory(CheckpointsIn(path)).Files.Take(1).Select(_ => CheckpointsName),
        ];
        if (taken.Length > 0)
            throw new IOException($"{path} holds another run ({string.Join(", ", taken)}); choose another --output");
        if (File.Exists(path))
            throw new IOException($"{path} is a file; --output must be a directory");
        try
        {
            Directory.CreateDirectory(path);
            return new RunDirectory(path, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} can't be written: {e.Message}", e);
        }
    }

    /// <summary>Opens the directory of a run that goes on; what was told behind that position is taken back.</summary>
    /// <exception cref="IOException">It can't be written, or another process trains there.</exception>
    public static RunDirectory Resume(string path, TrainingPosition position)
    {
        try
        {
            return new RunDirectory(path, position);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} can't be written, or is in use: {e.Message}", e);
        }
    }

    /// <summary>Takes back what an attempt has told but that its network died. Its checkpoints stay until there is one of the next attempt.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void BeginAgain()
    {
        Metrics.Dispose();
        foreach (string file in Directory.GetFiles(Path, "events.out.tfevents.*"))
            File.Delete(file);
        RunMetrics.KeepDeaths(MetricsIn(Path));
        Before = RunMetrics.None;
        Metrics = new StreamWriter(new OutputFileStream(MetricsIn(Path), FileMode.Append));
    }

    /// <summary>Refuses a directory that another process trains in: its checkpoints come and go.</summary>
    /// <exception cref="IOException">It is one.</exception>
    public static void RequireIdle(string path)
    {
        string file = System.IO.Path.Combine(path, LockName);
        if (!File.Exists(file))
            return;
        try
        {
            new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.None).Dispose();
        }
        catch (FileNotFoundException)
        {
            // The other process has just come to its end.
        }
        catch (IOException e)
        {
            throw new IOException($"{path} is in use: another process trains there", e);
        }
    }

    /// <summary>A model's file, given by its own path or by its run's directory.</summary>
    /// <exception cref="FileNotFoundException">The directory holds none.</exception>
    public static string FindModel(string path)
    {
        if (!Directory.Exists(path))
            return path;
        string model = System.IO.Path.Combine(path, ModelName);
        if (File.Exists(model))
            return model;
        string remedy = new CheckpointDirectory(CheckpointsIn(path)).Files is [var newest, ..]
            ? $"; the run was not finished (nin train --resume {path}), its newest checkpoint is {newest}"
            : "";
        throw new FileNotFoundException($"{path} holds no {ModelName}{remedy}");
    }

    /// <summary>Where a run's checkpoints are.</summary>
    public static string CheckpointsIn(string directory) => System.IO.Path.Combine(directory, CheckpointsName);

    /// <summary>Where a run's metrics are.</summary>
    public static string MetricsIn(string directory) => System.IO.Path.Combine(directory, MetricsName);

    public void Dispose()
    {
        try
        {
            Metrics.Dispose();
        }
        catch (IOException)
        {
            // Every line was flushed, so this is what has been thrown before, and must not hide it.
        }
        _lock.Dispose();
    }

    private static string NewPath(string recipe)
    {
        string stamp = DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string path = System.IO.Path.Combine(Directory.GetCurrentDirectory(), "runs", $"{stamp}-{recipe}");
        return Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? path : $"{path}-{i}").First(candidate => !Directory.Exists(candidate));
    }
}
