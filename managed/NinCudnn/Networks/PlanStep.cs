using System.Collections.Immutable;

namespace NinCudnn.Networks;

/// <summary>What a step of a plan does for its layer.</summary>
public enum PlanStepKind
{
    /// <summary>Makes the batch.</summary>
    Input,

    /// <summary>A layer's output.</summary>
    Forward,

    /// <summary>Loss, its gradient, and the running sums.</summary>
    Loss,

    /// <summary>A layer's gradient towards its input.</summary>
    BackwardData,

    /// <summary>The gradient of a filter.</summary>
    BackwardFilter,

    /// <summary>The gradient through a rectifier, with that of the bias.</summary>
    BackwardBias,

    /// <summary>The optimiser.</summary>
    Update,
}

/// <summary>One operator call of a plan.</summary>
/// <param name="Layer">The layer or convolution, for example <c>0.2</c>.</param>
/// <param name="Kind">What it does.</param>
/// <param name="MultiplyAdds">Multiplications with addition.</param>
/// <param name="Bytes">Bytes that must be read and written at least, each operand once.</param>
/// <param name="Enqueue">Queues it on the plan's stream.</param>
public sealed record PlanStep(string Layer, PlanStepKind Kind, long MultiplyAdds, long Bytes, Action Enqueue)
{
    /// <summary>How a convolution is carried out, see <see cref="Operators.ConvolutionOperator.MethodName"/>; null for other steps.</summary>
    public string? Method { get; init; }

    /// <summary>Scratch memory that it uses.</summary>
    public long WorkspaceBytes { get; init; }

    /// <summary>Numbers that it reads.</summary>
    internal ImmutableArray<PlanOperand> Inputs { get; init; } = [];

    /// <summary>Numbers that it writes, some of them in place of those that it reads.</summary>
    internal ImmutableArray<PlanOperand> Outputs { get; init; } = [];
}
