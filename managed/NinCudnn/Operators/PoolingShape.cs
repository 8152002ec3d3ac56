namespace NinCudnn.Operators;

/// <summary>What a pooling takes of its window.</summary>
public enum PoolingMode
{
    /// <summary>The maximum. Of equal values the first in row-major order gets the gradient.</summary>
    Max,

    /// <summary>The mean over the window's size.</summary>
    Average,
}

/// <summary>What a pooling computes on.</summary>
/// <param name="Input">x: (N, C, H, W).</param>
/// <param name="Mode">Maximum or mean.</param>
/// <param name="WindowH">Window height.</param>
/// <param name="WindowW">Window width.</param>
/// <param name="Stride">Stride in both directions.</param>
/// <param name="Pad">Padding on all sides; it never wins a maximum.</param>
public readonly record struct PoolingShape(TensorShape Input, PoolingMode Mode, int WindowH, int WindowW, int Stride, int Pad = 0)
{
    /// <summary>y: (N, C, 1 + (H + 2·pad − window) / stride, …), integer division.</summary>
    public TensorShape Output => Input with
    {
        H = 1 + (int)((Input.H + 2L * Pad - WindowH) / Stride),
        W = 1 + (int)((Input.W + 2L * Pad - WindowW) / Stride),
    };

    /// <summary>Refuses extents that no pooling can have.</summary>
    /// <exception cref="ArgumentException">An extent is not positive, the padding is more than half the window, or the window exceeds the padded input.</exception>
    public void Validate()
    {
        if (Math.Min(Math.Min(Input.N, Input.C), Math.Min(Input.H, Input.W)) < 1 || WindowH < 1 || WindowW < 1 || Stride < 1)
            throw new ArgumentException($"extents and strides must be at least 1: {this}");
        if (Pad < 0 || 2L * Pad > Math.Min(WindowH, WindowW))
            throw new ArgumentException($"padding must lie between 0 and half the window: {this}");
        if (WindowH > Input.H + 2L * Pad || WindowW > Input.W + 2L * Pad)
            throw new ArgumentException($"{WindowH}×{WindowW} window on {Input.H}×{Input.W} input with padding {Pad}");
    }

    /// <summary>For example <c>128×96×54×54, max 3×3 stride 2 pad 0</c>.</summary>
    public override string ToString() =>
        $"{Input}, {(Mode == PoolingMode.Max ? "max" : "average")} {WindowH}×{WindowW} stride {Stride} pad {Pad}";
}
