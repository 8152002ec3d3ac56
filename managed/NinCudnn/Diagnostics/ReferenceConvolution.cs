using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>Convolution in plain loops, in float64, on NHWC activations and KRSC filters.</summary>
internal static class ReferenceConvolution
{
    public static double[] Forward(ConvolutionShape shape, float[] x, float[] w, float[] b)
    {
        var y = new double[shape.Output.Count];
        for (int i = 0; i < y.Length; i++)
            y[i] = b[i % shape.K];
        ForEachProduct(shape, (yIndex, xIndex, wIndex) => y[yIndex] += (double)x[xIndex] * w[wIndex]);
        return y;
    }

    public static double[] BackwardData(ConvolutionShape shape, float[] w, float[] dz)
    {
        var dx = new double[shape.Input.Count];
        ForEachProduct(shape, (yIndex, xIndex, wIndex) => dx[xIndex] += (double)dz[yIndex] * w[wIndex]);
        return dx;
    }

    public static double[] BackwardFilter(ConvolutionShape shape, float[] x, float[] dz)
    {
        var dw = new double[shape.FilterCount];
        ForEachProduct(shape, (yIndex, xIndex, wIndex) => dw[wIndex] += (double)dz[yIndex] * x[xIndex]);
        return dw;
    }

    /// <summary>Visits every product of the sums, with the positions of its three elements in memory.</summary>
    private static void ForEachProduct(ConvolutionShape shape, Action<int, int, int> visit)
    {
        var (input, output) = (shape.Input, shape.Output);
        for (int n = 0; n < input.N; n++)
            for (int p = 0; p < output.H; p++)
                for (int q = 0; q < output.W; q++)
                    for (int r = 0; r < shape.R; r++)
                        for (int s = 0; s < shape.S; s++)
                        {
                            int h = p * shape.StrideH - shape.PadH + r, w = q * shape.StrideW - shape.PadW + s;
                            if (h < 0 || h >= input.H || w < 0 || w >= input.W)
                                continue;
                            for (int k = 0; k < shape.K; k++)
                                for (int c = 0; c < input.C; c++)
                                {
                                    visit(
                                        ((n * output.H + p) * output.W + q) * shape.K + k,
                                        ((n * input.H + h) * input.W + w) * input.C + c,
                                        ((k * shape.R + r) * shape.S + s) * input.C + c);
                                }
                        }
    }
}
