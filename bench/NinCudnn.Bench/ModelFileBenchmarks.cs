using BenchmarkDotNet.Attributes;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Bench;

/// <summary>Writing and reading the seed network's parameters, 8 MB.</summary>
public class ModelFileBenchmarks
{
    private readonly string _directory = Directory.CreateTempSubdirectory("nin-bench-").FullName;
    private ModelFile _model = null!;

    private string FilePath => Path.Combine(_directory, "model.safetensors");

    [GlobalSetup]
    public void Setup()
    {
        Architecture seed = Architecture.Seed();
        string[] names = [.. Enumerable.Range(0, SyntheticData.Classes).Select(i => $"class {i}")];
        _model = new ModelFile(
            new ModelDescription(seed, 224, Normalization.None(1), names),
            Parameter.Enumerate(seed).ToDictionary(parameter => parameter.Name, parameter => new float[parameter.Count]));
        Save();
    }

    [GlobalCleanup]
    public void Cleanup() => Directory.Delete(_directory, recursive: true);

    [Benchmark]
    public void Save() => _model.Save(FilePath);

    [Benchmark]
    public ModelFile Load() => ModelFile.Load(FilePath);
}
