using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class TrainingRecipeTests
{
    [Fact]
    public void Seed_EveryField_IsTheBooks()
    {
        TrainingRecipe seed = TrainingRecipe.Seed;

        Assert.Equal("seed", seed.Name);
        Assert.Equal(224, seed.ImageSize);
        Assert.Equal(10, seed.Epochs);
        Assert.Equal(128, seed.BatchSize);
        Assert.Equal(0.1, seed.LearningRate);
        Assert.Equal(new ConstantSchedule(), seed.Schedule);
        Assert.Equal(new SgdSettings(Momentum: 0, WeightDecay: 0, Nesterov: false), seed.Sgd);
        Assert.Equal(new Initialization(WeightInitialization.XavierUniform, BiasInitialization.UniformByFanIn, OutputScale: 1), seed.Initialization);
        Assert.False(seed.NormalizeInput);
        Assert.Equal(Precision.Float32, seed.Precision);
        Assert.Null(seed.DropoutRate); // the architecture's 0.5
        Assert.Equal(0, seed.LabelSmoothing);
        Assert.Null(seed.Augmentation);
        Assert.Null(seed.ClipNorm);
        Assert.Null(seed.EmaDecay);
        Assert.Equal(seed, new TrainingRecipe());
        Assert.Equal( // a new field must be added above
            ["Augmentation", "BatchSize", "ClipNorm", "DropoutRate", "EmaDecay", "Epochs", "ImageSize", "Initialization", "LabelSmoothing", "LearningRate", "Name", "NormalizeInput", "Precision", "Schedule", "Sgd"],
            typeof(TrainingRecipe).GetProperties().Where(property => !property.GetMethod!.IsStatic).Select(property => property.Name).Order());
    }

    [Fact]
    public void BuiltIn_Recipes_AreValidAndHaveNamesOfTheirOwn()
    {
        Assert.All(TrainingRecipe.BuiltIn, recipe => recipe.Validate());
        Assert.Equal(["seed", "quick", "best"], TrainingRecipe.BuiltIn.Select(recipe => recipe.Name));
    }

    public static TheoryData<string, TrainingRecipe> Invalid() => new()
    {
        { "the image size is 0, but must be between 1 and 4096", new TrainingRecipe { ImageSize = 0 } },
        { "the image size is 4097, but must be between 1 and 4096", new TrainingRecipe { ImageSize = 4097 } },
        { "the number of epochs is 0, but must be at least 1", new TrainingRecipe { Epochs = 0 } },
        { "the batch size is -1, but must be at least 1", new TrainingRecipe { BatchSize = -1 } },
        { "the learning rate is -0.1, but must be a finite number of at least 0", new TrainingRecipe { LearningRate = -0.1 } },
        { "the learning rate is NaN, but must be a finite number of at least 0", new TrainingRecipe { LearningRate = double.NaN } },
        { "the learning rate is Infinity, but must be a finite number of at least 0", new TrainingRecipe { LearningRate = double.PositiveInfinity } },
        { "the momentum is 1, but must be at least 0 and below 1", new TrainingRecipe { Sgd = new SgdSettings(1) } },
        { "the momentum is -0.5, but must be at least 0 and below 1", new TrainingRecipe { Sgd = new SgdSettings(-0.5) } },
        { "the momentum is NaN, but must be at least 0 and below 1", new TrainingRecipe { Sgd = new SgdSettings(double.NaN) } },
        { "the weight decay is -1, but must be a finite number of at least 0", new TrainingRecipe { Sgd = new SgdSettings(0, -1) } },
        { "the momentum is 0, but must be above 0 with Nesterov's step", new TrainingRecipe { Sgd = new SgdSettings(Nesterov: true) } },
        { "the dropout rate is 1, but must be at least 0 and below 1", new TrainingRecipe { DropoutRate = 1 } },
        { "the last convolution's first scale is NaN, but must be a finite number of at least 0", new TrainingRecipe { Initialization = Initialization.He with { OutputScale = double.NaN } } },
        { "the last convolution's first bias is -1, but must be a finite number of at least 0", new TrainingRecipe { Initialization = Initialization.He with { OutputBias = -1 } } },
        { "the one-cycle schedule's share of rising steps is 1.5, but must be between 0 and 1", new TrainingRecipe { Schedule = new OneCycleSchedule(1.5) } },
        { "the one-cycle schedule's start divisor is 0, but must be a finite number of at least 1", new TrainingRecipe { Schedule = new OneCycleSchedule(0.3, 0) } },
        { "the one-cycle schedule's end divisor is Infinity, but must be a finite number of at least 1", new TrainingRecipe { Schedule = new OneCycleSchedule(0.3, 25, double.PositiveInfinity) } },
        { "the largest gradient norm is 0, but must be a finite number above 0", new TrainingRecipe { ClipNorm = 0 } },
        { "the largest gradient norm is Infinity, but must be a finite number above 0", new TrainingRecipe { ClipNorm = double.PositiveInfinity } },
        { "the moving average's decay is 1, but must be at least 0 and below 1", new TrainingRecipe { EmaDecay = 1 } },
        { "the moving average's decay is NaN, but must be at least 0 and below 1", new TrainingRecipe { EmaDecay = double.NaN } },
        { "the probability of a flip is 1.5, but must be between 0 and 1", new TrainingRecipe { Augmentation = new(HorizontalFlip: 1.5) } },
        { "the padding of a crop is -1, but must be between 0 and 4096", new TrainingRecipe { Augmentation = new(CropPadding: -1) } },
        { "the padding of a crop is 4097, but must be between 0 and 4096", new TrainingRecipe { Augmentation = new(CropPadding: 4097) } },
        { "the probability of erasing is NaN, but must be between 0 and 1", new TrainingRecipe { Augmentation = new(ErasingProbability: double.NaN) } },
        { "the label smoothing is 1, but must be at least 0 and below 1", new TrainingRecipe { LabelSmoothing = 1 } },
        { "the label smoothing is NaN, but must be at least 0 and below 1", new TrainingRecipe { LabelSmoothing = double.NaN } },
        { "the dropout rate is -0.25, but must be at least 0 and below 1", new TrainingRecipe { DropoutRate = -0.25 } },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void Validate_ValueOutOfRange_NamesItAndTheRange(string expected, TrainingRecipe recipe) =>
        Assert.Equal(expected, Assert.Throws<ArgumentException>(recipe.Validate).Message);

    [Fact]
    public void Validate_LimitsThemselves_Pass() =>
        new TrainingRecipe { ImageSize = 4096, Epochs = 1, BatchSize = 1, LearningRate = 0, DropoutRate = 0, Sgd = new SgdSettings(0.999, 0, true) }.Validate();
}
