using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin eval</c> with files that are no model for the data.</summary>
[Trait("Modes", "all")]
public sealed class CheckpointTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Eval_TruncatedModel_IsNamed()
    {
        string path = _root.Write("model.safetensors", File.ReadAllBytes(run.ModelPath).AsSpan(..^4));

        Eval(path).Failed(1, path);
    }

    [Fact]
    public void Eval_NotSafetensors_IsNamed()
    {
        string path = _root.Write("model.safetensors", "PK and then something that is no safetensors header"u8);

        Eval(path).Failed(1, path, "header length");
    }

    [Fact]
    public void Eval_EmptyFile_IsNamed()
    {
        string path = _root.Write("model.safetensors", []);

        Eval(path).Failed(1, path);
    }

    [Fact]
    public void Eval_SafetensorsOfAnotherProgram_IsRefused()
    {
        byte[] header = """{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"""u8.ToArray();
        string path = _root.Write("model.safetensors", [.. BitConverter.GetBytes((ulong)header.Length), .. header, 0, 0, 0, 0]);

        Eval(path).Failed(1, path, "was not written by NinCudnn");
    }

    [Fact]
    public void Eval_ModelOfOtherClasses_SaysHowMany()
    {
        Architecture architecture = Architecture.Seed(classes: 7);
        var description = new ModelDescription(architecture, 68, Normalization.None(1), [.. Enumerable.Range(0, 7).Select(i => $"class {i}")]);
        string path = _root.File("model.safetensors");
        new ModelFile(description, Parameter.Enumerate(architecture).ToDictionary(parameter => parameter.Name, parameter => new float[parameter.Count]))
            .Save(path);

        Eval(path).Failed(2, "fashion-mnist test has 10 classes, the network 7");
    }

    private ProgramResult Eval(string path) => NinProgram.Run("eval", "--checkpoint", path, "--data", run.Data, "--device", "cpu");
}
