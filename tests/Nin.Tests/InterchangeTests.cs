using NinCudnn.Formats;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin export</c> and <c>nin import</c>. What the files hold is tested with the library.</summary>
[Trait("Modes", "all")]
public sealed class InterchangeTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData(OnnxInput.Normalized, "float32")]
    [InlineData(OnnxInput.Pixels, "uint8", "--include-scaling")]
    public void Export_Onnx_IsTheLibrarys(OnnxInput input, string type, params string[] options)
    {
        string path = _root.Write("model.onnx", "an earlier file"u8), expected = _root.File("expected.onnx");

        string output = NinProgram.Run(["export", run.Path, "--format", "onnx", "--output", path, .. options]).Succeeded().Output;

        OnnxExport.Save(ModelFile.Load(run.ModelPath), expected, input);
        Assert.Equal(File.ReadAllBytes(expected), File.ReadAllBytes(path));
        Assert.Equal($"{path}: input {type} N×1×68×68, output logits float32 N×10\n", output);
    }

    [Fact]
    public void ExportAndImport_Safetensors_GiveAModelOfTheSameResults()
    {
        string parameters = _root.File("net.safetensors"), model = _root.File("model.safetensors");

        string exported = NinProgram.Run("export", run.ModelPath, "--format", "safetensors", "--output", parameters).Succeeded().Output;
        string imported = NinProgram.Run("import", parameters, "--resize", "68", "--dataset", "fashion-mnist", "--output", model).Succeeded().Output;

        Assert.Equal($"{parameters}: 24 tensors under PyTorch's names\n", exported);
        Assert.Equal($"{model}: seed with 1,992,166 parameters, 68×68 input\n", imported);
        using (SafetensorsFile file = SafetensorsFile.Open(parameters))
            Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal(Evaluate(run.ModelPath), Evaluate(model));
        Assert.Equal(ModelFile.Load(run.ModelPath).Description.ClassNames, ModelFile.Load(model).Description.ClassNames);
    }

    [Fact]
    public void Import_WithoutDataset_NumbersTheClassesAndKeepsTheStatistics()
    {
        string model = _root.File("model.safetensors");

        NinProgram.Run("import", run.ModelPath, "--resize", "70", "--mean", "0.25", "--deviation", "0.5", "--output", model).Succeeded();

        ModelDescription description = ModelFile.Load(model).Description;
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], description.ClassNames);
        Assert.Equal((70, 0.25f, 0.5f), (description.ImageSize, description.Normalization.Mean[0], description.Normalization.Deviation[0]));
    }

    [Fact]
    public void Import_OfAnotherNetwork_NamesTensorAndShapes()
    {
        string model = _root.File("model.safetensors");

        NinProgram.Run("import", run.ModelPath, "--classes", "7", "--output", model).Failed(1, run.ModelPath, "7.0.weight has the shape 10×384×3×3, expected 7×384×3×3");
        NinProgram.Run("import", run.ModelPath, "--arch", "cifar", "--output", model).Failed(1, "0.0.weight has the shape 96×1×11×11, expected 192×3×5×5");

        Assert.Empty(_root.Files());
    }

    [Theory]
    [InlineData("export")]
    [InlineData("import")]
    public void Output_WhereNoFileCanBe_IsNamed(string command)
    {
        string[] arguments = [command, run.ModelPath, .. command == "export" ? ["--format", "onnx"] : Array.Empty<string>(), "--output"];

        NinProgram.Run([.. arguments, _root.Path]).Failed(1, $"{_root.Path} is a directory; --output must be a file");
        NinProgram.Run([.. arguments, _root.File("none/model")]).Failed(1, $"{_root.File("none")} does not exist");
        NinProgram.Run([.. arguments, ""]).Failed(2, "--output is empty, but must be a file's path");
    }

    [Theory]
    [InlineData("export")]
    [InlineData("import")]
    public void Input_ThatIsNoModel_IsNamed(string command)
    {
        string[] options = [.. command == "export" ? ["--format", "onnx"] : Array.Empty<string>(), "--output", _root.File("model")];
        string broken = _root.Write("broken", File.ReadAllBytes(run.ModelPath).AsSpan(..^4));

        NinProgram.Run([command, _root.File("none"), .. options]).Failed(1, _root.File("none"));
        NinProgram.Run([command, broken, .. options]).Failed(1, broken);

        Assert.Equal(["broken"], _root.Files());
    }

    private (double Loss, double Accuracy) Evaluate(string model)
    {
        var result = NinProgram.Run("eval", "--checkpoint", model, "--data", run.Data, "--device", "cpu", "--json").Succeeded().Events[0];
        return (result.GetProperty("loss").GetDouble(), result.GetProperty("accuracy").GetDouble());
    }
}
