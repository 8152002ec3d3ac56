using System.Text.Json;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

[Trait("Modes", "all")]
public sealed class PrecisionTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("tf32")]
    [InlineData("bf16")]
    [InlineData("fp16")]
    public void Train_Precision_IsUsedAndReported(string precision)
    {
        JsonElement[] events = Train([], precision).Succeeded().Events;
        Assert.Equal(precision, events[0].GetProperty("precision").GetString());
        Assert.Equal(JsonValueKind.Null, events[0].GetProperty("precision_reason").ValueKind);
        JsonElement evaluation = Assert.Single(NinProgram.Run(
            "eval", "--checkpoint", _root.File("run"), "--data", run.Data, "--device", "cpu", "--precision", precision, "--json").Succeeded().Events);
        Assert.Equal(events[^1].GetProperty("test_accuracy").GetDouble(), evaluation.GetProperty("accuracy").GetDouble());
    }

    [Fact]
    public void Train_AutoWhereTheTypeIsRefused_FallsBackAndSaysSo()
    {
        JsonElement start = Train([("NIN_HOST_LESSER", "no-bf16")], "auto").Succeeded().Events[0];
        Assert.Equal("fp32", start.GetProperty("precision").GetString());
        // Either the CPU has no bfloat16 to begin with, or it was tried.
        Assert.Matches("^auto: the CPU (does not multiply bfloat16 itself|has .+, but .+)$", start.GetProperty("precision_reason").GetString());
    }

    [Fact]
    public void Train_TypeThatIsRefused_SaysWhatDoesWithout() =>
        Train([("NIN_HOST_LESSER", "no-bf16")], "bf16").Failed(1, " in BFloat16: the device supports it in no way", "; --precision fp32 does without");

    private ProgramResult Train((string, string?)[] environment, string precision) => NinProgram.RunIn(
        null, environment, "train", "--data", run.Data, "--resize", "72", "--batch", "16", "--epochs", "1", "--device", "cpu", "--json",
        "--precision", precision, "--output", _root.File("run"));
}
