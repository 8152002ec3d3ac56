using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>Networks and recipes as JSON files: nin arch, nin recipe, and training with them.</summary>
public sealed class DocumentTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("arch", "seed")]
    [InlineData("arch", "imagenet")]
    [InlineData("recipe", "quick")]
    [InlineData("recipe", "best")]
    public void Show_BuiltIn_IsAFileThatIsValidAndTheSame(string command, string name)
    {
        string shown = NinProgram.Run(command, "show", name).Succeeded().Output, file = Write("own.json", shown);
        NinProgram.Run(command, "validate", file).Succeeded();
        Assert.Equal(shown, NinProgram.Run(command, "show", file).Succeeded().Output);
    }

    [Fact]
    public void Train_OwnNetworkAndRecipe_AreUsed()
    {
        string network = Write("net.json", """
            {
              "name": "small", "input_channels": 1, "classes": 10,
              "layers": [
                { "type": "block", "channels": 4, "kernel": 3, "stride": 2, "padding": 1, "pointwise_channels": [6] },
                { "type": "block", "channels": 8, "kernel": 3, "stride": 1, "padding": 1, "pointwise_channels": [10] },
                { "type": "global_average_pool" }, { "type": "flatten" }
              ]
            }
            """);
        string recipe = Write("recipe.json", """{ "base": "quick", "name": "own", "epochs": 1, "image_size": 16, "schedule": { "type": "cosine" } }""");
        string[] lines = NinProgram.Run(
            "train", "--data", TinyData.Write(_root), "--arch", network, "--recipe", recipe, "--batch", "20", "--warm-up", "0.1", "--device", "cpu", "--json",
            "--output", _root.File("run")).Succeeded().Lines;

        var start = System.Text.Json.JsonElement.Parse(lines[0]);
        Assert.Equal(("small", "own", "warm-up, cosine", 16), (
            start.GetProperty("architecture").GetString(), start.GetProperty("recipe").GetString(), start.GetProperty("schedule").GetString(),
            start.GetProperty("image_size").GetInt32()));
    }

    [Fact]
    public void Validate_LayersThatDoNotFit_NamesTheLayerAndTheShapes() =>
        NinProgram.Run("arch", "validate", "seed", "--resize", "32").Failed(
            2, "seed on 32×32 images: layer 3 (max pool 3×3 stride 2): 3×3 window on 2×2 input with padding 0");

    [Fact]
    public void File_Missing_IsOneLine() => NinProgram.Run("arch", "show", "/no-such-file.json").Failed(2, "/no-such-file.json");

    [Fact]
    public void File_WithAMistake_IsNamedWithIt()
    {
        NinProgram.Run("train", "--recipe", Write("recipe.json", """{ "epoch": 3 }""")).Failed(2, "recipe.json: the recipe is not valid", "epoch");
        NinProgram.Run("train", "--arch", Write("net.json", "{}")).Failed(2, "net.json: the architecture is not valid");
    }

    [Fact]
    public void Network_ForOtherClasses_SaysBoth()
    {
        string file = Write("net.json", NinProgram.Run("arch", "show", "seed", "--classes", "7").Succeeded().Output);
        NinProgram.Run("train", "--data", TinyData.Write(_root), "--arch", file, "--device", "cpu", "--output", _root.File("run"))
            .Failed(2, "the network seed has 7 classes, not 10");
    }

    [Theory]
    [InlineData("arch")]
    [InlineData("recipe")]
    public void Schema_IsTheOneThatIsPublished(string command) => Assert.Equal(
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, $"{command}.schema.json")).TrimEnd(), NinProgram.Run(command, "schema").Succeeded().Output.TrimEnd());

    private string Write(string name, string text) => _root.Write(name, System.Text.Encoding.UTF8.GetBytes(text));
}
