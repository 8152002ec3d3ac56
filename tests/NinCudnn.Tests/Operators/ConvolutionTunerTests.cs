using System.Text.Json;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using Xunit;

namespace NinCudnn.Tests.Operators;

public sealed class ConvolutionTunerTests : IDisposable
{
    private static readonly ConvolutionShape _shape = new(new TensorShape(2, 8, 9, 9), 16, 3, 3, 1, 1);

    private readonly OperatorFixture _fixture = new();
    private readonly TemporaryDirectory _directory = new();

    public void Dispose()
    {
        _fixture.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void Tune_FirstTime_ChoosesAMethodAndKeepsIt()
    {
        ConvolutionOperator convolution = Tuned();

        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(CacheFile()));
        JsonProperty choice = Assert.Single(file.RootElement.GetProperty("choices").EnumerateObject());
        Assert.Equal("Forward 2×8×9×9 → 16, 3×3 stride 1 pad 1 Relu Float32 deterministic workspace 536870912", choice.Name);
        Assert.Equal(convolution.MethodName(ConvolutionDirection.Forward), choice.Value.GetString());
        Assert.StartsWith(TestDevice.Shared.Name, file.RootElement.GetProperty("device").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cuDNN Float32 NHWC 0 fma")]
    [InlineData("cuDNN Float32 NHWC 1 fma fused")]
    public void Tune_Again_TakesTheKeptChoiceWithoutMeasuring(string kept)
    {
        Tuned();
        string content = File.ReadAllText(CacheFile());
        File.WriteAllText(CacheFile(), System.Text.RegularExpressions.Regex.Replace(content, "cuDNN Float32 NHWC . fma( fused)?", kept));

        Assert.Equal(kept, Tuned().MethodName(ConvolutionDirection.Forward));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("""{"device": "another", "choices": {}}""")]
    [InlineData("""{"device": "another", "choices": null}""")]
    public void Tune_UnusableFile_IsReplaced(string content)
    {
        Tuned();
        string whole = File.ReadAllText(CacheFile());
        File.WriteAllText(CacheFile(), content);

        Tuned();

        Assert.Equal(Device(whole), Device(File.ReadAllText(CacheFile())));

        static string? Device(string json) => JsonElement.Parse(json).GetProperty("device").GetString();
    }

    [Fact]
    public void Tune_ChoiceThatIsNotOfferedAnyMore_IsMeasuredAgain()
    {
        Tuned();
        string content = File.ReadAllText(CacheFile());
        File.WriteAllText(CacheFile(), System.Text.RegularExpressions.Regex.Replace(content, "cuDNN Float32 NHWC . fma( fused)?", "cuDNN of yesterday"));

        Tuned();

        Assert.DoesNotContain("yesterday", File.ReadAllText(CacheFile()), StringComparison.Ordinal);
    }

    [Fact]
    public void Tune_DirectoryThatCannotBeMade_ChoosesAllTheSame()
    {
        string file = _directory.Write("file", []);
        ConvolutionOperator convolution = Create();
        new ConvolutionTuner(_fixture.Stream, new TuningCache(TestDevice.Shared, Path.Combine(file, "below")))
            .Tune(convolution, ConvolutionDirection.Forward);
        Assert.StartsWith("cuDNN", convolution.MethodName(ConvolutionDirection.Forward), StringComparison.Ordinal);
    }

    [Fact]
    public void Add_ChoicesOfAnotherProcess_AreKept()
    {
        TuningCache mine = new(TestDevice.Shared, _directory.Path), other = new(TestDevice.Shared, _directory.Path);
        other.Add("a", "1");
        mine.Add("b", "2");
        var both = new TuningCache(TestDevice.Shared, _directory.Path);
        Assert.Equal(("1", "2", null), (both.Find("a"), both.Find("b"), both.Find("c")));
        Assert.Single(_directory.Files());
    }

    private string CacheFile() => Path.Combine(_directory.Path, Assert.Single(_directory.Files()));

    private ConvolutionOperator Tuned()
    {
        ConvolutionOperator convolution = Create();
        new ConvolutionTuner(_fixture.Stream, new TuningCache(TestDevice.Shared, _directory.Path)).Tune(convolution, ConvolutionDirection.Forward);
        return convolution;
    }

    private ConvolutionOperator Create() => _fixture.Own(ConvolutionOperator.Create(_fixture.Stream, _shape, Activation.Relu));
}
