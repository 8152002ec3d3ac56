using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class MixedPrecisionTests
{
    private static readonly ImageDataset _trainSet = TinyNetwork.Dataset(50, 1);
    private static readonly ImageDataset _testSet = TinyNetwork.Dataset(60, 2);

    private static readonly TrainingRecipe _recipe = TinyTraining.Recipe with { Epochs = 20 };

    /// <summary>
    /// Between a parameter and the loss, and back to its gradient, about 2·8 tensors are rounded in sequence, each with a relative
    /// error of at most u, independently: the error of the whole gradient vector is about √16·u of its length, and the bound twice that.
    /// </summary>
    [Theory]
    [InlineData(Precision.BFloat16, -8)]
    [InlineData(Precision.Float16, -11)]
    public void Train_OneStep_MovesAlmostAsInFloat32(Precision precision, int exponentOfRounding)
    {
        double bound = 8 * Math.ScaleB(1, exponentOfRounding);
        // The rate is 0 but in the last step: before it, float16's scale comes down to where nothing overflows.
        TrainingRecipe oneStep = _recipe with { Epochs = 10, BatchSize = 50, Schedule = new LastStepOnly(), Sgd = new SgdSettings() };
        Dictionary<string, float[]> before = Parameters(oneStep with { LearningRate = 0 });
        Dictionary<string, float[]> exact = Parameters(oneStep), rounded = Parameters(oneStep with { Precision = precision });

        double error = 0, length = 0;
        foreach (string name in before.Keys)
        {
            error += exact[name].Zip(rounded[name]).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2));
            length += exact[name].Zip(before[name]).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2));
        }
        Assert.InRange(Math.Sqrt(error / length), bound / 1000, bound); // and it is another precision indeed
    }

    [Theory]
    [InlineData(Precision.TensorFloat32)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float16)]
    public void Train_ImagesThatCanBeToldApart_LearnsThem(Precision precision)
    {
        using var trainer = new Trainer(TestDevice.Shared, TinyNetwork.Architecture(), _recipe with { Precision = precision }, _trainSet, _testSet, 1);
        TrainingResult result = trainer.Train();

        Assert.True(result.LastEpoch!.Test.Accuracy > 0.8, $"the accuracy is {result.LastEpoch.Test.Accuracy}");
        Assert.Equal(precision, trainer.Parameters.Precision);
        // float16's first steps find the scale: 65536 may be too high, but not by more than 2⁸.
        Assert.InRange(result.SkippedSteps, 0, precision == Precision.Float16 ? 8 : 0);
    }

    /// <summary>The rate of the only step that moves is 1, without momentum and decay: the step is as long as the clipped gradient.</summary>
    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float16)]
    public void Train_ClipNorm_IsTheLengthOfTheStep(Precision precision)
    {
        const double ClipNorm = 1e-3;
        TrainingRecipe recipe = _recipe with
        {
            Precision = precision,
            Epochs = 10,
            BatchSize = 50,
            LearningRate = 1,
            Schedule = new LastStepOnly(),
            Sgd = new SgdSettings(),
            ClipNorm = ClipNorm,
        };
        Dictionary<string, float[]> before = Parameters(recipe with { LearningRate = 0 }), after = Parameters(recipe);
        double length = Math.Sqrt(before.Sum(tensor => tensor.Value.Zip(after[tensor.Key]).Sum(pair => Math.Pow((double)pair.First - pair.Second, 2))));
        // Each parameter, below 2, rounds its step by at most 2⁻²⁴: 600 of them together are off by less than √600·2⁻²⁴ < 2·10⁻⁶.
        Assert.Equal(ClipNorm, length, ClipNorm * 2e-3);
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float16)]
    public void Train_EmaDecay_EvaluatesTheAverage(Precision precision)
    {
        TrainingRecipe recipe = _recipe with { Precision = precision, Epochs = 2 };
        using Trainer plain = Create(recipe), averaging = Create(recipe with { EmaDecay = 0.9 });
        EpochResult expected = plain.Train().LastEpoch!, actual = averaging.Train().LastEpoch!;

        Assert.Same(plain.Parameters, plain.ModelParameters);
        Assert.NotSame(averaging.Parameters, averaging.ModelParameters);
        Assert.Equal(expected.Train, actual.Train); // the average does not act on training
        Assert.Equal(plain.Parameters.DownloadValues(), averaging.Parameters.DownloadValues());
        Assert.NotEqual(expected.Test.LossSum, actual.Test.LossSum);

        // What would be saved gives what was reported.
        using var stream = TestDevice.Shared.CreateStream();
        using var loaded = new ParameterStore(TestDevice.Shared, averaging.Model.Architecture, precision);
        loaded.Load(averaging.ModelParameters.DownloadValues());
        using var arena = new NinCudnn.Devices.DeviceArena(TestDevice.Shared);
        using var evaluator = new Evaluator(stream, averaging.Model, loaded, arena, _testSet, recipe.BatchSize);
        Assert.Equal(actual.Test, evaluator.Evaluate());
    }

    [Theory]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float16)]
    public void Train_Twice_GivesTheSameBits(Precision precision)
    {
        TrainingRecipe recipe = _recipe with { Precision = precision, Epochs = 2 };
        Assert.Equal(Parameters(recipe), Parameters(recipe));
    }

    [Theory]
    [InlineData(Precision.Float32)]
    [InlineData(Precision.BFloat16)]
    [InlineData(Precision.Float16)]
    public void Train_EverythingThatARecipeCanHave_LearnsAndRepeats(Precision precision)
    {
        // No flips: they would exchange the classes left and right.
        TrainingRecipe recipe = _recipe with
        {
            Precision = precision,
            LabelSmoothing = 0.1,
            ClipNorm = 1,
            EmaDecay = 0.9,
            Augmentation = new Augmentation(0, 1, 0.25),
        };
        using Trainer first = Create(recipe), second = Create(recipe);
        TrainingResult result = first.Train();

        Assert.True(result.LastEpoch!.Test.Accuracy > 0.8, $"the accuracy is {result.LastEpoch.Test.Accuracy}");
        Assert.Equal(result.Epochs.Select(epoch => (epoch.Train, epoch.Test)), second.Train().Epochs.Select(epoch => (epoch.Train, epoch.Test)));
        Assert.Equal(first.ModelParameters.DownloadValues(), second.ModelParameters.DownloadValues());
    }

    [Fact]
    public void Compile_Float16WithoutLossScaler_IsRefused()
    {
        var options = new PlanOptions
        {
            Batch = 2,
            Height = 12,
            Width = 12,
            Operators = new OperatorOptions { DataType = DataType.Float16 },
        };
        using var network = new NetworkFixture(TinyNetwork.Architecture(), options with { Operators = new OperatorOptions() });
        using var parameters = new ParameterStore(network.Stream.Device, TinyNetwork.Architecture(), Precision.Float16);
        using var arena = new NinCudnn.Devices.DeviceArena(network.Stream.Device);
        var resources = new PlanResources(network.Stream, parameters, network.StepInput, network.Loss, arena, parameters.Values);

        Assert.Equal(
            "training in Float16 needs a loss scaler among the plan's resources",
            Assert.Throws<ArgumentException>(() => ExecutionPlan.Compile(TinyNetwork.Architecture(), options, resources)).Message);
        Assert.Equal(
            "the parameters are for Float32, the operators compute in Float16",
            Assert.Throws<ArgumentException>(() =>
                ExecutionPlan.Compile(TinyNetwork.Architecture(), options, resources with { Parameters = network.Parameters })).Message);
    }

    private static Dictionary<string, float[]> Parameters(TrainingRecipe recipe)
    {
        using Trainer trainer = Create(recipe);
        trainer.Train();
        return trainer.Parameters.DownloadValues();
    }

    private static Trainer Create(TrainingRecipe recipe) => new(TestDevice.Shared, TinyNetwork.Architecture(), recipe, _trainSet, _testSet, 1);
}
