using System.Text.Json;
using System.Text.RegularExpressions;
using NinCudnn.Formats;
using NinCudnn.Networks;
using NinCudnn.Numerics;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>What <c>nin train</c> writes, to standard output and into the run's directory.</summary>
[Trait("Modes", "all")]
public sealed class TrainTests(TrainedRun run) : IClassFixture<TrainedRun>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void RunDirectory_AfterTraining_HoldsModelMetricsAndReport() => Assert.Equal(
        ["checkpoints", "curves.png", "metrics.jsonl", "model.safetensors", "report.html", "run.json"], Directory.GetFileSystemEntries(run.Path).Select(Path.GetFileName).Order());

    [Fact]
    public void Metrics_OfARun_AreItsJsonEvents() =>
        Assert.Equal(run.Result.Output, File.ReadAllText(Path.Combine(run.Path, "metrics.jsonl")));

    [Fact]
    public void Events_OfARun_ComeInOrder()
    {
        // An epoch is 50 images in batches of 16: four steps, the last one of two images.
        string[] epoch = ["progress", "progress", "progress", "progress", "epoch"];
        Assert.Equal(["start", .. epoch, .. epoch, "end"], run.Result.Events.Select(e => e.GetProperty("event").GetString()));
        Assert.Equal([1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 8], run.Result.Events[1..].Select(e => e.GetProperty("step").GetInt32()));
        JsonElement start = run.Result.Events[0], end = run.Result.Events[^1];
        Assert.Equal((TinyData.TrainCount, TinyData.TestCount, 4, 1_992_166), (
            start.GetProperty("train_samples").GetInt32(), start.GetProperty("test_samples").GetInt32(),
            start.GetProperty("steps_per_epoch").GetInt32(), start.GetProperty("parameters").GetInt32()));
        Assert.Equal(("cpu", 7UL), (start.GetProperty("provider").GetString(), start.GetProperty("seed").GetUInt64()));
        Assert.False(end.GetProperty("stopped").GetBoolean());
        string[] same = ["epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy"];
        Assert.All(same, name => Assert.Equal(run.LastEpoch.GetProperty(name).GetRawText(), end.GetProperty(name).GetRawText()));
    }

    [Theory]
    [InlineData("--batch", "16")] // the training's own: the same sums in the same order
    [InlineData("--batch", "20")]
    public void Eval_OfTheSavedModel_GivesTheLastEpochsAccuracy(string option, string value)
    {
        string[] arguments = ["eval", "--checkpoint", run.Path, "--data", run.Data, "--device", "cpu", "--json", option, value];
        JsonElement result = Assert.Single(NinProgram.Run(arguments).Succeeded().Events);

        Assert.Equal(run.LastEpoch.GetProperty("test_accuracy").GetDouble(), result.GetProperty("accuracy").GetDouble());
        Assert.Equal(TinyData.TestCount, result.GetProperty("samples").GetInt32());
        if (value == "16")
            Assert.Equal(run.LastEpoch.GetProperty("test_loss").GetDouble(), result.GetProperty("loss").GetDouble());
    }

    [Fact]
    public void Options_ThatNoRecipeUses_AreReportedAndTheAverageIsSaved()
    {
        string[] options = ["--label-smoothing", "0.1", "--clip-norm", "0.5", "--ema", "0.9", "--flip", "0.25", "--crop", "2", "--erase", "0.5"];
        JsonElement[] events = NinProgram.Run([.. TinyData.TrainArguments(run.Data), .. options, "--json", "--output", _root.File("run")]).Succeeded().Events;

        Dictionary<string, double> expected = new()
        {
            ["label_smoothing"] = 0.1,
            ["clip_norm"] = 0.5,
            ["ema_decay"] = 0.9,
            ["horizontal_flip"] = 0.25,
            ["crop_padding"] = 2,
            ["erasing_probability"] = 0.5,
        };
        Assert.All(expected, field => Assert.Equal(field.Value, events[0].GetProperty(field.Key).GetDouble()));
        string[] evaluation = ["eval", "--checkpoint", _root.File("run"), "--data", run.Data, "--device", "cpu", "--json", "--batch", "16"];
        JsonElement result = Assert.Single(NinProgram.Run(evaluation).Succeeded().Events);
        Assert.Equal(events[^1].GetProperty("test_loss").GetDouble(), result.GetProperty("loss").GetDouble());
        Assert.NotEqual(run.LastEpoch.GetProperty("test_loss").GetDouble(), result.GetProperty("loss").GetDouble());
    }

    [Fact]
    public void Eval_WithLimit_MeasuresSoManyImages()
    {
        ProgramResult result = NinProgram.Run("eval", "--checkpoint", run.ModelPath, "--data", run.Data, "--device", "cpu", "--limit-test", "3");

        Assert.Matches(@"^test loss \d\.\d{4}, test accuracy \d\.\d{4} on 3 images of fashion-mnist \(\d+(\.\d)? samples/s on .+\)\n\n", result.Succeeded().Output);
    }

    [Fact]
    public void Model_OfTheSeedNetwork_HasPyTorchsTensors()
    {
        // Read here byte by byte: a length of eight bytes, then the header as JSON.
        byte[] file = File.ReadAllBytes(run.ModelPath);
        using JsonDocument header = JsonDocument.Parse(file.AsMemory(8, checked((int)BitConverter.ToUInt64(file, 0))));
        string[] tensors = [.. header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__").Select(entry =>
            $"{entry.Name} {entry.Value.GetProperty("dtype")} {entry.Value.GetProperty("shape").GetRawText()}")];

        Assert.Equal(
            new[]
            {
                "0.0.weight F32 [96,1,11,11]", "0.0.bias F32 [96]", "0.2.weight F32 [96,96,1,1]", "0.2.bias F32 [96]",
                "0.4.weight F32 [96,96,1,1]", "0.4.bias F32 [96]",
                "2.0.weight F32 [256,96,5,5]", "2.0.bias F32 [256]", "2.2.weight F32 [256,256,1,1]", "2.2.bias F32 [256]",
                "2.4.weight F32 [256,256,1,1]", "2.4.bias F32 [256]",
                "4.0.weight F32 [384,256,3,3]", "4.0.bias F32 [384]", "4.2.weight F32 [384,384,1,1]", "4.2.bias F32 [384]",
                "4.4.weight F32 [384,384,1,1]", "4.4.bias F32 [384]",
                "7.0.weight F32 [10,384,3,3]", "7.0.bias F32 [10]", "7.2.weight F32 [10,10,1,1]", "7.2.bias F32 [10]",
                "7.4.weight F32 [10,10,1,1]", "7.4.bias F32 [10]",
            }.Order(),
            tensors.Order());
    }

    [Fact]
    public void Model_TrainedAtRateZero_HoldsTheFirstWeightsInPyTorchsOrder()
    {
        string[] arguments = ["train", "--data", run.Data, "--resize", "68", "--epochs", "1", "--lr", "0", "--seed", "3", "--device", "cpu"];
        NinProgram.Run([.. arguments, "--output", _root.File("run")]).Succeeded();

        using SafetensorsFile file = SafetensorsFile.Open(_root.File("run/model.safetensors"));
        foreach (Parameter parameter in Parameter.Enumerate(Architecture.Seed()).Where(parameter => parameter.IsWeight))
        {
            // They are defined in the order (K, C, R, S); the device has another.
            var expected = new float[parameter.Count];
            ParameterRandom.FillUniform(parameter.Name, Math.Sqrt(6.0 / (parameter.FanIn + parameter.FanOut)), expected, 3);
            Assert.Equal(expected, file.ReadSingles(parameter.Name));
        }
    }

    [Fact]
    public void Output_ToAPipe_IsPlainLines()
    {
        ProgramResult result = NinProgram.Run([.. TinyData.TrainArguments(run.Data), "--output", _root.File("run")]).Succeeded();

        const string Loss = @"loss \d\.\d{4}", Share = @"[01]\.\d{4}", Rate = @"\d+(\.\d)? samples/s";
        string[] patterns =
        [
            @"device   .+ \(cpu was requested\)",
            @"network  seed, 1,992,166 parameters, 68×68 input, [\d.]+ MiB for tensors",
            "compute  fp32",
            @"data     fashion-mnist: 50 training and 20 test images",
            @"recipe   seed: 2 epochs of 4 steps, batch 16, learning rate 0\.1, momentum 0, seed 0",
            .. Epoch(1),
            .. Epoch(2),
            $"{Loss}, train acc {Share}, test acc {Share}",
            $@"{Rate} on .+, \d+s in all",
            "never predicted: .+", // fifty images of noise teach little
            $"files in {Regex.Escape(_root.File("run"))}",
        ];
        Assert.Equal(patterns.Length, result.Lines.Length);
        Assert.All(patterns.Zip(result.Lines), pair => Assert.Matches($"^{pair.First}$", pair.Second));

        static IEnumerable<string> Epoch(int epoch) =>
        [
            .. Enumerable.Range(1, 4).Select(step => $"epoch {epoch}/2, step {step}/4: {Loss}, acc {Share}, {Rate}, \\d+s left"),
            $"epoch {epoch}/2: {Loss}, train acc {Share}, test acc {Share}, {Rate}",
        ];
    }

    [Fact]
    public void Output_ToAPipeThatCloses_DoesNotStopTheRun()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "uses a shell");
        string command = $"\"$0\" \"$@\" --output '{_root.File("run")}' | head -n 1";
        using NinProgram shell = NinProgram.Start(null, [], "/bin/sh", ["-c", command, NinProgram.Path, .. TinyData.TrainArguments(run.Data)]);
        shell.WaitForExit().Succeeded();

        Assert.True(File.Exists(_root.File("run/model.safetensors")));
    }

    [Fact]
    public void Train_WithoutPaths_FindsDataAndMakesARunHere()
    {
        TinyData.Write(_root, "data/fashion-mnist");
        string[] arguments = ["train", "--resize", "68", "--epochs", "1", "--device", "cpu"];
        NinProgram.RunIn(_root.Path, [], arguments).Succeeded();
        NinProgram.RunIn(_root.Path, [], arguments).Succeeded();

        string[] runs = Directory.GetDirectories(_root.File("runs"));
        Assert.Equal(2, runs.Length);
        Assert.All(runs, path => Assert.Matches(@"^\d{8}-\d{6}-seed(-2)?$", Path.GetFileName(path)));
        Assert.All(runs, path => Assert.True(File.Exists(Path.Combine(path, "model.safetensors"))));
    }

    [Fact]
    public void Train_BatchLargerThanTheData_IsOneStep()
    {
        string[] arguments = ["train", "--data", run.Data, "--resize", "68", "--epochs", "1", "--batch", "2147483647", "--device", "cpu", "--json"];
        ProgramResult result = NinProgram.Run([.. arguments, "--output", _root.File("run")]).Succeeded();

        Assert.Equal(1, result.Events[0].GetProperty("steps_per_epoch").GetInt32());
        Assert.Equal(1, result.Events[^1].GetProperty("step").GetInt32());
    }

    [Fact]
    public void Train_WithEveryRecipeOption_RecordsThem()
    {
        string[] arguments =
        [
            "train", "--data", run.Data, "--recipe", "quick", "--arch", "cifar", "--resize", "32", "--epochs", "1", "--batch", "25", "--lr", "0.003",
            "--schedule", "constant", "--momentum", "0.5", "--nesterov", "--weight-decay", "0.0001", "--init", "xavier", "--output-scale", "0.25", "--output-bias", "0.75",
            "--normalize", "false", "--dropout", "0.1", "--seed", "18446744073709551615", "--limit-train", "30", "--limit-test", "5", "--device", "cpu", "--json",
        ];
        JsonElement start = NinProgram.Run([.. arguments, "--output", _root.File("run")]).Succeeded().Events[0];

        Assert.Equal(
            """
            quick cifar 32 25 1 0.003 constant 0.5 true 0.0001 xavier 0.25 0.75 false 0.1 18446744073709551615 30 5 2
            """,
            string.Join(' ', new[]
            {
                "recipe", "architecture", "image_size", "batch_size", "epochs", "learning_rate", "schedule", "momentum", "nesterov", "weight_decay",
                "initialization", "output_scale", "output_bias", "normalize_input", "dropout_rate", "seed", "train_samples", "test_samples",
                "steps_per_epoch",
            }.Select(name => start.GetProperty(name).GetRawText().Trim('"'))));
    }
}
