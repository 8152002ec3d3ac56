using System.Text.Json;
using Microsoft.ML.OnnxRuntime;
using NinCudnn.Data;
using NinCudnn.Formats.Onnx;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using NinCudnn.Tests.Networks;
using NinCudnn.Tests.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>Exported models, run by ONNX Runtime.</summary>
public sealed class OnnxExportTests : IDisposable
{
    private const int Images = 3;

    private static readonly Tolerance _tolerance = Tolerance.Of(1e-4, 1e-4, "float32 sums of a few thousand terms in two orders, through twelve layers");

    private readonly TemporaryDirectory _directory = new();

    private string Path => _directory.File("model.onnx");

    public void Dispose() => _directory.Dispose();

    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "nin_forward_backward", MemberType = typeof(GoldenSet))]
    public void Save_TinyGolden_GivesPyTorchsLogits(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] shape = item.Shape("x");
        Architecture architecture = NetworkFixture.Architecture(item);
        var parameters = item.TensorNames("params").ToDictionary(tensor => tensor, tensor => item.Singles(tensor, "params"));
        OnnxExport.Save(Model(architecture, shape[2], Normalization.None(shape[1]), parameters), Path);

        item.Check("logits", Run(item.Singles("x"), shape));
    }

    [Theory]
    [InlineData("seed", 1, 68, OnnxInput.Normalized)]
    [InlineData("seed", 1, 68, OnnxInput.Pixels)]
    [InlineData("cifar", 3, 20, OnnxInput.Normalized)] // padded poolings
    [InlineData("cifar", 3, 20, OnnxInput.Pixels)]
    public void Save_RandomParameters_GivesThePlansLogits(string preset, int channels, int size, OnnxInput input)
    {
        Architecture architecture = ArchitecturePreset.Get(preset).Create(channels, 10);
        var normalization = new Normalization([.. new[] { 0.3f, 0.5f, 0.6f }.Take(channels)], [.. new[] { 0.35f, 0.2f, 0.5f }.Take(channels)]);
        byte[] pixels = TestNumbers.Bytes(Images * size * size * channels, seed: 5); // (N, H, W, C)
        var dataset = new ImageDataset("noise", pixels, new ushort[Images], size, size, channels, Names(10));
        var options = new PlanOptions { Batch = Images, Height = size, Width = size, Mode = PlanMode.Evaluation, Normalization = normalization };
        using var network = new NetworkFixture(architecture, options, dataset);
        network.Parameters.Initialize(Initialization.He, seed: 6);
        network.StepInput.Send(default, [.. Enumerable.Range(0, Images)]);
        network.Plan.Run();
        float[] expected = network.Download(network.Plan.Logits);
        Assert.True(expected.Count(logit => logit > 0.1f) >= 5, "hardly a logit that the last rectifier let through");
        OnnxExport.Save(Model(architecture, size, normalization, network.Parameters.DownloadValues()), Path, input);

        foreach (int batch in new[] { 1, Images })
        {
            int[] shape = [batch, channels, size, size];
            float[] raw = Layout.ToNchw([.. pixels.Take(batch * size * size * channels).Select(pixel => (float)pixel)], shape);
            float[] logits = input == OnnxInput.Pixels
                ? Run(raw.Select(pixel => (byte)pixel).ToArray(), shape)
                : Run(raw.Select((pixel, i) => Normalize(pixel, normalization, i / (size * size) % channels)).ToArray(), shape);
            Comparison.Check<float>(logits, expected.AsSpan(0, batch * 10), [batch, 10], _tolerance, $"{preset}, {channels}×{size}×{size}, batch {batch}, {input}");
        }
    }

    [Fact]
    public void Save_Graph_HasPyTorchsNamesAndTheOperatorSet()
    {
        Architecture architecture = TinyNetwork.Architecture(inputChannels: 2);
        OnnxExport.Save(Model(architecture, TinyNetwork.ImageSize, Normalization.None(2)), Path);

        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path));

        Assert.Equal(8, model.IrVersion);
        Assert.Equal(("", 17), (Assert.Single(model.OpsetImport).Domain, model.OpsetImport[0].Version));
        Assert.Equal("tiny", model.Graph.Name);
        Assert.Equal(
            Parameter.Enumerate(architecture).Select(parameter => (parameter.Name, string.Join("×", parameter.Shape))),
            model.Graph.Initializer.Select(tensor => (tensor.Name, string.Join("×", tensor.Dims))));
        Assert.Equal(
            "Conv 0.0, Relu 0.1, Conv 0.2, Relu 0.3, Conv 0.4, Relu 0.5, MaxPool 1, "
            + "Conv 3.0, Relu 3.1, Conv 3.2, Relu 3.3, Conv 3.4, Relu 3.5, GlobalAveragePool 4, Flatten logits",
            string.Join(", ", model.Graph.Node.Select(node => $"{node.OpType} {node.Name}")));
        Assert.Equal(["1", "3.0.weight", "3.0.bias"], model.Graph.Node[7].Input); // layer 2, dropout, is left out
        Assert.All(model.Graph.Node, node => Assert.Equal([node.Name], node.Output));
    }

    [Theory]
    [InlineData(OnnxInput.Normalized, typeof(float))]
    [InlineData(OnnxInput.Pixels, typeof(byte))]
    public void Save_InputAndOutput_AreDeclaredWithAnyBatch(OnnxInput input, Type type)
    {
        OnnxExport.Save(Model(TinyNetwork.Architecture(inputChannels: 2), 13, Normalization.None(2)), Path, input);
        using var session = new InferenceSession(Path);

        NodeMetadata declaredInput = session.InputMetadata["input"], declaredOutput = session.OutputMetadata["logits"];
        Assert.Equal((1, 1), (session.InputMetadata.Count, session.OutputMetadata.Count));
        Assert.Equal((type, typeof(float)), (declaredInput.ElementType, declaredOutput.ElementType));
        Assert.Equal([-1, 2, 13, 13], declaredInput.Dimensions);
        Assert.Equal([-1, TinyNetwork.Classes], declaredOutput.Dimensions);
        Assert.Equal(("N", "N"), (declaredInput.SymbolicDimensions[0], declaredOutput.SymbolicDimensions[0]));
    }

    [Fact]
    public void Save_Metadata_SaysWhatTheModelIs()
    {
        var description = new ModelDescription(
            TinyNetwork.Architecture(inputChannels: 2), TinyNetwork.ImageSize, new Normalization([0.25f, 0.5f], [1, 0.125f]), ["left", "\"middle\"", "right"]);
        OnnxExport.Save(new ModelFile(description, Parameters(description.Architecture)), Path);
        using var session = new InferenceSession(Path);

        Assert.Equal(("NinCudnn", "tiny"), (session.ModelMetadata.ProducerName, session.ModelMetadata.GraphName));
        Dictionary<string, string> metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(["class_names", "deviation", "mean"], metadata.Keys.Order());
        Assert.Equal(["left", "\"middle\"", "right"], JsonSerializer.Deserialize<string[]>(metadata["class_names"])!);
        Assert.Equal(("[0.25,0.5]", "[1,0.125]"), (metadata["mean"], metadata["deviation"]));
        Assert.Matches(@"^\d+\.\d+\.\d+$", ModelProto.Parser.ParseFrom(File.ReadAllBytes(Path)).ProducerVersion);
    }

    [Fact]
    public void Save_SameModel_GivesTheSameBytes()
    {
        ModelFile model = Model(TinyNetwork.Architecture(), TinyNetwork.ImageSize, Normalization.None(1));
        OnnxExport.Save(model, Path);
        OnnxExport.Save(model, _directory.File("again.onnx"));

        Assert.Equal(File.ReadAllBytes(Path), File.ReadAllBytes(_directory.File("again.onnx")));
        Assert.Equal(["again.onnx", "model.onnx"], _directory.Files()); // no temporary file is left
    }

    [Fact]
    public void Save_MissingParameter_IsNamedAndAnEarlierFileStays()
    {
        File.WriteAllText(Path, "earlier");
        Architecture architecture = TinyNetwork.Architecture();
        Dictionary<string, float[]> parameters = Parameters(architecture);
        parameters.Remove("3.2.bias");

        CheckRefused(Model(architecture, TinyNetwork.ImageSize, Normalization.None(1), parameters), "the parameter 3.2.bias is missing");
        parameters["3.2.bias"] = new float[6];
        CheckRefused(Model(architecture, TinyNetwork.ImageSize, Normalization.None(1), parameters), "3.2.bias has 6 elements, expected 5 (5)");

        Assert.Equal("earlier", File.ReadAllText(Path));
        Assert.Equal(["model.onnx"], _directory.Files());
    }

    [Fact]
    public void Save_PartsThatDoNotFit_AreRefused()
    {
        Architecture architecture = TinyNetwork.Architecture();
        CheckRefused(Model(architecture, 2, Normalization.None(1)), "3×3 window on 2×2 input");
        CheckRefused(Model(architecture, 12, Normalization.None(2)), "one mean and deviation per channel");
        CheckRefused(Model(architecture, 12, new Normalization([0], [0])), "a deviation that is not positive");
    }

    [Fact]
    public void Save_BeyondTwoGiB_IsRefusedBeforeAnythingIsWritten()
    {
        var large = new Architecture("large", 1, 3, [new NinBlock(200_000_000, 1, 1, 0, [3]), new GlobalAveragePool(), new Flatten()]);

        CheckRefused(Model(large, 1, Normalization.None(1), []), "large has 4000000012 bytes of parameters");
        Assert.Empty(_directory.Files());
    }

    private void CheckRefused(ModelFile model, string expected) =>
        Assert.Contains(expected, Assert.Throws<ArgumentException>(() => OnnxExport.Save(model, Path)).Message, StringComparison.Ordinal);

    private float[] Run<T>(T[] input, int[] shape)
        where T : unmanaged
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(Path, options);
        using OrtValue value = OrtValue.CreateTensorValueFromMemory(input, [.. shape.Select(extent => (long)extent)]);
        using var runOptions = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(runOptions, ["input"], [value], ["logits"]);
        Assert.Equal(shape[0], outputs[0].GetTensorTypeAndShape().Shape[0]);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    private static float Normalize(float pixel, Normalization normalization, int channel) =>
        (pixel / 255 - normalization.Mean[channel]) / normalization.Deviation[channel];

    private static ModelFile Model(Architecture architecture, int imageSize, Normalization normalization, Dictionary<string, float[]>? parameters = null) =>
        new(new ModelDescription(architecture, imageSize, normalization, Names(architecture.Classes)), parameters ?? Parameters(architecture));

    private static string[] Names(int classes) => [.. Enumerable.Range(0, classes).Select(i => $"class {i}")];

    private static Dictionary<string, float[]> Parameters(Architecture architecture) => Parameter.Enumerate(architecture).ToDictionary(
        parameter => parameter.Name, parameter => TestNumbers.Uniform(parameter.Count, -1, 1, (ulong)parameter.Offset));
}
