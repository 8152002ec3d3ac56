using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>
/// Runs that come to infinities: the weights are positive and so large that the one white image's class scores overflow, while those of the black ones
/// are what the biases make them.
/// </summary>
public sealed class NonFiniteTests : IDisposable
{
    private const int Samples = 50;
    private const int White = 20; // the image's position
    private const int BatchSize = 16;
    private const int StepsPerEpoch = 4;
    private const ulong Seed = 3;

    private static readonly TrainingRecipe _recipe = TinyTraining.Recipe with
    {
        Epochs = 3,
        BatchSize = BatchSize,
        NormalizeInput = false,
        DropoutRate = 0,
        Initialization = Initialization.He with { OutputBias = 1 },
        EmaDecay = 0.9,
    };

    private readonly TemporaryDirectory _root = new();

    public static TheoryData<Precision> Precisions => [Precision.Float32, Precision.BFloat16, Precision.Float16];

    public void Dispose() => _root.Dispose();

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Train_LossNotFinite_StopsAndNamesTheStep(Precision precision)
    {
        using Trainer trainer = Create(_recipe with { Precision = precision });
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        trainer.Checkpoints = new CheckpointSettings(directory) { EverySteps = 1, Keep = 100 };

        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Train());

        long step = WhiteStep(1);
        Assert.Equal((1, step), (error.Epoch, error.Step));
        Assert.Equal(directory.FileOf(step - 1), error.LastCheckpoint);
        AssertIsSecondConvolution(error);
        // Every one that is there is whole, finite, and from before.
        Assert.Equal(step, directory.Files.Count);
        Assert.All(directory.Files, path => Assert.True(TrainingCheckpoint.Load(path).Position.Step < step));
    }

    [Fact]
    public void Train_WithoutCheckpointsAndObserver_StopsToo()
    {
        using Trainer trainer = Create(_recipe);
        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Train());
        Assert.Equal((WhiteStep(1), null), (error.Step, error.LastCheckpoint));
        AssertIsSecondConvolution(error);
    }

    /// <summary>What lies behind the step has changed nothing: the parameters are those that it began with.</summary>
    [Theory]
    [InlineData(DataPlacement.Resident)]
    [InlineData(DataPlacement.Stream)]
    public void Train_Stopped_LeavesTheParametersOfTheStepBefore(DataPlacement placement)
    {
        using Trainer trainer = Create(_recipe, placement: placement);
        long step = WhiteStep(1);
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        trainer.Checkpoints = new CheckpointSettings(directory) { EverySteps = 1, Keep = 100 };

        AssertIsSecondConvolution(Assert.Throws<TrainingDivergedException>(() => trainer.Train()));

        Assert.True(step < StepsPerEpoch); // others were queued behind it
        TrainingCheckpoint last = TrainingCheckpoint.Load(directory.FileOf(step - 1));
        Assert.Equal(last.Parameters, trainer.Parameters.DownloadValues());
        Assert.Equal(last.Momentum, trainer.Parameters.DownloadMomentum());
    }

    /// <summary>The second run of the step does not come to the number: a parameter was mended in between.</summary>
    [Fact]
    public void Train_FaultThatDoesNotComeAgain_IsNamedByTheStep()
    {
        const int Step = 2;
        int white = Order(1)[BatchSize];
        using Trainer trainer = Create(_recipe, Images(sample => sample == white));
        var sound = trainer.Parameters.DownloadValues().ToDictionary(
            parameter => parameter.Key, parameter => Array.ConvertAll(parameter.Value, value => Math.Min(value, 0.1f)));

        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Train(new Mender(trainer, sound, Step)));

        Assert.Null(error.Fault);
        Assert.Matches($@"^the loss(, and with it a gradient,)? of step {Step} \(epoch 1\) is not finite$", error.Message);
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Train_Skipping_LeavesTheStepOut(Precision precision)
    {
        TrainingRecipe recipe = _recipe with { Precision = precision };
        using Trainer trainer = Create(recipe);
        trainer.OnNonFinite = NonFiniteAction.Skip;
        var recorder = new Recorder();

        TrainingResult result = trainer.Train(recorder);

        Assert.Equal((recipe.Epochs, WhiteStep(1)), (result.SkippedSteps, result.FirstNonFiniteStep));
        Assert.Equal(recipe.Epochs, recorder.Progress[^1].SkippedSteps);
        Assert.All(result.Epochs, epoch => Assert.Equal(Samples - SamplesIn(WhiteStep(epoch.Epoch)), epoch.Train.Samples));
        Assert.All(result.Epochs, epoch => Assert.True(double.IsFinite(epoch.Train.Loss)));
        Assert.All(trainer.DownloadModel().Parameters.Values, values => Assert.All(values, value => Assert.True(float.IsFinite(value))));
        Assert.All(trainer.Parameters.DownloadMomentum().Values, values => Assert.All(values, value => Assert.True(float.IsFinite(value))));
    }

    /// <summary>The step is as if it had not been: the parameters behind it are those before it.</summary>
    [Fact]
    public void Train_SkippedStep_ChangesNothing()
    {
        using Trainer trainer = Create(_recipe);
        trainer.OnNonFinite = NonFiniteAction.Skip;
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        trainer.Checkpoints = new CheckpointSettings(directory) { EverySteps = 1, Keep = 100 };
        trainer.Train();

        long step = WhiteStep(1);
        TrainingCheckpoint before = TrainingCheckpoint.Load(directory.FileOf(step - 1)), after = TrainingCheckpoint.Load(directory.FileOf(step));
        Assert.Equal(before.Parameters, after.Parameters);
        Assert.Equal(before.Momentum, after.Momentum);
        Assert.Equal(before.Average, after.Average);
        Assert.Equal(new LossScalerState(1, 0, 1, NonFinite.None, 1, after.LossScaler!.Value.FirstFound, step - 1), after.LossScaler);
        if (step < StepsPerEpoch)
            Assert.NotEqual(after.Parameters, TrainingCheckpoint.Load(directory.FileOf(step + 1)).Parameters);
    }

    [Fact]
    public void Restore_AfterAStop_GoesOnSkippingAsIfItHadFromTheStart()
    {
        var directory = new CheckpointDirectory(_root.File("checkpoints"));
        using (Trainer stopping = Create(_recipe))
        {
            stopping.Checkpoints = new CheckpointSettings(directory) { EverySteps = 1 };
            Assert.Throws<TrainingDivergedException>(() => stopping.Train());
        }
        using Trainer whole = Create(_recipe), second = Create(_recipe);
        whole.OnNonFinite = second.OnNonFinite = NonFiniteAction.Skip;
        second.Restore(directory.LoadNewest()!.Value.Checkpoint);

        Assert.Equal(whole.Train().SkippedSteps, second.Train().SkippedSteps);
        Assert.Equal(whole.DownloadModel().Parameters, second.DownloadModel().Parameters);
        Assert.Equal(whole.DownloadCheckpoint().LossScaler, second.DownloadCheckpoint().LossScaler);
    }

    [Fact]
    public void Train_NothingButSkippedSteps_EndsAllTheSame()
    {
        using Trainer trainer = Create(_recipe with { Epochs = 100 }, images: AllWhite());
        trainer.OnNonFinite = NonFiniteAction.Skip;

        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Train());

        Assert.Equal($"loss or gradients of step 1 (epoch 1) and of the {Trainer.MaxSkippedInARow - 1} steps behind it are not finite", error.Message);
    }

    [Fact]
    public void DownloadModel_ParameterNotFinite_IsRefused()
    {
        using Trainer trainer = Create(_recipe with { EmaDecay = null });
        Dictionary<string, float[]> parameters = trainer.Parameters.DownloadValues();
        parameters["3.2.weight"][4] = float.PositiveInfinity;
        trainer.Parameters.Load(parameters);

        Assert.StartsWith("element 4 of 3.2.weight is Infinity behind step 0", Assert.Throws<TrainingDivergedException>(trainer.DownloadModel).Message, StringComparison.Ordinal);
        Assert.Throws<TrainingDivergedException>(() => trainer.DownloadCheckpoint());
    }

    [Theory]
    [MemberData(nameof(Precisions))]
    public void Train_DebugNumerics_NamesTheFirstOperator(Precision precision)
    {
        using Trainer trainer = Create(_recipe with { Precision = precision });
        trainer.DebugNumerics = true;

        AssertIsSecondConvolution(Assert.Throws<TrainingDivergedException>(() => trainer.Train()));
    }

    [Fact]
    public void Train_DebugNumericsOfARateThatOverflows_NamesTheOptimiser()
    {
        using Trainer trainer = new(
            TestDevice.Shared, TinyNetwork.Architecture(), TinyTraining.Recipe with { LearningRate = 3e38, Schedule = new ConstantSchedule(), Sgd = default },
            TinyNetwork.Dataset(50), TinyNetwork.Dataset(9), Seed);
        trainer.DebugNumerics = true;
        NumericFault fault = Assert.Throws<TrainingDivergedException>(() => trainer.Train()).Fault!;
        Assert.Equal(PlanStepKind.Update, fault.Kind);
        Assert.Equal($"the gradient of {fault.Tensor}", Assert.Single(fault.Inputs).Tensor);
        Assert.StartsWith(fault.Layer + ".", fault.Tensor, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.Float16)]
    public void Train_DebugNumericsOfARunWithoutFault_ChangesNothing(Precision precision)
    {
        TrainingRecipe recipe = TinyTraining.Recipe with { Precision = precision, ClipNorm = 1, EmaDecay = 0.9 };
        Assert.Equal(Run(false), Run(true));

        Dictionary<string, float[]> Run(bool isChecked)
        {
            using var trainer = new Trainer(TestDevice.Shared, TinyNetwork.Architecture(), recipe, TinyNetwork.Dataset(50), TinyNetwork.Dataset(9), Seed);
            trainer.DebugNumerics = isChecked;
            trainer.Train();
            return trainer.DownloadModel().Parameters.ToDictionary();
        }
    }

    private static void AssertIsSecondConvolution(TrainingDivergedException error)
    {
        NumericFault fault = error.Fault!;
        // 1·10²⁵ behind the first convolution, 10⁵⁰ behind the second; float16 ends at 6·10⁴.
        Assert.Equal((WhiteStep(1), PlanStepKind.Forward, "0.2", "0.2", float.PositiveInfinity), (error.Step, fault.Kind, fault.Layer, fault.Tensor, fault.Value));
        Assert.Equal(["0.0", "0.2.weight", "0.2.bias"], fault.Inputs.Select(input => input.Tensor));
        Assert.All(fault.Inputs, input => Assert.Equal(0, input.NonFinite));
        Assert.Equal(
            $"step {error.Step} (epoch 1): 0.2, forward: {fault.Element} of 0.2 is Infinity (of {fault.Inputs[0]}; {fault.Inputs[1]}; {fault.Inputs[2]})"
                + (error.LastCheckpoint is { } checkpoint ? $"; the last checkpoint is {checkpoint}" : ""),
            error.Message);
        Assert.Matches(@"^image \d+, channel \d, place \(\d+, \d+\)$", fault.Element);
        Assert.Matches("^0\\.0 from 0 to [^ ]+$", $"{fault.Inputs[0]}");
    }

    private static ImageDataset OneWhite() => Images(sample => sample == White);

    private static ImageDataset AllWhite() => Images(_ => true);

    private static ImageDataset Images(Func<int, bool> isWhite)
    {
        const int Pixels = TinyNetwork.ImageSize * TinyNetwork.ImageSize;
        byte[] images = [.. Enumerable.Range(0, Samples * Pixels).Select(i => isWhite(i / Pixels) ? byte.MaxValue : byte.MinValue)];
        ushort[] labels = [.. Enumerable.Range(0, Samples).Select(i => (ushort)(i % 7 == 0 ? 1 : 0))];
        return new ImageDataset("black", images, labels, TinyNetwork.ImageSize, TinyNetwork.ImageSize, 1, ["a", "b", "c"]);
    }

    /// <summary>The step of an epoch's white image, counted in the run, from 1.</summary>
    private static long WhiteStep(int epoch) => (epoch - 1) * StepsPerEpoch + Array.IndexOf(Order(epoch), White) / BatchSize + 1;

    private static int[] Order(int epoch)
    {
        var order = new int[Samples];
        new EpochOrder(Seed, epoch - 1).Fill(order);
        return order;
    }

    private static int SamplesIn(long step) => step % StepsPerEpoch == 0 ? Samples % BatchSize : BatchSize;

    private static Trainer Create(TrainingRecipe recipe, ImageDataset? images = null, DataPlacement placement = DataPlacement.Auto)
    {
        var trainer = new Trainer(
            TestDevice.Shared, TinyNetwork.Architecture(), recipe, images ?? OneWhite(), OneWhite().Take(4), Seed, new ExecutionSettings { DataPlacement = placement });
        Dictionary<string, float[]> parameters = trainer.Parameters.DownloadValues();
        // Below float16's largest number, and their product above float32's: two of the four layers are enough.
        float factor = recipe.Precision == Precision.Float16 ? 1e4f : 1e25f;
        foreach (float[] weights in parameters.Where(parameter => parameter.Key.EndsWith(".weight", StringComparison.Ordinal)).Select(parameter => parameter.Value))
        {
            for (int i = 0; i < weights.Length; i++)
                weights[i] = Math.Abs(weights[i]) * factor;
        }
        trainer.Parameters.Load(parameters);
        if (trainer.ModelParameters != trainer.Parameters)
            trainer.ModelParameters.Load(parameters);
        return trainer;
    }

    private sealed class Recorder : ITrainingObserver
    {
        public List<TrainingProgress> Progress { get; } = [];

        public void Progressed(TrainingProgress progress) => Progress.Add(progress);
    }

    /// <summary>Loads parameters when a step is done, of which no more is known yet than of the one before.</summary>
    private sealed class Mender(Trainer trainer, IReadOnlyDictionary<string, float[]> parameters, long step) : ITrainingObserver
    {
        public void Progressed(TrainingProgress progress)
        {
            if (progress.Step != step - 1)
                return;
            trainer.Parameters.DownloadValues(); // waits for the step that is queued
            trainer.Parameters.Load(parameters);
        }
    }
}
