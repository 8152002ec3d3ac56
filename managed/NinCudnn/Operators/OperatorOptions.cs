namespace NinCudnn.Operators;

/// <summary>What the choice of an algorithm may take into account.</summary>
public sealed record OperatorOptions
{
    /// <summary>Element type of activations, filters and biases.</summary>
    public DataType DataType { get; init; } = DataType.Float32;

    /// <summary>Whether float32 products may be rounded to TF32 on GPUs that have it.</summary>
    public bool AllowTf32 { get; init; }

    /// <summary>Whether only algorithms that repeat bit for bit are admitted.</summary>
    public bool Deterministic { get; init; } = true;

    /// <summary>The most scratch memory that one call may ask for, in bytes.</summary>
    public long WorkspaceLimit { get; init; } = 512L << 20;
}
