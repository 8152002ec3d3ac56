using System.Text.Json;
using NinCudnn.Tests;
using Xunit;

namespace Nin.Tests;

/// <summary>15 MiB of training and 6 MiB of test images, which a small device has no room for.</summary>
public sealed class LargeImages : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public LargeImages()
    {
        Data = TinyData.Write(_root, imageSize: 560);
        Run = _root.File("run");
        Resident = NinProgram.Run([.. Arguments, "--json", "--data-placement", "resident", "--output", Run]).Succeeded();
    }

    public string Data { get; }

    /// <summary>The directory of a run with all images on the device.</summary>
    public string Run { get; }

    internal ProgramResult Resident { get; }

    /// <summary>One epoch of 13 steps. Parameters take 23 MiB, the tensors of a step 9 MiB.</summary>
    internal string[] Arguments => ArgumentsWith(batch: "4");

    internal string[] ArgumentsWith(string batch) =>
        ["train", "--data", Data, "--resize", "68", "--batch", batch, "--epochs", "1", "--no-report", "--device", "cpu"];

    public void Dispose() => _root.Dispose();
}

/// <summary>Images stream where the device has no room for them, or where that is asked for, and no result changes.</summary>
[Trait("Modes", "all")]
public sealed class DataPlacementTests(LargeImages images) : IClassFixture<LargeImages>, IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Theory]
    [InlineData("100M", "resident", "resident")]
    [InlineData("50M", "stream", "resident")]
    [InlineData("40M", "stream", "stream")]
    public void Train_LittleDeviceMemory_StreamsWithTheSameResults(string memory, string train, string test)
    {
        JsonElement[] events = RunOn(memory, [.. images.Arguments, "--json", "--output", _root.File("run")]).Succeeded().Events;

        Assert.Equal((train, test), (Text(events[0], "train_placement"), Text(events[0], "test_placement")));
        string? reason = Text(events[0], "placement_reason");
        if (train == "resident")
            Assert.Null(reason);
        else
            Assert.Matches(@"^20\.9 MiB of data and [\d.]+ MiB of tensors do not fit into the [\d.]+ MiB of device memory that can be used$", reason);
        Assert.Equal(Results(images.Resident.Events), Results(events));
        JsonElement document = JsonElement.Parse(File.ReadAllText(_root.File("run/run.json")));
        Assert.Equal("auto", Text(document.GetProperty("execution"), "data_placement"));
        Assert.Equal(train, Text(document.GetProperty("start"), "train_placement"));
    }

    [Fact]
    public void Train_StreamAskedFor_GivesTheSameResults()
    {
        JsonElement[] events = NinProgram.Run([.. images.Arguments, "--json", "--data-placement", "stream", "--output", _root.File("run")]).Succeeded().Events;

        Assert.Equal(("stream", "stream", null), (Text(events[0], "train_placement"), Text(events[0], "test_placement"), Text(events[0], "placement_reason")));
        Assert.Equal(Results(images.Resident.Events), Results(events));
        Assert.Equal(("resident", "resident"), (Text(images.Resident.Events[0], "train_placement"), Text(images.Resident.Events[0], "test_placement")));
    }

    [Fact]
    public void Output_ForPeople_SaysThatImagesStreamAndWhy()
    {
        string[] why = RunOn("50M", [.. images.Arguments, "--output", _root.File("run")]).Succeeded().Lines;
        string[] asked = NinProgram.Run([.. images.Arguments, "--data-placement", "stream", "--output", _root.File("asked")]).Succeeded().Lines;

        Assert.Matches(@"^stream   training images from host memory, since 20\.9 MiB of data and .* of device memory that can be used$", why[4]);
        Assert.Equal("stream   training and test images from host memory, as asked for", asked[4]);
    }

    [Fact]
    public void Train_ResidentAskedForWithoutRoom_SaysWhatNeedsLess()
    {
        string[] more = ["--data-placement", "resident", "--output", _root.File("run")];
        RunOn("35M", [.. images.Arguments, .. more]).Failed(1, "15.0 MiB of device memory are needed", "images that stream from host memory need less");
        RunOn("35M", [.. images.ArgumentsWith(batch: "auto"), .. more]).Failed(1, " of device memory are needed", "images that stream from host memory need less");
    }

    [Fact]
    public void Train_NoRoomForTheNetwork_SaysWhatNeedsLess() =>
        RunOn("36M", [.. images.ArgumentsWith(batch: "16"), "--output", _root.File("run")]).Failed(
            1, "of 36.0 MiB are free", "MiB are missing; a smaller batch or image needs less; a batch of ", " would fit\n");

    [Fact]
    public void Train_NoRoomForASingleImage_SaysSo() =>
        RunOn("26M", [.. images.Arguments, "--output", _root.File("run")]).Failed(1, "; not even a batch of 1 would fit\n");

    [Theory]
    [InlineData("80M", "resident")]
    [InlineData("56M", "stream")] // makes room for a batch at least twice as large
    public void Train_BatchAuto_StreamsForAMuchLargerBatch(string memory, string expected)
    {
        JsonElement automatic = BatchAuto(memory, "auto");
        int largest = automatic.GetProperty("batch_size").GetInt32(), resident = BatchAuto(memory, "resident").GetProperty("batch_size").GetInt32();

        Assert.Equal(expected, Text(automatic, "train_placement"));
        Assert.InRange(resident, 1, TinyData.TrainCount);
        Assert.InRange(largest, expected == "resident" ? resident : 2 * resident, expected == "resident" ? resident : TinyData.TrainCount);
    }

    [Fact]
    public void Train_BatchAutoWithoutRoomForTheImages_Streams() => Assert.Equal("stream", Text(BatchAuto("45M", "auto"), "train_placement"));

    [Fact]
    public void Eval_LittleDeviceMemory_StreamsWithTheSameResults()
    {
        string[] arguments = ["eval", "--checkpoint", images.Run, "--data", images.Data, "--batch", "4", "--device", "cpu"];
        JsonElement resident = Assert.Single(NinProgram.Run([.. arguments, "--json"]).Succeeded().Events);
        JsonElement streaming = Assert.Single(RunOn("30M", [.. arguments, "--json"]).Succeeded().Events);

        Assert.Equal(("resident", null), (Text(resident, "placement"), Text(resident, "placement_reason")));
        Assert.Equal("stream", Text(streaming, "placement"));
        Assert.Contains("6.0 MiB of data", Text(streaming, "placement_reason"), StringComparison.Ordinal);
        Assert.Equal(resident.GetProperty("loss").GetDouble(), streaming.GetProperty("loss").GetDouble());
        Assert.Equal(resident.GetProperty("confusions").GetRawText(), streaming.GetProperty("confusions").GetRawText());
        Assert.StartsWith("streaming test images from host memory, since 6.0 MiB of data", RunOn("30M", arguments).Succeeded().Lines[0], StringComparison.Ordinal);
        Assert.StartsWith("streaming test images from host memory, as asked for", NinProgram.Run([.. arguments, "--data-placement", "stream"]).Lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("cuEventSynchronize:2:1", "cuEventSynchronize failed: CUDA_ERROR_INVALID_VALUE (1)")] // in the thread that gathers images, or in the other
    [InlineData("cuEventSynchronize:9:1", "cuEventSynchronize failed: CUDA_ERROR_INVALID_VALUE (1)")]
    [InlineData("cuStreamWaitEvent:7:1", "cuStreamWaitEvent failed: CUDA_ERROR_INVALID_VALUE (1)")]
    public void Train_StreamingDeviceFails_IsOneLine(string failure, string message)
    {
        string[] arguments = [.. images.Arguments, "--data-placement", "stream", "--output", _root.File("run")];
        NinProgram.RunIn(null, [("NIN_HOST_FAIL", failure)], arguments).Failed(1, message);
    }

    /// <summary>The event that a run with --batch auto starts with.</summary>
    private JsonElement BatchAuto(string memory, string placement) => RunOn(
        memory, [.. images.ArgumentsWith(batch: "auto"), "--data-placement", placement, "--json", "--output", _root.File(placement)]).Succeeded().Events[0];

    /// <summary>Poisoned memory keeps a plan's tensors apart, which takes more memory than a limit could be chosen for.</summary>
    private static ProgramResult RunOn(string memory, string[] arguments) =>
        NinProgram.RunIn(null, [("NIN_HOST_MEMORY_LIMIT", memory), ("NIN_HOST_POISON", null)], arguments);

    private static string? Text(JsonElement value, string name) => value.GetProperty(name).GetString();

    /// <summary>What all but times and places have in common.</summary>
    private static string[] Results(JsonElement[] events) =>
    [
        .. events.SelectMany(e => e.EnumerateObject()).Where(field => field.Name is "train_loss" or "train_accuracy" or "test_loss" or "test_accuracy")
            .Select(field => field.Value.GetRawText()),
    ];
}
