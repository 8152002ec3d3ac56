using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>Data that streams gives the same bits as data that lies on the device.</summary>
public class StreamingTests
{
    // Three batches of 16 and one of two; two batches of 16 and one of five.
    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(50, 1), _testSet = TinyNetwork.Dataset(37, 2);

    private static readonly TrainingRecipe _recipe = TinyTraining.Recipe with
    {
        Epochs = 3,
        Augmentation = new Augmentation(0.5, 2, 0.5),
        LabelSmoothing = 0.1,
        EmaDecay = 0.9,
    };

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float16)]
    public void Train_Streaming_GivesTheSameToTheBit(Precision precision)
    {
        Run resident = Train(_recipe with { Precision = precision }, DataPlacement.Resident);
        Run streaming = Train(_recipe with { Precision = precision }, DataPlacement.Stream);

        Assert.Equal(3 * 37, resident.Logits.Count / TinyNetwork.Classes);
        Assert.Equal(resident.Progress, streaming.Progress);
        Assert.Equal(resident.Epochs, streaming.Epochs);
        Assert.Equal(resident.Logits, streaming.Logits);
        Assert.Equal(resident.Parameters, streaming.Parameters);
    }

    [Theory]
    [InlineData(1)] // more batches than slots by far
    [InlineData(17)]
    [InlineData(25)] // two batches
    [InlineData(50)] // one batch
    [InlineData(51)] // more than there are
    public void Train_AnyBatchSize_GivesTheSameToTheBit(int batchSize)
    {
        TrainingRecipe recipe = _recipe with { BatchSize = batchSize };
        Assert.Equal(Train(recipe, DataPlacement.Resident).Parameters, Train(recipe, DataPlacement.Stream).Parameters);
    }

    [Fact]
    public void Train_Colours_GivesTheSameToTheBit()
    {
        ImageDataset colours = TinyNetwork.Dataset(30, 5, channels: 3);
        Assert.Equal(Train(_recipe, DataPlacement.Resident, colours, colours).Parameters, Train(_recipe, DataPlacement.Stream, colours, colours).Parameters);
    }

    [Theory]
    [InlineData(DataPlacement.Resident)]
    [InlineData(DataPlacement.Stream)]
    public void Train_PlacementAskedFor_IsReportedWithoutReason(DataPlacement placement)
    {
        TrainingStart start = Train(_recipe, placement).Start!;
        Assert.Equal((placement, placement, null), (start.TrainPlacement, start.TestPlacement, start.PlacementReason));
    }

    [Fact]
    public void Train_MemoryToSpare_StaysOnTheDevice()
    {
        TrainingStart start = Train(_recipe, DataPlacement.Auto).Start!;
        Assert.Equal((DataPlacement.Resident, DataPlacement.Resident, null), (start.TrainPlacement, start.TestPlacement, start.PlacementReason));
    }

    [Fact]
    public void Train_StoppedInAnEpoch_CanBeDisposedOfOrGoOn()
    {
        using var stop = new CancellationTokenSource();
        using Trainer trainer = Create(_recipe with { BatchSize = 2 }, DataPlacement.Stream, _trainSet, _testSet);
        TrainingResult stopped = trainer.Train(new Stopper(() => stop.Cancel()), stop.Token);
        Assert.True(stopped is { IsStopped: true, Step: > 0 and < 25 });

        TrainingResult result = trainer.Train(); // the batches that were gathered for the other pass are forgotten

        Assert.Equal((false, 75L), (result.IsStopped, result.Step));
        using (Trainer another = Create(_recipe with { BatchSize = 2 }, DataPlacement.Stream, _trainSet, _testSet))
        {
            using var stopAnother = new CancellationTokenSource();
            another.Train(new Stopper(() => stopAnother.Cancel()), stopAnother.Token);
        }
    }

    [Fact]
    public void Dispose_Twice_IsSafe()
    {
        Trainer trainer = Create(_recipe, DataPlacement.Stream, _trainSet, _testSet);
        trainer.Dispose();
        trainer.Dispose();
    }

    private static Run Train(TrainingRecipe recipe, DataPlacement placement, ImageDataset? trainSet = null, ImageDataset? testSet = null)
    {
        using Trainer trainer = Create(recipe, placement, trainSet ?? _trainSet, testSet ?? _testSet);
        var run = new Run();
        run.Epochs.AddRange(trainer.Train(run).Epochs.Select(epoch => (epoch.Train, epoch.Test)));
        run.Parameters = trainer.ModelParameters.DownloadValues();
        return run;
    }

    private static Trainer Create(TrainingRecipe recipe, DataPlacement placement, ImageDataset trainSet, ImageDataset testSet) => new(
        TestDevice.Shared, TinyNetwork.Architecture(inputChannels: trainSet.Channels), recipe, trainSet, testSet, 3, new ExecutionSettings { DataPlacement = placement });

    private sealed class Run : ITrainingObserver
    {
        public TrainingStart? Start { get; private set; }

        public List<LossSummary> Progress { get; } = [];

        public List<float> Logits { get; } = [];

        public List<(LossSummary Train, LossSummary Test)> Epochs { get; } = [];

        public Dictionary<string, float[]> Parameters { get; set; } = [];

        public void Started(TrainingStart start) => Start = start;

        public void Progressed(TrainingProgress progress) => Progress.Add(progress.Loss);

        public void TestLogits(int epoch, int first, ReadOnlySpan<float> logits) => Logits.AddRange(logits);
    }

    private sealed class Stopper(Action stop) : ITrainingObserver
    {
        public void Progressed(TrainingProgress progress) => stop();
    }
}
