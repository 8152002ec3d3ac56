using System.Collections.Immutable;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>How a network is trained. The defaults are the seed recipe, Dive into Deep Learning's, exactly.</summary>
public sealed record TrainingRecipe
{
    internal const int MaxImageSize = 4096;

    /// <summary>A name to show.</summary>
    public string Name { get; init; } = "seed";

    /// <summary>Height and width that images are resized to.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Passes over the training set.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Samples per step; an epoch's last step takes what is left.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>The rate that the schedule's factor multiplies.</summary>
    public double LearningRate { get; init; } = 0.1;

    /// <summary>How the rate changes.</summary>
    public LearningRateSchedule Schedule { get; init; } = new ConstantSchedule();

    /// <summary>Momentum and weight decay.</summary>
    public SgdSettings Sgd { get; init; }

    /// <summary>First values of the parameters.</summary>
    public Initialization Initialization { get; init; } = Initialization.Xavier;

    /// <summary>Whether pixels are normalised by the training set's mean and deviation; else they stay in [0, 1].</summary>
    public bool NormalizeInput { get; init; }

    /// <summary>What the network computes in.</summary>
    public Precision Precision { get; init; }

    /// <summary>The rate of every dropout layer; null leaves the architecture's.</summary>
    public double? DropoutRate { get; init; }

    /// <summary>
    /// The share of the loss's target that all classes divide among them, as in torch.nn.CrossEntropyLoss. It counts in the training
    /// loss that is reported, and never in evaluation.
    /// </summary>
    public double LabelSmoothing { get; init; }

    /// <summary>
    /// The largest global norm that a step's gradients may have; larger ones are scaled down to it, as by torch.nn.utils.clip_grad_norm_.
    /// Null leaves them as they are.
    /// </summary>
    public double? ClipNorm { get; init; }

    /// <summary>
    /// The share that each step keeps of a moving average of the parameters, which is what is evaluated and saved then; smaller in the first
    /// steps, see <see cref="SgdStep"/>. Null keeps no average.
    /// </summary>
    public double? EmaDecay { get; init; }

    /// <summary>Random changes of the training images; null for none. Evaluation never has any.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>The book's recipe.</summary>
    public static TrainingRecipe Seed { get; } = new();

    /// <summary>Shows learning within minutes on a small CPU; found by measurement, see docs/recipes.md.</summary>
    public static TrainingRecipe Quick { get; } = new()
    {
        Name = "quick",
        ImageSize = 72,
        Epochs = 3,
        BatchSize = 64,
        LearningRate = 0.02,
        Schedule = new OneCycleSchedule(),
        Sgd = new SgdSettings(Momentum: 0.9),
        Initialization = Initialization.He with { OutputScale = 0.3 }, // a large first loss can kill the last rectifier
        NormalizeInput = true,
    };

    /// <summary>The strongest that was found for Fashion-MNIST in ten epochs, see docs/recipes.md.</summary>
    public static TrainingRecipe Best { get; } = new()
    {
        Name = "best",
        ImageSize = 132, // among the smallest that leave the last block 3×3 places
        Epochs = 10,
        BatchSize = 64,
        LearningRate = 0.03,
        Schedule = new OneCycleSchedule(),
        Sgd = new SgdSettings(Momentum: 0.9, WeightDecay: 5e-4, Nesterov: true),
        Initialization = Initialization.He with { OutputScale = 0.3, OutputBias = 1 },
        NormalizeInput = true,
        DropoutRate = 0.5,
        EmaDecay = 0.999,
        Augmentation = new Augmentation(HorizontalFlip: 0.5),
    };

    /// <summary>The built-in recipes.</summary>
    public static ImmutableArray<TrainingRecipe> BuiltIn { get; } = [Seed, Quick, Best];

    /// <summary>Refuses values that no training can have.</summary>
    /// <exception cref="ArgumentException">A value is out of range; the message names it.</exception>
    public void Validate()
    {
        Setting.Require(ImageSize is >= 1 and <= MaxImageSize, "the image size", ImageSize, $"between 1 and {MaxImageSize}");
        Setting.Require(Epochs >= 1, "the number of epochs", Epochs, "at least 1");
        Setting.Require(BatchSize >= 1, "the batch size", BatchSize, "at least 1");
        Setting.Require(LearningRate >= 0 && double.IsFinite(LearningRate), "the learning rate", LearningRate, "a finite number of at least 0");
        Setting.Require(Sgd.Momentum is >= 0 and < 1, "the momentum", Sgd.Momentum, "at least 0 and below 1");
        Setting.Require(Sgd.WeightDecay >= 0 && double.IsFinite(Sgd.WeightDecay), "the weight decay", Sgd.WeightDecay, "a finite number of at least 0");
        Setting.Require(!Sgd.Nesterov || Sgd.Momentum > 0, "the momentum", Sgd.Momentum, "above 0 with Nesterov's step");
        Setting.Require(DropoutRate is null or (>= 0 and < 1), "the dropout rate", DropoutRate ?? 0, "at least 0 and below 1");
        Setting.Require(ClipNorm is null || (ClipNorm > 0 && double.IsFinite(ClipNorm.Value)), "the largest gradient norm", ClipNorm ?? 0, "a finite number above 0");
        Setting.Require(EmaDecay is null or (>= 0 and < 1), "the moving average's decay", EmaDecay ?? 0, "at least 0 and below 1");
        Setting.Require(LabelSmoothing is >= 0 and < 1, "the label smoothing", LabelSmoothing, "at least 0 and below 1");
        Augmentation augmentation = Augmentation ?? Augmentation.None;
        Setting.Require(augmentation.HorizontalFlip is >= 0 and <= 1, "the probability of a flip", augmentation.HorizontalFlip, "between 0 and 1");
        Setting.Require(
            augmentation.CropPadding is >= 0 and <= AugmentationDraw.MaxCropPadding,
            "the padding of a crop", augmentation.CropPadding, $"between 0 and {AugmentationDraw.MaxCropPadding}");
        Setting.Require(augmentation.ErasingProbability is >= 0 and <= 1, "the probability of erasing", augmentation.ErasingProbability, "between 0 and 1");
        Setting.Require(
            Initialization.OutputScale >= 0 && double.IsFinite(Initialization.OutputScale),
            "the last convolution's first scale", Initialization.OutputScale, "a finite number of at least 0");
        Setting.Require(
            Initialization.OutputBias >= 0 && double.IsFinite(Initialization.OutputBias),
            "the last convolution's first bias", Initialization.OutputBias, "a finite number of at least 0");
        Schedule.Validate();
    }
}
