using NinCudnn.Data;
using NinCudnn.Formats;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>A run that is interrupted anywhere and goes on in another trainer ends as if nothing had happened, to the bit.</summary>
public sealed class CheckpointTests : IDisposable
{
    private const int StepsPerEpoch = 4; // three batches of 16 and one of two

    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(50, 1), _testSet = TinyNetwork.Dataset(37, 2);

    private static readonly TrainingRecipe _recipe = TinyTraining.Recipe with
    {
        Epochs = 3,
        Augmentation = new Augmentation(0.5, 2, 0.5),
        LabelSmoothing = 0.1,
        EmaDecay = 0.9,
    };

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    public static TheoryData<Precision, string> StopPoints
    {
        get
        {
            var data = new TheoryData<Precision, string>();
            foreach (Precision precision in new[] { Precision.Float32, Precision.BFloat16, Precision.Float16 })
            {
                foreach (string point in new[] { "start", "step 1", "step 6", "step 8", "evaluation", "epoch 1", "epoch 3" })
                    data.Add(precision, point);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(StopPoints))]
    public void Restore_AtAnyPoint_EndsAsTheUninterruptedRun(Precision precision, string point)
    {
        TrainingRecipe recipe = _recipe with { Precision = precision };
        using Trainer whole = Create(recipe);
        var expected = new Record();
        TrainingResult expectedResult = whole.Train(expected);

        using var stop = new CancellationTokenSource();
        var record = new Record { StopAt = point, Stop = stop };
        string path = _root.File("a.safetensors");
        using (Trainer first = Create(recipe))
        {
            if (point == "start")
                stop.Cancel();
            Assert.Equal(point != "epoch 3", first.Train(record, stop.Token).IsStopped);
            first.DownloadCheckpoint().Save(path);
        }
        using Trainer second = Create(recipe);
        second.Restore(TrainingCheckpoint.Load(path));
        record.StopAt = null;
        TrainingResult result = second.Train(record);

        Assert.Equal(Comparable(expectedResult), Comparable(result));
        Assert.Equal(expected.Progress, record.Progress.DistinctBy(progress => progress.Step)); // that of the last step is told again
        Assert.Equal(whole.Parameters.DownloadValues(), second.Parameters.DownloadValues());
        Assert.Equal(whole.Parameters.DownloadMomentum(), second.Parameters.DownloadMomentum());
        Assert.Equal(whole.ModelParameters.DownloadValues(), second.ModelParameters.DownloadValues());
        Assert.Equal(whole.DownloadCheckpoint().LossScaler, second.DownloadCheckpoint().LossScaler);
    }

    [Fact]
    public void Restore_StreamingData_EndsAsTheUninterruptedRun()
    {
        using Trainer whole = Create(_recipe);
        whole.Train();
        using var stop = new CancellationTokenSource();
        using Trainer first = Create(_recipe);
        first.Train(new Record { StopAt = "step 6", Stop = stop }, stop.Token);

        using Trainer second = Create(_recipe, placement: DataPlacement.Stream);
        second.Restore(first.DownloadCheckpoint());
        second.Train();

        Assert.Equal(whole.Parameters.DownloadValues(), second.Parameters.DownloadValues());
    }

    [Fact]
    public void Train_AfterAStop_GoesOn()
    {
        using Trainer whole = Create(_recipe);
        TrainingResult expected = whole.Train();
        using var stop = new CancellationTokenSource();
        using Trainer trainer = Create(_recipe);
        trainer.Train(new Record { StopAt = "step 6", Stop = stop }, stop.Token);

        Assert.Equal(Comparable(expected), Comparable(trainer.Train()));
        Assert.Equal(whole.Parameters.DownloadValues(), trainer.Parameters.DownloadValues());
    }

    [Fact]
    public void Train_WithCheckpoints_EachOfThemLeadsToTheSameEnd()
    {
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        using Trainer whole = Create(_recipe);
        var settings = new CheckpointSettings(directory) { EverySteps = 1, Keep = 100, Notes = new Dictionary<string, string> { ["why"] = "test" } };
        whole.Checkpoints = settings;
        var expected = new Record();
        TrainingResult expectedResult = whole.Train(expected);

        Assert.Equal(Enumerable.Range(0, 3 * StepsPerEpoch + 1).Reverse().Select(step => directory.FileOf(step)), directory.Files);
        foreach (string path in directory.Files)
        {
            TrainingCheckpoint checkpoint = TrainingCheckpoint.Load(path);
            Assert.Equal("test", checkpoint.Notes["why"]);
            using Trainer trainer = Create(_recipe);
            trainer.Restore(checkpoint);
            var record = new Record();
            Assert.Equal(Comparable(expectedResult), Comparable(trainer.Train(record)));
            Assert.Equal(expected.Progress.Where(progress => progress.Step > checkpoint.Position.Step), record.Progress.Where(progress => progress.Step > checkpoint.Position.Step));
            Assert.Equal(whole.Parameters.DownloadValues(), trainer.Parameters.DownloadValues());
            Assert.Equal(whole.DownloadModel().Parameters, trainer.DownloadModel().Parameters);
        }
    }

    [Fact]
    public void Train_Keep_LeavesTheNewestAndTheBest()
    {
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        using Trainer trainer = Create(_recipe with { Epochs = 12 });
        trainer.Checkpoints = new CheckpointSettings(directory) { Keep = 2 };
        TrainingResult result = trainer.Train();

        long[] steps = [12 * StepsPerEpoch, 11 * StepsPerEpoch, .. result.Epochs.Where(epoch => epoch.Test.Correct == result.Epochs.Max(other => other.Test.Correct))
            .Take(1).Select(epoch => epoch.Step)];
        Assert.Equal(steps.Distinct().OrderDescending().Select(step => directory.FileOf(step)), directory.Files);
        Assert.Equal(result.Epochs, directory.LoadNewest()!.Value.Checkpoint.Position.Epochs);
    }

    [Fact]
    public void LoadNewest_DamagedOnes_ArePassedOver()
    {
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        using Trainer trainer = Create(_recipe);
        trainer.Checkpoints = new CheckpointSettings(directory) { Keep = 10 };
        trainer.Train();
        byte[] newest = File.ReadAllBytes(directory.Files[0]);
        newest[^50] ^= 1;
        File.WriteAllBytes(directory.Files[0], newest);
        File.WriteAllBytes(directory.Files[1], []);
        List<string> damaged = [];

        var (checkpoint, path) = directory.LoadNewest(damaged.Add)!.Value;

        Assert.Equal((StepsPerEpoch, directory.FileOf(StepsPerEpoch)), (checkpoint.Position.Step, path));
        Assert.Equal([$"{directory.Files[0]}: the file is damaged: its content does not match its checksum", $"{directory.Files[1]}: 0 bytes, too short for the header length at offset 0"], damaged);
        Assert.Null(new CheckpointDirectory(_root.File("nothing")).LoadNewest());
    }

    [Fact]
    public void Train_LeftoversAndLaterCheckpoints_AreDeletedWhereARunGoesOn()
    {
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        using (Trainer first = Create(_recipe))
        {
            first.Checkpoints = new CheckpointSettings(directory) { Keep = 10 };
            first.Train();
        }
        TrainingCheckpoint early = TrainingCheckpoint.Load(directory.FileOf(StepsPerEpoch));
        File.WriteAllBytes(Path.Combine(directory.Path, ".step-0000000008.safetensors.abc.tmp"), [1]);
        using Trainer second = Create(_recipe);
        second.Restore(early);
        second.Checkpoints = new CheckpointSettings(directory);

        second.Train(stop: new CancellationToken(true));

        Assert.Equal([directory.FileOf(StepsPerEpoch), directory.FileOf(0)], directory.Files);
        Assert.Equal(2, Directory.GetFileSystemEntries(directory.Path).Length);
    }

    [Fact]
    public void Train_AnotherRunsCheckpoints_AreLeftAlone()
    {
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        _root.Write("checkpoints/step-0000000007.safetensors", [1]);
        using Trainer trainer = Create(_recipe);
        trainer.Checkpoints = new CheckpointSettings(directory);

        var error = Assert.Throws<IOException>(() => trainer.Train());

        Assert.Equal($"{directory.Path} holds the checkpoints of another run", error.Message);
        Assert.Single(directory.Files);
    }

    [Fact]
    public void Train_DirectoryRemoved_FailsByItsName()
    {
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        using Trainer trainer = Create(_recipe with { Epochs = 1000 });
        trainer.Checkpoints = new CheckpointSettings(directory) { EverySteps = 1 };

        var error = Assert.Throws<IOException>(() => trainer.Train(new Record { OnEpoch = _ => MoveAway() }));

        Assert.StartsWith($"the checkpoint {directory.Path}", error.Message, StringComparison.Ordinal);

        void MoveAway() // at once, while a file may be written in it
        {
            if (Directory.Exists(directory.Path))
                Directory.Move(directory.Path, _root.File("removed"));
        }
    }

    [Fact]
    public void Load_AsModel_IsTheModel()
    {
        using Trainer trainer = Create(_recipe);
        trainer.Train();
        trainer.DownloadCheckpoint().Save(_root.File("a.safetensors"));

        ModelFile model = ModelFile.Load(_root.File("a.safetensors"));

        Assert.Equal(trainer.DownloadModel().Parameters, model.Parameters);
        Assert.Equal(trainer.Model.ClassNames, model.Description.ClassNames);
        using var file = SafetensorsFile.Open(_root.File("a.safetensors"));
        Assert.Equal(trainer.Parameters.DownloadMomentum()["0.0.weight"], file.ReadSingles("momentum.0.0.weight"));
        Assert.Equal(trainer.Parameters.DownloadValues()["0.0.weight"], file.ReadSingles("trained.0.0.weight"));
    }

    [Fact]
    public void Load_DamagedAnywhere_IsRefusedAlsoAsModel()
    {
        using Trainer trainer = Create(_recipe);
        string path = _root.File("a.safetensors");
        trainer.DownloadCheckpoint().Save(path);
        byte[] bytes = File.ReadAllBytes(path);
        for (int i = 0; i < bytes.Length; i += 97)
        {
            bytes[i] ^= 16;
            File.WriteAllBytes(path, bytes);
            Assert.Throws<InvalidDataException>(() => TrainingCheckpoint.Load(path));
            if (i >= 8 + BitConverter.ToInt64(bytes)) // names in the header decide whether it is one at all
                Assert.Throws<InvalidDataException>(() => ModelFile.Load(path));
            bytes[i] ^= 16;
        }
    }

    [Fact]
    public void Load_AModel_IsNoCheckpoint()
    {
        using Trainer trainer = Create(_recipe);
        string path = _root.File("model.safetensors");
        trainer.DownloadModel().Save(path);

        Assert.Equal($"{path}: the metadata has no nin.training; it is no checkpoint", Assert.Throws<InvalidDataException>(() => TrainingCheckpoint.Load(path)).Message);
    }

    [Fact]
    public void Restore_OtherRecipeSeedOrExecution_SaysWhatDiffers()
    {
        using Trainer trainer = Create(_recipe);
        TrainingCheckpoint checkpoint = trainer.DownloadCheckpoint();

        Refuse("the recipe's learning_rate was 0.05 and is 0.1", Create(_recipe with { LearningRate = 0.1 }));
        Refuse("the recipe's epochs was 3 and is 4", Create(_recipe with { Epochs = 4 }));
        Refuse("the recipe's precision was fp32 and is bf16", Create(_recipe with { Precision = Precision.BFloat16 }));
        Refuse("the seed was 3 and is 4", Create(_recipe, seed: 4));
        Refuse("whether algorithms are deterministic was True and is False", Create(_recipe, execution: new ExecutionSettings { Deterministic = false }));

        void Refuse(string message, Trainer other)
        {
            using (other)
                Assert.StartsWith(message, Assert.Throws<ArgumentException>(() => other.Restore(checkpoint)).Message, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public void Restore_OtherData_SaysWhich()
    {
        using Trainer trainer = Create(_recipe);
        TrainingCheckpoint checkpoint = trainer.DownloadCheckpoint();
        using Trainer otherTrain = new(TestDevice.Shared, TinyNetwork.Architecture(), _recipe, TinyNetwork.Dataset(50, 9), _testSet, 3);
        using Trainer otherTest = new(TestDevice.Shared, TinyNetwork.Architecture(), _recipe, _trainSet, _testSet.Take(36), 3);

        Assert.StartsWith("the training images are not those that the run began with", Assert.Throws<InvalidDataException>(() => otherTrain.Restore(checkpoint)).Message, StringComparison.Ordinal);
        Assert.Contains("they were 37 images", Assert.Throws<InvalidDataException>(() => otherTest.Restore(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Restore_MoreEpochsAtAConstantRate_GoesOn()
    {
        TrainingRecipe recipe = _recipe with { Schedule = new ConstantSchedule(), Epochs = 4 };
        using Trainer whole = Create(recipe);
        whole.Train();
        using Trainer first = Create(recipe with { Epochs = 2 });
        first.Train();

        using Trainer second = Create(recipe);
        second.Restore(first.DownloadCheckpoint());
        Assert.Equal(4, second.Train().Epochs.Count);
        Assert.Equal(whole.Parameters.DownloadValues(), second.Parameters.DownloadValues());

        using Trainer less = Create(recipe with { Epochs = 1 });
        Assert.Equal("2 epochs are done, the recipe has 1", Assert.Throws<ArgumentException>(() => less.Restore(first.DownloadCheckpoint())).Message);
    }

    private static IEnumerable<(int, long, LossSummary, LossSummary)> Comparable(TrainingResult result)
    {
        Assert.False(result.IsStopped);
        return [.. result.Epochs.Select(epoch => (epoch.Epoch, epoch.Step, epoch.Train, epoch.Test)), (0, result.Step, default, default), (0, result.SkippedSteps, default, default)];
    }

    private static Trainer Create(
        TrainingRecipe recipe, ulong seed = 3, DataPlacement placement = DataPlacement.Resident, ExecutionSettings? execution = null) => new(
        TestDevice.Shared, TinyNetwork.Architecture(), recipe, _trainSet, _testSet, seed, execution ?? new ExecutionSettings { DataPlacement = placement });

    private sealed class Record : ITrainingObserver
    {
        public List<(long Step, LossSummary Loss)> Progress { get; } = [];

        /// <summary>A step, an epoch, or the evaluation of the first epoch.</summary>
        public string? StopAt { get; set; }

        public CancellationTokenSource? Stop { get; init; }

        public Action<EpochResult>? OnEpoch { get; init; }

        public void Progressed(TrainingProgress progress)
        {
            Progress.Add((progress.Step, progress.Loss));
            StopIf($"step {progress.Step}");
        }

        public void Evaluating(int epoch, double share) => StopIf(share < 1 ? "evaluation" : "");

        public void EpochEnded(EpochResult epoch)
        {
            StopIf($"epoch {epoch.Epoch}");
            OnEpoch?.Invoke(epoch);
        }

        private void StopIf(string point)
        {
            if (point == StopAt)
                Stop!.Cancel();
        }
    }
}
