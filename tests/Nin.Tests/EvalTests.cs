using System.Text.Json;
using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary>What <c>nin eval</c> says of the classes.</summary>
[Trait("Modes", "all")]
public sealed class EvalTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Eval_TinyDataSet_ShowsTheMatrix()
    {
        string[] lines = Eval(Model(Architecture.Seed(), 68), TinyData.Write(_root)).Lines;

        // 20 images, two of each class, all taken for class 3.
        Assert.StartsWith("test loss ", lines[0], StringComparison.Ordinal);
        Assert.Equal("images of, taken for  0  1  2  3  4  5  6  7  8  9  images  precision  recall      F1", lines[1]);
        Assert.Equal("0 T-shirt/top         .  .  .  2  .  .  .  .  .  .       2          -  0.0000  0.0000", lines[3]);
        Assert.Equal("3 Dress               .  .  .  2  .  .  .  .  .  .       2     0.1000  1.0000  0.1818", lines[6]);
        Assert.Equal(13, lines.Length);
    }

    [Fact]
    public void Eval_ClassWithoutImages_HasNoRecall()
    {
        JsonElement result = Assert.Single(Eval(Model(Architecture.Seed(), 68), TinyData.Write(_root), "--limit-test", "4", "--json").Events);

        JsonElement[] classes = [.. result.GetProperty("classes").EnumerateArray()];
        Assert.Equal(
            """{"name":"Dress","samples":1,"predicted":4,"correct":1,"precision":0.25,"recall":1,"f1":0.4}""", classes[3].GetRawText());
        Assert.Equal(
            """{"name":"Coat","samples":0,"predicted":0,"correct":0,"precision":null,"recall":null,"f1":null}""", classes[4].GetRawText());
        Assert.Equal(
            """{"actual":"Trouser","predicted":"Dress","count":1}""", result.GetProperty("confusions")[1].GetRawText());
        Assert.Equal(4, result.GetProperty("confusions").GetArrayLength());
    }

    [Fact]
    public void Eval_ManyClasses_ShowsTheWorstPairs()
    {
        foreach (var (name, labels) in new[] { ("train.bin", new byte[] { 0 }), ("test.bin", [5, 5, 5, 99, 3, 8]) })
            _root.Write($"cifar/{name}", [.. labels.SelectMany(label => (byte[])[0, label, .. new byte[3072]])]);

        string[] lines = Eval(Model(Architecture.Cifar(classes: 100), 32), _root.File("cifar"), "--dataset", "cifar100").Lines;

        Assert.Contains(lines, line => line.StartsWith("bed ", StringComparison.Ordinal) && line.EndsWith("3          -  0.0000  0.0000", StringComparison.Ordinal));
        int pairs = Array.FindIndex(lines, line => line.StartsWith("images of  ", StringComparison.Ordinal));
        Assert.Matches("^bed +bear +3 +1.0000$", lines[pairs + 2]);
        Assert.Equal(3, lines.Length - pairs - 2); // class 3 itself is right
    }

    private static ProgramResult Eval(string model, string data, params string[] options) =>
        NinProgram.Run(["eval", "--checkpoint", model, "--data", data, "--device", "cpu", .. options]).Succeeded();

    /// <summary>A model that takes everything for class 3: its weights are zero and its last bias decides.</summary>
    private string Model(Architecture architecture, int imageSize)
    {
        IReadOnlyList<string> names = (architecture.Classes == 10 ? (KnownDataset)KnownDatasets.FashionMnist : KnownDatasets.Cifar100).ClassNames;
        Parameter[] parameters = [.. Parameter.Enumerate(architecture)];
        Dictionary<string, float[]> values = parameters.ToDictionary(parameter => parameter.Name, parameter => new float[parameter.Count]);
        values[parameters[^1].Name][3] = 1;
        string path = _root.File("model.safetensors");
        new ModelFile(new ModelDescription(architecture, imageSize, Normalization.None(architecture.InputChannels), names), values).Save(path);
        return path;
    }
}
