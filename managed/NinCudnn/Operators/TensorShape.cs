namespace NinCudnn.Operators;

/// <summary>Extents of an activation tensor. In memory the order is N, H, W, C (channels innermost).</summary>
/// <param name="N">Batch.</param>
/// <param name="C">Channels.</param>
/// <param name="H">Height.</param>
/// <param name="W">Width.</param>
public readonly record struct TensorShape(int N, int C, int H, int W)
{
    /// <summary>N·C·H·W.</summary>
    public long Count => (long)N * C * H * W;

    /// <summary>N·H·W: the rows of the tensor seen as a matrix with C columns.</summary>
    public long Rows => (long)N * H * W;

    /// <summary>For example <c>128×96×54×54</c>, in the order N, C, H, W.</summary>
    public override string ToString() => $"{N}×{C}×{H}×{W}";
}
