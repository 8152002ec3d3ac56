using System.Globalization;

namespace NinCudnn.Cli;

/// <summary>
/// A run's directory: <c>run.json</c> and <c>metrics.jsonl</c> while it goes; <c>model.safetensors</c>, <c>curves.png</c> and <c>report.html</c>
/// when it has ended.
/// </summary>
internal sealed class RunDirectory : IDisposable
{
    public const string ModelName = "model.safetensors";
    private const string MetricsName = "metrics.jsonl";

    private RunDirectory(string path)
    {
        Path = path;
        Metrics = new StreamWriter(new FileStream(MetricsIn(path), FileMode.CreateNew));
    }

    public string Path { get; }

    public string ModelPath => System.IO.Path.Combine(Path, ModelName);

    /// <summary>The run's events, one JSON object a line.</summary>
    public TextWriter Metrics { get; }

    /// <summary>Makes the directory.</summary>
    /// <param name="path">Where, or null for a new one under ./runs.</param>
    /// <param name="recipe">Goes into a new one's name.</param>
    /// <exception cref="IOException">It can't be made, or holds another run.</exception>
    public static RunDirectory Create(string? path, string recipe)
    {
        path ??= NewPath(recipe);
        string[] names = [ModelName, MetricsName, System.IO.Path.GetFileName(Runs.RunDocument.PathIn(path))];
        string[] taken = [.. names.Where(name => File.Exists(System.IO.Path.Combine(path, name)))];
        if (taken.Length > 0)
            throw new IOException($"{path} holds another run ({string.Join(", ", taken)}); choose another --output");
        if (File.Exists(path))
            throw new IOException($"{path} is a file; --output must be a directory");
        try
        {
            Directory.CreateDirectory(path);
            return new RunDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} can't be written: {e.Message}", e);
        }
    }

    /// <summary>A model's file, given by its own path or by its run's directory.</summary>
    /// <exception cref="FileNotFoundException">The directory holds none.</exception>
    public static string FindModel(string path)
    {
        if (!Directory.Exists(path))
            return path;
        string model = System.IO.Path.Combine(path, ModelName);
        return File.Exists(model) ? model : throw new FileNotFoundException($"{path} holds no {ModelName}");
    }

    /// <summary>Where a run's metrics are.</summary>
    public static string MetricsIn(string directory) => System.IO.Path.Combine(directory, MetricsName);

    public void Dispose() => Metrics.Dispose();

    private static string NewPath(string recipe)
    {
        string stamp = DateTime.Now.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string path = System.IO.Path.Combine(Directory.GetCurrentDirectory(), "runs", $"{stamp}-{recipe}");
        return Enumerable.Range(1, int.MaxValue).Select(i => i == 1 ? path : $"{path}-{i}").First(candidate => !Directory.Exists(candidate));
    }
}
