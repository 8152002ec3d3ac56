using System.Text.Json;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin predict</c></summary>
[Trait("Modes", "all")]
public sealed class PredictTests : IDisposable
{
    // e⁸ / (e⁸ + 2), and for the other two 1 / (e⁸ + 2).
    private const string RedLine = "red 0.9993, green 0.0003, blue 0.0003";

    private readonly TemporaryDirectory _root = new();
    private readonly string _model;

    public PredictTests()
    {
        _model = ColourModel.Write(_root);
        _root.Write("images/red.png", ImageBytes.Png(20, 30, 255, 0, 0));
        _root.Write("images/blue.png", ImageBytes.Png(5, 8, 0, 0, 255));
        _root.Write("images/more/green.PNG", ImageBytes.Png(9, 8, 0, 255, 0));
        _root.Write("images/more/notes.txt", "nothing"u8);
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Predict_AFile_ShowsTheLikeliestClasses()
    {
        Assert.Equal($"images/red.png: {RedLine}\n", Predict("images/red.png").Succeeded().Output);
        Assert.Equal("images/red.png: red 0.9993\n", Predict("images/red.png", "--top-k", "1").Succeeded().Output);
    }

    [Fact]
    public void Predict_Folder_GoesThroughAllBelowIt()
    {
        string[] lines = Predict("images", "--top-k", "1").Succeeded().Lines;

        Assert.Equal(["images/blue.png: blue 0.9993", "images/more/green.PNG: green 0.9993", "images/red.png: red 0.9993"], lines);
    }

    [Fact]
    public void Predict_Pattern_IsExpandedWhereNoShellDoesIt() =>
        Assert.Equal(["images/blue.png", "images/red.png"], Predict("images/*.png").Succeeded().Lines.Select(line => line.Split(':')[0]));

    [Fact]
    public void Predict_ListOnInput_IsRead()
    {
        using NinProgram shell = NinProgram.Start(
            _root.Path, [], "/bin/sh", ["-c", "printf 'images/red.png\\n\\nimages/blue.png\\n' | \"$0\" predict - --checkpoint \"$1\" --device cpu", NinProgram.Path, _model]);

        Assert.Equal(["images/red.png", "images/blue.png"], shell.WaitForExit().Succeeded().Lines.Select(line => line.Split(':')[0]));
    }

    [Fact]
    public void Predict_Inverted_SeesTheOtherColours()
    {
        // Red becomes cyan, which is green and blue.
        Assert.Equal("images/red.png: green 0.4999, blue 0.4999, red 0.0002\n", Predict("images/red.png", "--invert").Succeeded().Output);
    }

    [Fact]
    public void Predict_MoreThanABatch_KeepsTheOrder()
    {
        string[] names = [.. Enumerable.Range(0, 70).Select(i => i % 3 == 0 ? "images/red.png" : "images/blue.png")];

        string[] lines = Predict([.. names, "--top-k", "1"]).Succeeded().Lines;

        Assert.Equal(names.Select(name => $"{name}: {Path.GetFileNameWithoutExtension(name)} 0.9993"), lines);
    }

    [Fact]
    public void Predict_Json_IsALineForEachImage()
    {
        JsonElement[] lines = Predict("images/red.png", "images/blue.png", "--json", "--top-k", "2").Succeeded().Events;

        Assert.Equal(["images/red.png", "images/blue.png"], lines.Select(line => line.GetProperty("image").GetString()));
        JsonElement[] predictions = [.. lines[1].GetProperty("predictions").EnumerateArray()];
        Assert.Equal(["blue", "red"], predictions.Select(prediction => prediction.GetProperty("class").GetString()));
        Assert.Equal(2, predictions[0].GetProperty("label").GetInt32());
        Assert.Equal(Math.Exp(8) / (Math.Exp(8) + 2), predictions[0].GetProperty("probability").GetDouble(), tolerance: 1e-6);
    }

    [Fact]
    public void Predict_BrokenFiles_AreNamedAndTheOthersGoOn()
    {
        string broken = _root.Write("broken.png", "no image"u8);
        Directory.CreateDirectory(_root.File("empty"));

        ProgramResult result = Predict(broken, "images/red.png", "missing.png", "empty", "*.jpg", "images/blue.png");

        Assert.Equal(1, result.ExitCode);
        Assert.Equal(["images/red.png", "images/blue.png"], result.Lines.Select(line => line.Split(':')[0]));
        string[] errors = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, errors.Length);
        Assert.All(errors.Zip(["broken.png: no PNG", "missing.png", "empty holds no images (.png, ", "*.jpg matches no images"]), pair =>
        {
            Assert.StartsWith("nin: ", pair.First, StringComparison.Ordinal);
            Assert.Contains(pair.Second, pair.First, StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("bf16")]
    [InlineData("fp16")]
    public void Predict_InAnotherPrecision_SaysTheSame(string precision) =>
        Assert.StartsWith("images/red.png: red 0.99", Predict("images/red.png", "--precision", precision).Succeeded().Output, StringComparison.Ordinal);

    [Fact]
    public void Predict_NoModel_Fails() =>
        NinProgram.Run("predict", "x.png", "--checkpoint", _root.File("nothing")).Failed(1, "nothing");

    private ProgramResult Predict(params string[] arguments) =>
        NinProgram.RunIn(_root.Path, [], ["predict", .. arguments, "--checkpoint", _model, "--device", "cpu"]);
}
