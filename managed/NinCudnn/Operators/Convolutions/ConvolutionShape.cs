namespace NinCudnn.Operators;

/// <summary>
/// What a convolution computes on: y[n,k,p,q] = b[k] + Σ_{c,r,s} x[n, c, p·stride − pad + r, q·stride − pad + s] · w[k,c,r,s]
/// (the cross-correlation that neural networks call convolution), with x taken as 0 outside its bounds.
/// </summary>
/// <param name="Input">x: (N, C, H, W).</param>
/// <param name="K">Output channels.</param>
/// <param name="R">Filter height.</param>
/// <param name="S">Filter width.</param>
/// <param name="StrideH">Vertical stride.</param>
/// <param name="StrideW">Horizontal stride.</param>
/// <param name="PadH">Rows of zeros above and below.</param>
/// <param name="PadW">Columns of zeros left and right.</param>
public readonly record struct ConvolutionShape(TensorShape Input, int K, int R, int S, int StrideH, int StrideW, int PadH, int PadW)
{
    /// <summary>A convolution with the same stride and padding in both directions.</summary>
    public ConvolutionShape(TensorShape input, int k, int r, int s, int stride = 1, int pad = 0)
        : this(input, k, r, s, stride, stride, pad, pad)
    {
    }

    /// <summary>y: (N, K, 1 + (H + 2·pad − R) / stride, 1 + (W + 2·pad − S) / stride), integer division.</summary>
    public TensorShape Output => new(
        Input.N,
        K,
        1 + (Input.H + 2 * PadH - R) / StrideH,
        1 + (Input.W + 2 * PadW - S) / StrideW);

    /// <summary>Elements of the filter w, which lies in memory as (K, R, S, C).</summary>
    public long FilterCount => (long)K * R * S * Input.C;

    /// <summary>Multiplications of one pass in any direction, padding included.</summary>
    public long MultiplyAdds => Output.Count * R * S * Input.C;

    /// <summary>Whether it is a plain matrix product over channels.</summary>
    public bool IsPointwise => R == 1 && S == 1 && StrideH == 1 && StrideW == 1 && PadH == 0 && PadW == 0;

    /// <summary>Refuses extents that no convolution can have.</summary>
    /// <exception cref="ArgumentException">An extent is not positive, the padding is negative or too large, or the filter is larger than the padded input.</exception>
    public void Validate()
    {
        if (Math.Min(Math.Min(Input.N, Input.C), Math.Min(Input.H, Input.W)) < 1 || K < 1 || R < 1 || S < 1 || StrideH < 1 || StrideW < 1)
            throw new ArgumentException($"extents and strides must be at least 1: {this}");
        if (PadH < 0 || PadW < 0)
            throw new ArgumentException($"padding can't be negative: {this}");
        if (Input.H + 2L * PadH > int.MaxValue || Input.W + 2L * PadW > int.MaxValue)
            throw new ArgumentException($"the padded input has more than {int.MaxValue} rows or columns: {this}");
        if (R > Input.H + 2 * PadH || S > Input.W + 2 * PadW)
            throw new ArgumentException($"{R}×{S} kernel on {Input.H}×{Input.W} input with padding {PadH},{PadW}");
    }

    /// <summary>For example <c>128×96×26×26 → 256, 5×5 stride 1 pad 2</c>.</summary>
    public override string ToString() =>
        $"{Input} → {K}, {R}×{S} stride {Pair(StrideH, StrideW)} pad {Pair(PadH, PadW)}";

    private static string Pair(int vertical, int horizontal) =>
        vertical == horizontal ? $"{vertical}" : $"{vertical},{horizontal}";
}
