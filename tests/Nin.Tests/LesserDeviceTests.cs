using System.Text.Json;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>
/// Devices that lack something (NIN_HOST_LESSER, docs/host-provider.md): the program does without it, or says in one line what it is.
/// </summary>
[Trait("Modes", "all")]
public sealed class LesserDeviceTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("no-nhwc-f32")]
    [InlineData("no-nhwc-f16,no-nhwc-bf16")]
    [InlineData("no-f16,no-bf16")]
    [InlineData("no-lt-epilogue")]
    [InlineData("no-nhwc-f32,no-lt-epilogue")]
    [InlineData("cudnn8")]
    [InlineData("cudnn8,driver=11040")]
    [InlineData("driver=12080")]
    [InlineData("cuda13")]
    public void Doctor_WhatTheDeviceLacks_IsNoFailure(string lacking)
    {
        ProgramResult result = NinProgram.RunIn(null, [("NIN_HOST_LESSER", lacking)], "doctor", "--device", "cpu", "--json");
        using JsonDocument report = JsonDocument.Parse(result.Output);
        JsonElement[] checks = [.. report.RootElement.GetProperty("checks").EnumerateArray()];

        Assert.All(checks, check => Assert.True(check.GetProperty("status").GetString() != "failed", check.ToString()));
        Assert.Equal(0, result.ExitCode);
        string[] mustWork = ["capture and replay", "training"];
        Assert.All(mustWork, name => Assert.Equal("passed", checks.Single(check => check.GetProperty("name").GetString() == name).GetProperty("status").GetString()));
    }

    [Theory]
    [InlineData("no-nhwc-f32")]
    [InlineData("no-lt-epilogue")]
    [InlineData("cudnn8")]
    [InlineData("cuda13")]
    public void Train_OnALesserDevice_GivesTheSameNumbers(string lacking)
    {
        string[] arguments = ["train", "--data", run.Data, "--resize", "72", "--batch", "16", "--epochs", "1", "--device", "cpu", "--json"];
        double[] whole = Losses([]), lesser = Losses([("NIN_HOST_LESSER", lacking)]);

        Assert.NotEmpty(whole);
        // Sums of float32 in another order: a few units in the last place per step, far below 1e-4 of the loss in so few steps.
        Assert.Equal(whole.Length, lesser.Length);
        Assert.All(whole.Zip(lesser), pair => Assert.Equal(pair.First, pair.Second, 1e-4 * Math.Abs(pair.First)));

        double[] Losses((string, string?)[] environment) =>
        [
            .. NinProgram.RunIn(null, environment, [.. arguments, "--output", _root.File($"run{Guid.NewGuid():N}")]).Succeeded().Events
                .Where(e => e.GetProperty("event").GetString() == "progress").Select(e => e.GetProperty("train_loss").GetDouble()),
        ];
    }

    [Fact]
    public void Train_OnlyAlgorithmsThatDoNotRepeat_NeedsToBeAsked()
    {
        string[] arguments = ["train", "--data", run.Data, "--resize", "72", "--batch", "16", "--epochs", "1", "--device", "cpu"];
        (string, string?)[] environment = [("NIN_HOST_LESSER", "only-algo0")];

        NinProgram.RunIn(null, environment, [.. arguments, "--output", _root.File("refused")]).Failed(
            1, "the device supports it in no way", "algorithms that don't repeat bit for bit were not admitted");
        Assert.False(Directory.Exists(_root.File("refused")));
        NinProgram.RunIn(null, environment, [.. arguments, "--deterministic", "false", "--output", _root.File("run")]).Succeeded();
    }

    [Fact]
    public void Train_TooLittleWorkspace_NamesTheOperatorAndTheLimit()
    {
        string[] arguments = ["train", "--data", run.Data, "--resize", "72", "--batch", "16", "--epochs", "1", "--device", "cpu", "--output", _root.File("refused")];
        NinProgram.Run([.. arguments, "--workspace-limit", "1K"]).Failed(1, " of convolution 16×", "bytes of workspace, the limit is 1024", "a higher workspace limit would help");
    }

    [Fact]
    public void Device_UnknownWord_IsRefused() =>
        Assert.NotEqual(0, NinProgram.RunIn(null, [("NIN_HOST_LESSER", "no-hope")], "doctor", "--device", "cpu").ExitCode);
}
