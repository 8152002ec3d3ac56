using System.Text.Json;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>A run that is stopped keeps what it has learnt.</summary>
[Trait("Modes", "all")]
public sealed class InterruptionTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("INT", "\"event\":\"progress\"", "auto")]
    [InlineData("TERM", "\"event\":\"epoch\"", "auto")]
    [InlineData("INT", "\"event\":\"progress\"", "stream")]
    public void Train_Signal_StopsAfterTheStepAndSaves(string signal, string after, string placement)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        string data = TinyData.Write(_root), run = _root.File("run");
        using NinProgram program = NinProgram.Start(
            "train", "--data", data, "--resize", "68", "--batch", "10", "--epochs", "1000000", "--device", "cpu",
            "--data-placement", placement, "--json", "--output", run);
        program.WaitForLine(after);

        program.Signal(signal);
        ProgramResult result = program.WaitForExit();

        Assert.Equal(130, result.ExitCode);
        Assert.Equal("nin: stopping; once more to stop at once\n", result.Errors);
        JsonElement end = result.Events[^1];
        Assert.Equal("end", end.GetProperty("event").GetString());
        Assert.True(end.GetProperty("stopped").GetBoolean());
        Assert.InRange(end.GetProperty("step").GetInt64(), 1, 5_000_000 - 1);
        Assert.Equal(result.Output, File.ReadAllText(Path.Combine(run, "metrics.jsonl")));
        NinProgram.Run("eval", "--checkpoint", run, "--data", data, "--device", "cpu").Succeeded();
    }
}
