using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class DeadNetworkTests
{
    private const int StepsPerEpoch = 4;

    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(50, 1);
    private static readonly ImageDataset _testSet = TinyNetwork.Dataset(21, 2);
    private static readonly TrainingRecipe _recipe = TinyTraining.Recipe with { Epochs = 20 };

    /// <summary>All class scores are negative before the last rectifier, for every image.</summary>
    [Theory]
    [InlineData(Precision.Float32, 0.1)]
    [InlineData(Precision.BFloat16, 0)]
    [InlineData(Precision.Float16, 0)]
    public void Train_LastRectifierOff_IsRecognisedOnce(Precision precision, double labelSmoothing)
    {
        using Trainer trainer = Create(_recipe with { Precision = precision, LabelSmoothing = labelSmoothing });
        Dictionary<string, float[]> parameters = trainer.Parameters.DownloadValues();
        Array.Fill(parameters["3.4.bias"], -1e4f);
        trainer.Parameters.Load(parameters);
        var recorder = new Recorder();

        TrainingResult result = trainer.Train(recorder);

        NetworkDeath death = Assert.Single(recorder.Deaths);
        Assert.Equal(death, result.Death);
        const int Recognised = 52; // an epoch of four steps behind the 48th, the first behind DeathWatch.MinSteps is read with its end
        Assert.InRange(death.Step, DeathWatch.MinSteps, Recognised);
        Assert.Equal((1, (int)((death.Step - 1) / StepsPerEpoch) + 1), (death.Since, death.Epoch));
        Assert.Equal(Math.Log(TinyNetwork.Classes), death.Loss);
        Assert.False(result.IsStopped); // it goes on
    }

    /// <summary>The death is told once, at the same step, wherever the run was interrupted.</summary>
    [Theory]
    [InlineData(30)]
    [InlineData(50)]
    [InlineData(55)]
    public void Restore_RunThatDies_ComesToTheSame(int step)
    {
        using var directory = new TemporaryDirectory();
        TrainingRecipe recipe = _recipe with { Initialization = Initialization.He with { OutputScale = 0 } };
        using Trainer whole = Create(recipe), second = Create(recipe);
        whole.Checkpoints = new CheckpointSettings(new CheckpointDirectory(directory.File("checkpoints"))) { EverySteps = 1, Keep = 1000 };
        Recorder first = new(), again = new();
        TrainingResult result = whole.Train(first);

        second.Restore(TrainingCheckpoint.Load(whole.Checkpoints.Directory.FileOf(step)));
        Assert.Equal(result.Death, second.Train(again).Death);
        Assert.Equal(first.Deaths.Where(death => death.Step >= step), again.Deaths);
    }

    [Fact]
    public void Train_OneThatLearns_IsNotCalledDead()
    {
        using Trainer trainer = Create(_recipe);
        var recorder = new Recorder();
        Assert.Null(trainer.Train(recorder).Death);
        Assert.Empty(recorder.Deaths);
    }

    /// <summary>The loss is ln 3 to the last bit, but there are gradients: the network has not begun yet.</summary>
    [Fact]
    public void Train_ClassScoresTooSmallToTell_IsNotCalledDead()
    {
        using Trainer trainer = Create(_recipe with { LearningRate = 0, Initialization = Initialization.He with { OutputScale = 1e-12 } });
        var recorder = new Recorder();
        TrainingResult result = trainer.Train(recorder);
        Assert.All(result.Epochs, epoch => Assert.Equal(Math.Log(TinyNetwork.Classes), epoch.Train.Loss, 1e-6));
        Assert.Null(result.Death);
        Assert.Empty(recorder.Deaths);
    }

    [Fact]
    public void Train_Died_CanBeStoppedByTheObserver()
    {
        using var stop = new CancellationTokenSource();
        using Trainer trainer = Create(_recipe with { Initialization = Initialization.He with { OutputScale = 0 } });
        TrainingResult result = trainer.Train(new Recorder { OnDeath = stop.Cancel }, stop.Token);
        Assert.True(result.IsStopped);
        Assert.InRange(result.Step, result.Death!.Step, result.Death.Step + 1); // the next one is queued already
    }

    [Theory]
    [InlineData(0, 50)]
    [InlineData(0.9, 50)]
    [InlineData(0.99, 500)]
    public void IsSuspicious_ConstantLoss_IsWhenTheMomentumIsSpent(double momentum, int steps)
    {
        var watch = new DeathWatch(10, momentum);
        for (int step = 1; step < steps; step++)
        {
            Assert.True(watch.Add(Sums(step, Math.Log(10)), step));
            Assert.False(watch.IsSuspicious);
        }
        Assert.True(watch.Add(Sums(steps, Math.Log(10)), steps));
        Assert.True(watch.IsSuspicious);
        Assert.Equal(steps, watch.Plateau.Steps);
        watch.BeginEpoch();
        Assert.False(watch.Add(Sums(1, Math.Log(10) * (1 + 2e-6)), 1));
        Assert.Equal(0, watch.Plateau.Steps);
    }

    [Fact]
    public void Add_OneClass_IsNeverThere()
    {
        var watch = new DeathWatch(1, 0);
        Assert.False(watch.Add(Sums(100, 0), 100)); // whose loss is always 0
    }

    [Fact]
    public void Add_NothingNew_SaysNothing()
    {
        var watch = new DeathWatch(10, 0);
        Assert.True(watch.Add(Sums(3, Math.Log(10)), 3));
        Assert.Null(watch.Add(Sums(3, Math.Log(10)), 3));
        Assert.Null(watch.Add(Sums(3, Math.Log(10)), 5)); // two steps that were skipped
        Assert.Equal(3, watch.Plateau.Steps);
    }

    private static LossSummary Sums(int steps, double loss) => new(16 * steps * loss, 0, 16 * steps);

    private static Trainer Create(TrainingRecipe recipe) => new(TestDevice.Shared, TinyNetwork.Architecture(), recipe, _trainSet, _testSet, 1);

    private sealed class Recorder : ITrainingObserver
    {
        public List<NetworkDeath> Deaths { get; } = [];

        public Action? OnDeath { get; init; }

        public void Died(NetworkDeath death)
        {
            Deaths.Add(death);
            OnDeath?.Invoke();
        }
    }
}
