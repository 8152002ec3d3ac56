using NinCudnn.Operators;

namespace LowLevelConvolution;

/// <summary>The formulas of <see cref="ConvolutionShape"/> as loops.</summary>
internal static class PlainConvolution
{
    /// <summary>y[n,p,q,k] = b[k] + Σ x[n,h,w,c] · w[k,r,s,c]</summary>
    public static float[] Forward(ConvolutionShape shape, float[] x, float[] w, float[] b)
    {
        var y = new float[shape.Output.Count];
        for (int i = 0; i < y.Length; i++)
            y[i] = b[i % shape.K];
        foreach (var (xi, wi, yi) in Products(shape))
            y[yi] += x[xi] * w[wi];
        return y;
    }

    /// <summary>The gradient of x, given that of the sums.</summary>
    public static float[] BackwardData(ConvolutionShape shape, float[] w, float[] dz)
    {
        var dx = new float[shape.Input.Count];
        foreach (var (xi, wi, yi) in Products(shape))
            dx[xi] += dz[yi] * w[wi];
        return dx;
    }

    /// <summary>The gradient of w, given that of the sums.</summary>
    public static float[] BackwardFilter(ConvolutionShape shape, float[] x, float[] dz)
    {
        var dw = new float[shape.FilterCount];
        foreach (var (xi, wi, yi) in Products(shape))
            dw[wi] += dz[yi] * x[xi];
        return dw;
    }

    /// <summary>All products of the convolution, as positions in x (N, H, W, C), w (K, R, S, C) and y (N, P, Q, K).</summary>
    private static IEnumerable<(int X, int W, int Y)> Products(ConvolutionShape shape)
    {
        TensorShape input = shape.Input, output = shape.Output;
        for (int n = 0; n < output.N; n++)
            for (int p = 0; p < output.H; p++)
                for (int q = 0; q < output.W; q++)
                    for (int k = 0; k < output.C; k++)
                        for (int r = 0; r < shape.R; r++)
                            for (int s = 0; s < shape.S; s++)
                            {
                                int row = p * shape.StrideH - shape.PadH + r, column = q * shape.StrideW - shape.PadW + s;
                                if (row < 0 || row >= input.H || column < 0 || column >= input.W)
                                    continue; // padding: zeros
                                for (int c = 0; c < input.C; c++)
                                {
                                    yield return (
                                        ((n * input.H + row) * input.W + column) * input.C + c,
                                        ((k * shape.R + r) * shape.S + s) * input.C + c,
                                        ((n * output.H + p) * output.W + q) * output.C + k);
                                }
                            }
    }
}
