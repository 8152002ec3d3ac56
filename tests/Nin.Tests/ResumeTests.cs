using System.Text;
using System.Text.Json;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin train --resume</c> goes on as if the run had never been interrupted, or refuses.</summary>
[Trait("Modes", "all")]
public sealed class ResumeTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();
    private readonly string _data;
    private readonly string[] _arguments;

    public ResumeTests()
    {
        _data = TinyData.Write(_root);
        string network = _root.Write("net.json", Encoding.UTF8.GetBytes(TinyData.SmallNetwork));
        _arguments =
        [
            "train", "--data", _data, "--arch", network, "--recipe", "quick", "--resize", "16", "--batch", "16", "--epochs", "3", "--dropout", "0.2", "--ema", "0.9",
            "--flip", "0.5", "--crop", "2", "--seed", "7", "--device", "cpu", "--no-report", "--checkpoint-every", "1", "--keep", "100",
        ];
    }

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("fp32", 0)]
    [InlineData("fp32", 2)]
    [InlineData("fp32", 4)] // all steps of the first epoch, evaluated
    [InlineData("fp32", 7)]
    [InlineData("bf16", 3)]
    [InlineData("bf16", 11)]
    [InlineData("fp16", 5)]
    [InlineData("fp32", 12)] // the end
    public void Resume_FromAnyCheckpoint_EndsAsTheUninterruptedRun(string precision, int step)
    {
        string whole = Train("whole", "--precision", precision), part = Copy(whole, "part");
        // As a process leaves it that was killed: lines behind the checkpoint, the last one cut off.
        File.AppendAllText(Path.Combine(part, "metrics.jsonl"), "{\"event\":\"epoch\",\"epo");
        File.Delete(Path.Combine(part, "model.safetensors"));

        JsonElement[] events = Resume(Path.Combine(part, $"checkpoints/step-{step:D10}.safetensors"), "--json").Succeeded().Events;

        FinishedRun.AssertEqual(whole, part);
        Assert.Equal((step, 0), (events[0].GetProperty("step").GetInt32(), events[0].GetProperty("changes").GetArrayLength()));
        JsonElement resume = JsonElement.Parse(FinishedRun.Document(part)["resumes"]!.ToJsonString())[0];
        Assert.Equal((step, $"step-{step:D10}.safetensors"), (resume.GetProperty("step").GetInt32(), resume.GetProperty("checkpoint").GetString()));
        Assert.Equal(FinishedRun.Document(whole)["command_line"]!.AsArray().Count, FinishedRun.Document(part)["command_line"]!.AsArray().Count);
        Assert.Equal(Files(whole), Files(part));
    }

    [Theory]
    [InlineData("\"event\":\"progress\"", "INT")]
    [InlineData("\"event\":\"epoch\"", "TERM")]
    public void Resume_AfterASignal_EndsAsTheUninterruptedRun(string after, string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "sends a signal");
        string whole = Train("whole", "--epochs", "60", "--keep", "2"), part = _root.File("part");
        using (NinProgram program = NinProgram.Start([.. Arguments("--epochs", "60", "--keep", "2"), "--json", "--output", part]))
        {
            program.WaitForLine(after);
            program.Signal(signal);
            ProgramResult stopped = program.WaitForExit();
            if (stopped.ExitCode == 0)
                Assert.Skip("the run was over before the signal came");
            Assert.Equal(130, stopped.ExitCode);
            Assert.Equal("stopped", FinishedRun.Document(part)["status"]!.GetValue<string>());
            Assert.Equal(stopped.Events[^1].GetProperty("step").GetInt64(), new CheckpointDirectory(Path.Combine(part, "checkpoints")).LoadNewest()!.Value.Checkpoint.Position.Step);
        }

        ProgramResult result = Resume(part);

        Assert.Contains("resume   behind step", result.Succeeded().Output, StringComparison.Ordinal);
        FinishedRun.AssertEqual(whole, part);
    }

    [Fact]
    public void Resume_FromElsewhereWithOtherPlacementAndThreads_SaysWhatChanged()
    {
        string whole = Train("whole"), part = Copy(whole, "part");
        string relative = Path.GetRelativePath(_root.Path, Path.Combine(part, "checkpoints/step-0000000006.safetensors"));

        ProgramResult result = NinProgram.RunIn(_root.Path, [("NIN_NUM_THREADS", "2")], "train", "--resume", relative, "--data-placement", "stream", "--keep", "2").Succeeded();

        Assert.Contains("changed  --data-placement stream, was auto\n", result.Output, StringComparison.Ordinal);
        Assert.Contains("changed  --keep 2, was 100\n", result.Output, StringComparison.Ordinal);
        Assert.Matches(@"changed  device .* with 2 processors, was .* with 1\n", result.Output);
        Assert.Equal("finished", FinishedRun.Document(part)["status"]!.GetValue<string>());
        Assert.Equal(3, FinishedRun.Metrics(part).Count(line => line.Contains("\"event\":\"epoch\"", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("--learning-rate is 0.5, but the run began with 0.02", "--lr", "0.5")]
    [InlineData("--batch is 8, but the run began with 16", "--batch", "8")]
    [InlineData("--seed is 8, but the run began with 7", "--seed", "8")]
    [InlineData("--precision is bf16, but the run began with fp32", "--precision", "bf16")]
    [InlineData("--epochs is 4, but the run began with 3; a run that goes on must keep it: the schedule one-cycle depends on it", "--epochs", "4")]
    [InlineData("--limit-train is 20, but the run began with none", "--limit-train", "20")]
    [InlineData("--algorithms is heuristic, but the run began with auto", "--algorithms", "heuristic")]
    [InlineData("--deterministic is false, but the run began with true", "--deterministic", "false")]
    [InlineData("--output exclude each other", "--output", "elsewhere")]
    [InlineData("--arch is seed, which differs from small", "--arch", "seed", "--resize", "16")]
    public void Resume_OptionThatChangesTheResult_IsRefused(string message, params string[] arguments)
    {
        string run = Train("run");
        string[] before = Files(run);
        string metrics = File.ReadAllText(Path.Combine(run, "metrics.jsonl"));

        ProgramResult result = Resume(run, arguments);

        if (message.StartsWith("--arch", StringComparison.Ordinal))
            result.Failed(2); // the seed network is too large for such images, which is as good a reason
        else
            result.Failed(2, message);
        Assert.Equal(before, Files(run));
        Assert.Equal(metrics, File.ReadAllText(Path.Combine(run, "metrics.jsonl")));
    }

    [Fact]
    public void Resume_OptionsThatAreAsTheyWere_AreFine()
    {
        string run = Train("run");
        Resume(run, "--lr", "0.02", "--schedule", "one-cycle", "--seed", "7", "--precision", "fp32", "--algorithms", "auto", "--epochs", "3", "--arch", _root.File("net.json"))
            .Succeeded();
    }

    [Fact]
    public void Resume_MoreEpochsAtAConstantRate_GivesWhatTheyWouldHaveGivenAtOnce()
    {
        string whole = Train("whole", "--schedule", "constant", "--epochs", "5"), part = Train("part", "--schedule", "constant", "--epochs", "2");

        ProgramResult result = Resume(part, "--epochs", "5").Succeeded();

        Assert.Contains("changed  --epochs 5, was 2\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model.safetensors")), File.ReadAllBytes(Path.Combine(part, "model.safetensors")));
        Resume(part, "--epochs", "4").Failed(2, "--epochs is 4, but 5 epochs are done");
    }

    [Fact]
    public void Resume_ChangedData_IsRefused()
    {
        string run = Train("run");
        byte[] images = File.ReadAllBytes(Path.Combine(_data, "train-images-idx3-ubyte"));
        images[100] ^= 1;
        File.WriteAllBytes(Path.Combine(_data, "train-images-idx3-ubyte"), images);

        Resume(run).Failed(1, "the training images are not those that the run began with");
    }

    [Fact]
    public void Resume_SettingsOfNow_DoNotCount()
    {
        string run = Train("run");
        NinProgram.RunIn(null, [("NIN_TRAIN_EPOCHS", "9"), ("NIN_DEVICE", "cuda")], "train", "--resume", run).Succeeded();
    }

    [Fact]
    public void Resume_NothingThere_SaysWhat()
    {
        Resume(_root.File("nowhere")).Failed(1, _root.File("nowhere"));
        Resume(_data).Failed(1, $"there is no checkpoint in {_data}/checkpoints");
        string run = Train("run"), moved = _root.File("moved.safetensors");
        File.Move(Path.Combine(run, "checkpoints/step-0000000006.safetensors"), moved);
        Resume(moved).Failed(1, $"{moved} is not in the checkpoints of a run's directory");
        Resume(Path.Combine(run, "model.safetensors")).Failed(1, "it is no checkpoint");
    }

    [Fact]
    public void Resume_DamagedCheckpoints_ArePassedOverOrNamed()
    {
        string whole = Train("whole"), part = Copy(whole, "part");
        string[] files = [.. new CheckpointDirectory(Path.Combine(part, "checkpoints")).Files];
        File.WriteAllBytes(files[0], File.ReadAllBytes(files[0])[..^1]);

        ProgramResult result = Resume(part).Succeeded();

        Assert.Contains("changed  an older checkpoint, since", result.Output, StringComparison.Ordinal);
        FinishedRun.AssertEqual(whole, part);
        foreach (string file in new CheckpointDirectory(Path.Combine(part, "checkpoints")).Files)
            File.WriteAllBytes(file, [1, 2, 3]);
        Resume(part).Failed(1, $"no checkpoint of {part} can be read", "3 bytes, too short");
    }

    [Fact]
    public void Resume_WhileTheRunGoes_IsRefused()
    {
        string run = _root.File("run");
        using NinProgram program = NinProgram.Start([.. Arguments("--epochs", "1000000", "--keep", "1"), "--json", "--output", run]);
        program.WaitForLine("\"event\":\"epoch\"");

        Resume(run).Failed(1, $"{run} is in use: another process trains there");

        program.Signal("INT");
        Assert.Equal(130, program.WaitForExit().ExitCode);
    }

    [Fact]
    public void Resume_BehindTheLastEvaluation_WritesTheReportToo()
    {
        string run = Train("run");
        Resume(run, "--no-report=false").Succeeded();

        string page = File.ReadAllText(Path.Combine(run, "report.html"));
        Assert.Equal(TinyData.TestCount, System.Text.RegularExpressions.Regex.Matches(page, """<td class="(right|wrong)" style="--share:[01](?:\.\d+)?">(\d+)</td>""")
            .Sum(cell => int.Parse(cell.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Checkpoint_IsAModelToo()
    {
        string run = Train("run"), checkpoint = Path.Combine(run, "checkpoints/step-0000000012.safetensors");
        string[] Eval(string path) => [.. NinProgram.Run("eval", "--checkpoint", path, "--data", _data, "--device", "cpu").Succeeded().Lines.Skip(1)];

        Assert.Equal(Eval(run), Eval(checkpoint));
        Assert.Equal(
            ModelFile.Load(Path.Combine(run, "model.safetensors")).Parameters.Select(entry => (entry.Key, entry.Value.Length)),
            ModelFile.Load(checkpoint).Parameters.Select(entry => (entry.Key, entry.Value.Length)));
        File.Delete(Path.Combine(run, "model.safetensors"));
        NinProgram.Run("eval", "--checkpoint", run, "--data", _data, "--device", "cpu").Failed(1, $"nin train --resume {run}", checkpoint);
    }

    [Fact]
    public void Keep_None_WritesNoCheckpoints()
    {
        string run = _root.File("run");
        NinProgram.Run([.. _arguments[..^4], "--keep", "0", "--output", run]).Succeeded();
        Assert.Equal(["metrics.jsonl", "model.safetensors", "run.json"], Files(run));
        NinProgram.Run([.. _arguments[..^2], "--keep", "0"]).Failed(2, "--checkpoint-every and --keep 0");
    }

    /// <summary>The usual options with others in their place.</summary>
    private string[] Arguments(params string[] others)
    {
        string[] names = [.. others.Where(word => word.StartsWith("--", StringComparison.Ordinal))];
        return [.. _arguments.Where((word, i) => !names.Contains(word) && (i == 0 || !names.Contains(_arguments[i - 1]))), .. others];
    }

    private string Train(string name, params string[] others)
    {
        NinProgram.Run([.. Arguments(others), "--output", _root.File(name)]).Succeeded();
        return _root.File(name);
    }

    private static ProgramResult Resume(string path, params string[] arguments) => NinProgram.Run(["train", "--resume", path, .. arguments]);

    private string Copy(string run, string name)
    {
        foreach (string file in Directory.GetFiles(run, "*", SearchOption.AllDirectories))
            _root.Write(Path.Combine(name, Path.GetRelativePath(run, file)), File.ReadAllBytes(file));
        return _root.File(name);
    }

    private static string[] Files(string run) =>
        [.. Directory.GetFiles(run, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(run, file)).Order(StringComparer.Ordinal)];
}
