using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Tests.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class TrainerTests
{
    // 50 samples in batches of 16: three whole ones and one of two samples.
    private const int Samples = 50;
    private const int StepsPerEpoch = 4;

    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(Samples, 1);
    private static readonly ImageDataset _testSet = TinyNetwork.Dataset(21, 2);

    private static readonly TrainingRecipe _recipe = TinyTraining.Recipe;

    [Fact]
    public void Train_ImagesThatCanBeToldApart_LearnsThem()
    {
        using Trainer trainer = Create(_recipe with { Epochs = 20 });
        TrainingResult result = trainer.Train();

        double first = result.Epochs[0].Train.Loss, last = result.LastEpoch!.Train.Loss;
        Assert.True(last < first / 2, $"the loss went from {first} to {last}");
        Assert.True(result.LastEpoch.Test.Accuracy > 0.8, $"the accuracy is {result.LastEpoch.Test.Accuracy}");
    }

    [Fact]
    public void Train_Epochs_CountEverySample()
    {
        using Trainer trainer = Create(_recipe);
        TrainingResult result = trainer.Train();

        Assert.False(result.IsStopped);
        Assert.Equal(2 * StepsPerEpoch, result.Step);
        Assert.Equal([1, 2], result.Epochs.Select(epoch => epoch.Epoch));
        Assert.Equal([StepsPerEpoch, 2L * StepsPerEpoch], result.Epochs.Select(epoch => epoch.Step));
        Assert.All(result.Epochs, epoch => Assert.Equal((Samples, 21), (epoch.Train.Samples, epoch.Test.Samples)));
        Assert.All(result.Epochs, epoch => Assert.InRange(epoch.Train.Correct, 0, Samples));
        Assert.True(result.SamplesPerSecond > 0);
    }

    [Fact]
    public void Train_PartialLastBatch_IsTrainedOn()
    {
        // The rate is 0 but in the last step, which has two samples.
        using Trainer trainer = Create(_recipe with { Epochs = 1, Schedule = new LastStepOnly() }, trainSet: _trainSet.Take(18));
        Dictionary<string, float[]> before = trainer.Parameters.DownloadValues();

        Assert.Equal(2, trainer.Train().Step);

        Assert.All(trainer.Parameters.DownloadValues(), tensor => Assert.NotEqual(before[tensor.Key], tensor.Value));
    }

    [Fact]
    public void Train_SameSeed_GivesTheSameToTheBit()
    {
        var (losses, parameters) = Run(3, new Recorder());
        var (again, parametersAgain) = Run(3, null); // an observer must not change the numbers either

        Assert.Equal(losses, again);
        Assert.Equal(parameters, parametersAgain);
    }

    [Fact]
    public void Train_OtherSeed_GivesOtherParameters()
    {
        var (_, parameters) = Run(3, null);
        var (_, others) = Run(4, null);
        Assert.All(parameters, tensor => Assert.NotEqual(tensor.Value, others[tensor.Key]));
    }

    [Fact]
    public void Train_Observer_IsToldOfStartStepsAndEpochs()
    {
        using Trainer trainer = Create(_recipe);
        var recorder = new Recorder();
        TrainingResult result = trainer.Train(recorder);

        TrainingStart start = Assert.IsType<TrainingStart>(recorder.Start);
        Assert.Equal((Samples, 21, StepsPerEpoch), (start.TrainSamples, start.TestSamples, start.StepsPerEpoch));
        Assert.Equal(trainer.Parameters.Count, start.Parameters);
        Assert.Equal(_recipe, start.Recipe);
        Assert.True(start.DeviceBytes > 0);
        Assert.Equal([1, 2, 3, 4, 1, 2, 3, 4], recorder.Progress.Select(progress => progress.StepInEpoch));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], recorder.Progress.Select(progress => progress.Step));
        Assert.Equal([16, 32, 48, 50, 16, 32, 48, 50], recorder.Progress.Select(progress => progress.Loss.Samples));
        Assert.Equal(result.Epochs, recorder.Epochs);
        Assert.Equal(recorder.Progress[3].Loss, result.Epochs[0].Train); // the last report is the epoch's sum
    }

    [Fact]
    public void Train_StoppedInAnEpoch_EndsAfterTheCurrentStep()
    {
        using Trainer trainer = Create(_recipe);
        using var stop = new CancellationTokenSource();
        var recorder = new Recorder { OnProgress = progress => stop.Cancel() };

        TrainingResult result = trainer.Train(recorder, stop.Token);

        // The first report comes when the second step is queued.
        Assert.Equal((true, 2L), (result.IsStopped, result.Step));
        Assert.Empty(result.Epochs);
        Assert.Null(result.LastEpoch);
        Assert.Empty(recorder.Epochs);
        using Trainer reference = Create(_recipe with { Schedule = new ConstantSchedule() });
        Assert.NotEqual(reference.Parameters.DownloadValues(), trainer.Parameters.DownloadValues()); // what was trained stays
    }

    [Fact]
    public void Train_Evaluation_ReportsHowFarItIs()
    {
        using Trainer trainer = Create(_recipe);
        var recorder = new Recorder();
        trainer.Train(recorder);
        Assert.Equal([(1, 0.5), (1, 1), (2, 0.5), (2, 1)], recorder.Evaluated); // 16 and 5 images
    }

    [Fact]
    public void DownloadModel_WithAMovingAverage_HasItsValues()
    {
        using Trainer trainer = Create(_recipe with { EmaDecay = 0.5 });
        trainer.Train();

        ModelFile model = trainer.DownloadModel();

        Assert.Same(trainer.Model, model.Description);
        Assert.Equal(trainer.ModelParameters.DownloadValues(), model.Parameters);
        Assert.NotEqual(trainer.Parameters.DownloadValues(), model.Parameters);
    }

    [Fact]
    public void Train_StoppedBetweenEpochs_KeepsTheFinishedOnes()
    {
        using Trainer trainer = Create(_recipe);
        using var stop = new CancellationTokenSource();

        TrainingResult result = trainer.Train(new Recorder { OnEpoch = epoch => stop.Cancel() }, stop.Token);

        Assert.Equal((true, StepsPerEpoch, 1), (result.IsStopped, result.Step, result.Epochs.Count));
    }

    [Fact]
    public void Train_StoppedBeforeTheStart_DoesNothing()
    {
        using Trainer trainer = Create(_recipe);
        Dictionary<string, float[]> before = trainer.Parameters.DownloadValues();

        TrainingResult result = trainer.Train(stop: new CancellationToken(true));

        Assert.Equal((true, 0L, 0), (result.IsStopped, result.Step, result.Epochs.Count));
        Assert.Equal(before, trainer.Parameters.DownloadValues());
    }

    [Fact]
    public void Train_StoppedInTheLastEpoch_IsStopped()
    {
        using Trainer trainer = Create(_recipe with { Epochs = 1 });
        using var stop = new CancellationTokenSource();
        TrainingResult result = trainer.Train(new Recorder { OnProgress = progress => Cancel(progress) }, stop.Token);
        Assert.Equal((true, StepsPerEpoch, 0), (result.IsStopped, result.Step, result.Epochs.Count)); // the evaluation is missing

        void Cancel(TrainingProgress progress)
        {
            if (progress.StepInEpoch == StepsPerEpoch)
                stop.Cancel();
        }
    }

    [Fact]
    public void Create_Recipe_IsApplied()
    {
        using Trainer trainer = Create(_recipe);
        Assert.Equal(PixelStatistics.Measure(_trainSet).Mean, trainer.Model.Normalization.Mean);
        Assert.Equal([new DropoutLayer(0.1)], trainer.Model.Architecture.Layers.OfType<DropoutLayer>());
        Assert.Equal(_trainSet.ClassNames, trainer.Model.ClassNames);

        using Trainer plain = Create(_recipe with { NormalizeInput = false, DropoutRate = null });
        Assert.Equal((0f, 1f), (plain.Model.Normalization.Mean[0], plain.Model.Normalization.Deviation[0]));
        Assert.Equal([new DropoutLayer(0.5)], plain.Model.Architecture.Layers.OfType<DropoutLayer>());
    }

    [Fact]
    public void Create_OtherChannels_IsRefused()
    {
        ImageDataset coloured = TinyNetwork.Dataset(20, channels: 3);
        var train = Assert.Throws<ArgumentException>(() => Create(_recipe, trainSet: coloured));
        var test = Assert.Throws<ArgumentException>(() => Create(_recipe, testSet: coloured));
        Assert.Equal("tiny images has images of 3 channels, the network takes 1", train.Message);
        Assert.Equal(train.Message, test.Message);
    }

    [Fact]
    public void Create_OtherClasses_IsRefused()
    {
        var two = new ImageDataset("two", TestNumbers.Bytes(4 * 144, 1), new ushort[4], 12, 12, 1, ["a", "b"]);
        var train = Assert.Throws<ArgumentException>(() => Create(_recipe, trainSet: two));
        var test = Assert.Throws<ArgumentException>(() => Create(_recipe, testSet: two));
        Assert.Equal("two has 2 classes, the network 3", train.Message);
        Assert.Equal(train.Message, test.Message);
    }

    [Fact]
    public void CheckFits_ClassesOfOtherNames_AreRefusedUnlessTheModelsAreNumbered()
    {
        ImageDataset images = TinyNetwork.Dataset(4); // left, middle, right
        var model = new ModelDescription(TinyNetwork.Architecture(), TinyNetwork.ImageSize, Normalization.None(1), ["left", "right", "middle"]);

        var error = Assert.Throws<ArgumentException>(() => model.CheckFits(images));

        Assert.Equal("tiny images has the class middle where the network has right", error.Message);
        (model with { ClassNames = ["left", "middle", "right"] }).CheckFits(images);
        (model with { ClassNames = ["0", "1", "2"] }).CheckFits(images);
    }

    [Fact]
    public void Create_InvalidRecipe_IsRefused() => Assert.Throws<ArgumentException>(() => Create(_recipe with { BatchSize = 0 }));

    [Fact]
    public void Create_ImagesTooSmallForTheNetwork_NamesTheLayer()
    {
        var error = Assert.Throws<ArgumentException>(() => Create(_recipe with { ImageSize = 2 }));
        Assert.Contains("layer 1 (max pool 3×3 stride 2)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_BatchLargerThanTheData_TakesAllInOneStep()
    {
        using Trainer trainer = Create(_recipe with { BatchSize = 1000 });
        TrainingResult result = trainer.Train();
        Assert.Equal(2, result.Step);
        Assert.All(result.Epochs, epoch => Assert.Equal(Samples, epoch.Train.Samples));
    }

    [Fact]
    public void Train_ThreeChannels_Works()
    {
        ImageDataset coloured = TinyNetwork.Dataset(20, channels: 3);
        using var trainer = new Trainer(TestDevice.Shared, TinyNetwork.Architecture(inputChannels: 3), _recipe, coloured, coloured);
        Assert.Equal(20, trainer.Train().LastEpoch!.Train.Samples);
    }

    [Fact]
    public void Dispose_Twice_IsSafe()
    {
        Trainer trainer = Create(_recipe);
        trainer.Train();
        trainer.Dispose();
        trainer.Dispose();
    }

    private static (double[] Losses, Dictionary<string, float[]> Parameters) Run(ulong seed, ITrainingObserver? observer)
    {
        using Trainer trainer = Create(_recipe, seed: seed);
        TrainingResult result = trainer.Train(observer);
        return ([.. result.Epochs.SelectMany(epoch => new[] { epoch.Train.LossSum, epoch.Test.LossSum })], trainer.Parameters.DownloadValues());
    }

    private static Trainer Create(TrainingRecipe recipe, ImageDataset? trainSet = null, ImageDataset? testSet = null, ulong seed = 1) =>
        new(TestDevice.Shared, TinyNetwork.Architecture(), recipe, trainSet ?? _trainSet, testSet ?? _testSet, seed);

    private sealed class Recorder : ITrainingObserver
    {
        public TrainingStart? Start { get; private set; }

        public List<TrainingProgress> Progress { get; } = [];

        public List<(int Epoch, double Share)> Evaluated { get; } = [];

        public List<EpochResult> Epochs { get; } = [];

        public Action<TrainingProgress>? OnProgress { get; init; }

        public Action<EpochResult>? OnEpoch { get; init; }

        public void Started(TrainingStart start) => Start = start;

        public void Progressed(TrainingProgress progress)
        {
            Progress.Add(progress);
            OnProgress?.Invoke(progress);
        }

        public void Evaluating(int epoch, double share) => Evaluated.Add((epoch, share));

        public void EpochEnded(EpochResult epoch)
        {
            Epochs.Add(epoch);
            OnEpoch?.Invoke(epoch);
        }
    }
}
