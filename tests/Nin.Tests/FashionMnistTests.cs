using System.Text.Json;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>Training learns: the seed network on part of the real data.</summary>
public sealed class FashionMnistTests : IDisposable
{
    // Chance is 0.10. Seeds 0 to 3 gave PLACEHOLDER.
    private const double RequiredAccuracy = 0.35;

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Train_SeedNetworkForAMinute_LearnsFarMoreThanChance()
    {
        string[] arguments =
        [
            "train", "--recipe", "quick", "--data", FashionMnist.Require(), "--resize", "65", "--limit-train", "4000", "--limit-test", "1000",
            "--epochs", "2", "--batch", "16", "--lr", "0.01", "--output-scale", "0.5", "--dropout", "0", "--seed", "0", "--device", "cpu", "--json",
        ];
        JsonElement end = NinProgram.RunIn(null, [("NIN_NUM_THREADS", "2")], [.. arguments, "--out", _root.File("run")]).Succeeded().Events[^1];

        Assert.InRange(end.GetProperty("test_accuracy").GetDouble(), RequiredAccuracy, 1);
        Assert.InRange(end.GetProperty("train_accuracy").GetDouble(), RequiredAccuracy, 1);
    }
}
