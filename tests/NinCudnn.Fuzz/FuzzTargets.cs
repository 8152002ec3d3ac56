using NinCudnn.Fuzz.Targets;

namespace NinCudnn.Fuzz;

/// <summary>All that reads files.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new IdxTarget(),
        new CifarTarget(),
        new ArchiveTarget(),
        new ImageTarget(),
        new ImageCacheTarget(),
        new SafetensorsTarget(),
        new ModelTarget(),
        new CheckpointTarget(),
        new ArchitectureTarget(),
        new RecipeTarget(),
        new ConfigTarget(),
        new RunDocumentTarget(),
        new MetricsTarget(),
        new TuningCacheTarget(),
    ];

    /// <summary>The inputs of a target that have failed before: Corpus/NAME.</summary>
    public static IEnumerable<string> EarlierFindings(FuzzTarget target)
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "Corpus", target.Name);
        return Directory.Exists(folder) ? Directory.EnumerateFiles(folder) : [];
    }
}
