using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>How far a plan goes.</summary>
public enum PlanMode
{
    /// <summary>Forward without dropout, and loss.</summary>
    Evaluation,

    /// <summary>Forward, loss, backward and update.</summary>
    Training,
}

/// <summary>What a plan is compiled for.</summary>
public sealed record PlanOptions
{
    /// <summary>Samples in the batch.</summary>
    public required int Batch { get; init; }

    /// <summary>Height of the network's input.</summary>
    public required int Height { get; init; }

    /// <summary>Width of the network's input.</summary>
    public required int Width { get; init; }

    /// <summary>How far it goes.</summary>
    public PlanMode Mode { get; init; } = PlanMode.Training;

    /// <summary>Types and limits of its operators.</summary>
    public OperatorOptions Operators { get; init; } = new();

    /// <summary>Statistics for the input pixels; null leaves them in [0, 1].</summary>
    public Normalization? Normalization { get; init; }

    /// <summary>Random changes of the images in training; null for none.</summary>
    public Augmentation? Augmentation { get; init; }

    /// <summary>The optimiser's settings; null computes gradients without an update.</summary>
    public SgdSettings? Sgd { get; init; } = new SgdSettings();

    /// <summary>The largest global norm that the optimiser takes gradients with, see <see cref="GradientClipping"/>; null for any.</summary>
    public double? ClipNorm { get; init; }

    /// <summary>
    /// The share that a step keeps of the parameters' moving average, which lies in <see cref="PlanResources.Average"/>, see
    /// <see cref="SgdStep"/>; null for no average.
    /// </summary>
    public double? EmaDecay { get; init; }

    /// <summary>The share of the loss's target that all classes divide among them in training, see <see cref="SoftmaxCrossEntropy"/>.</summary>
    public double LabelSmoothing { get; init; }

    /// <summary>Seed of the dropout masks and of the augmentation.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether the gradient of the input is computed too, which training does not need.</summary>
    public bool InputGradient { get; init; }

    /// <summary>Whether every layer's output stays readable after a run, at the price of memory.</summary>
    public bool KeepLayerOutputs { get; init; }

    /// <summary>Whether the plan is captured after its first run and then launched as one graph.</summary>
    public bool Replay { get; init; } = true;
}
