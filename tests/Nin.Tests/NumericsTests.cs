using System.Text;
using System.Text.Json;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary>Runs whose numbers go wrong: infinities, NaN, and networks that die.</summary>
[Trait("Modes", "all")]
public sealed class NumericsTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();
    private readonly string[] _arguments;
    private readonly string _run;

    public NumericsTests()
    {
        string network = _root.Write("net.json", Encoding.UTF8.GetBytes(TinyData.SmallNetwork));
        _arguments =
        [
            "train", "--data", TinyData.Write(_root), "--arch", network, "--recipe", "quick", "--schedule", "constant", "--resize", "16", "--batch", "16",
            "--device", "cpu", "--no-report",
        ];
        _run = _root.File("run");
    }

    public void Dispose() => _root.Dispose();

    /// <summary>The first step makes the parameters so large that the second overflows.</summary>
    [Fact]
    public void Train_RateTooHigh_StopsNamesTheStepAndWritesNothing()
    {
        ProgramResult result = Train("--lr", "1e30", "--epochs", "2", "--checkpoint-every", "1");

        string checkpoint = Path.Combine(_run, "checkpoints/step-0000000001.safetensors");
        result.Failed(
            1, "nin: step 2 (epoch 1): ", "forward: ", " of ", "; the last checkpoint is " + checkpoint, $"nin train --resume {_run} --on-nonfinite skip",
            "in a new run a lower --lr or --clip-norm");
        Assert.Equal(1, TrainingCheckpoint.Load(new CheckpointDirectory(Path.Combine(_run, "checkpoints")).Files[0]).Position.Step);
        Assert.False(File.Exists(Path.Combine(_run, "model.safetensors")));
        Assert.Equal("failed", FinishedRun.Document(_run)["status"]!.GetValue<string>());
        string failure = FinishedRun.Document(_run)["failure"]!.GetValue<string>();

        // The same again, looking at every operator.
        NinProgram.Run("train", "--resume", _run, "--debug-numerics").Failed(1, $"nin: {failure}");
    }

    [Fact]
    public void Train_Skipping_CountsAndEndsAfterAHundred()
    {
        ProgramResult result = Train("--lr", "1e30", "--epochs", "100", "--on-nonfinite", "skip", "--json");
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("loss or gradients of step 2 (epoch 1) and of the 9", result.Errors, StringComparison.Ordinal);
        Assert.Contains("--debug-numerics finds the operator", result.Errors, StringComparison.Ordinal);
        long[] skipped = [.. result.Events.Where(e => e.GetProperty("event").GetString() == "progress").Select(e => e.GetProperty("skipped_steps").GetInt64())];
        Assert.Equal([0, 1, 2, 3], skipped[..4]);
    }

    [Fact]
    public void Train_DeadNetwork_IsSaidAndRecorded()
    {
        ProgramResult result = Train("--output-scale", "0", "--epochs", "20").Succeeded();

        string line = Assert.Single(result.Lines, line => line.Contains("is dead:", StringComparison.Ordinal));
        Assert.StartsWith("epoch 13, step 50: the network is dead: since step 1 the loss is ln(10) = 2.3026 for every image, and no gradient is left; try another --seed (this was 0)", line, StringComparison.Ordinal);
        Assert.True(FinishedRun.Document(_run)["end"]!["dead"]!.GetValue<bool>());
        JsonElement death = Assert.Single(Events("dead"));
        Assert.Equal((0, 13, 50, 1), (death.GetProperty("seed").GetInt32(), death.GetProperty("epoch").GetInt32(), death.GetProperty("step").GetInt32(), death.GetProperty("since").GetInt32()));
    }

    [Fact]
    public void Train_ThatLearns_IsNotCalledDead()
    {
        Train("--epochs", "20").Succeeded();
        Assert.Empty(Events("dead"));
        Assert.False(FinishedRun.Document(_run)["end"]!["dead"]!.GetValue<bool>());
    }

    [Fact]
    public void Restart_EverySeedDies_GoesOnWithTheLast()
    {
        ProgramResult result = Train("--output-scale", "0", "--epochs", "20", "--seed", "3", "--restart-on-dead", "2", "--checkpoint-every", "7").Succeeded();

        Assert.Contains("the run begins again with seed 4", result.Output, StringComparison.Ordinal);
        Assert.Contains("the run begins again with seed 5", result.Output, StringComparison.Ordinal);
        Assert.Contains("try another --seed (this was 5)", result.Output, StringComparison.Ordinal);
        JsonElement run = JsonElement.Parse(FinishedRun.Document(_run).ToJsonString());
        Assert.Equal([(3, 50), (4, 50)], run.GetProperty("deaths").EnumerateArray().Select(death => (death.GetProperty("seed").GetInt32(), death.GetProperty("step").GetInt32())));
        Assert.Equal((5, 80), (run.GetProperty("start").GetProperty("seed").GetInt32(), run.GetProperty("end").GetProperty("step").GetInt32()));
        Assert.Equal([3, 4, 5], Events("dead").Select(death => death.GetProperty("seed").GetInt32()));
        Assert.Single(Events("start"));
        Assert.Equal(20, Events("epoch").Length);
        Assert.All(new CheckpointDirectory(Path.Combine(_run, "checkpoints")).Files, path => Assert.Equal(5ul, TrainingCheckpoint.Load(path).Seed));
    }

    /// <summary>What comes out is the last seed's run, and a run that was killed in it goes on there.</summary>
    [Fact]
    public void Restart_Resumed_EndsAsTheUninterruptedRun()
    {
        string[] options = ["--output-scale", "0", "--epochs", "20", "--restart-on-dead", "1", "--checkpoint-every", "5", "--keep", "100"];
        Train(options).Succeeded();
        string part = _root.File("part");
        foreach (string file in Directory.GetFiles(_run, "*", SearchOption.AllDirectories))
        {
            string copy = Path.Combine(part, Path.GetRelativePath(_run, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        NinProgram.Run("train", "--resume", Path.Combine(part, "checkpoints/step-0000000030.safetensors")).Succeeded();

        FinishedRun.AssertEqual(_run, part);
        Assert.Equal(FinishedRun.Document(_run)["deaths"]!.ToJsonString(), FinishedRun.Document(part)["deaths"]!.ToJsonString());
        NinProgram.Run([.. _arguments, .. options[..4], "--seed", "1", "--output", _root.File("alone")]).Succeeded();
        Assert.Equal(File.ReadAllBytes(Path.Combine(_root.File("alone"), "model.safetensors")), File.ReadAllBytes(Path.Combine(_run, "model.safetensors")));
    }

    /// <summary>So goes on, too, what is killed between a death and the next attempt's first checkpoint.</summary>
    [Fact]
    public void Restart_OfARunThatHasDied_BeginsAtOnce()
    {
        string[] options = ["--output-scale", "0", "--epochs", "20"];
        Train(options).Succeeded();

        ProgramResult result = NinProgram.Run("train", "--resume", _run, "--restart-on-dead", "1").Succeeded();

        Assert.Contains("the run begins again with seed 1", result.Lines[0], StringComparison.Ordinal);
        JsonElement run = JsonElement.Parse(FinishedRun.Document(_run).ToJsonString());
        Assert.Equal((0, 50), (run.GetProperty("deaths")[0].GetProperty("seed").GetInt32(), run.GetProperty("deaths")[0].GetProperty("step").GetInt32()));
        Assert.Equal(1, run.GetProperty("start").GetProperty("seed").GetInt32());
        Assert.Contains("--no-report", run.GetProperty("command_line").EnumerateArray().Select(word => word.GetString())); // the first command's
        Assert.Equal([0, 1], Events("dead").Select(death => death.GetProperty("seed").GetInt32()));
        NinProgram.Run([.. _arguments, .. options, "--seed", "1", "--output", _root.File("alone")]).Succeeded();
        Assert.Equal(File.ReadAllBytes(Path.Combine(_root.File("alone"), "model.safetensors")), File.ReadAllBytes(Path.Combine(_run, "model.safetensors")));
    }

    /// <summary>The next attempt can't even begin, since the device refuses it a stream.</summary>
    [Fact]
    public void Restart_ThatFailsAtOnce_IsRecorded()
    {
        string[] options = ["--output-scale", "0", "--epochs", "20", "--restart-on-dead", "1"];
        ProgramResult traced = NinProgram.RunIn(null, [("NIN_HOST_TRACE", "1")], [.. _arguments, .. options, "--output", _root.File("traced")]);
        int streams = traced.Errors.Split('\n').Count(call => call.Contains("cuStreamCreate", StringComparison.Ordinal));

        ProgramResult result = NinProgram.RunIn(null, [("NIN_HOST_FAIL", $"cuStreamCreate:{streams}:2")], [.. _arguments, .. options, "--output", _run]);

        Assert.Contains("the run begins again with seed 1", result.Output, StringComparison.Ordinal);
        result.Failed(1, "cuStreamCreate");
        Assert.Equal("failed", FinishedRun.Document(_run)["status"]!.GetValue<string>());
        Assert.Contains("cuStreamCreate", FinishedRun.Document(_run)["failure"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.Single(Events("dead"));
    }

    private ProgramResult Train(params string[] options) => NinProgram.Run([.. _arguments, .. options, "--output", _run]);

    private JsonElement[] Events(string name) =>
        [.. File.ReadLines(Path.Combine(_run, "metrics.jsonl")).Select(line => JsonElement.Parse(line)).Where(e => e.GetProperty("event").GetString() == name)];
}
