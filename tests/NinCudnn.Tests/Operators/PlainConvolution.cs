using NinCudnn.Operators;

namespace NinCudnn.Tests.Operators;

/// <summary>The formulas of <see cref="ConvolutionShape"/> as loops, in float64. Activations in NHWC, filters in KRSC.</summary>
internal static class PlainConvolution
{
    public static float[] Forward(ConvolutionShape shape, float[] x, float[] w, float[] b)
    {
        TensorShape output = shape.Output;
        var sums = new double[output.Count];
        for (int i = 0; i < sums.Length; i++)
            sums[i] = b[i % output.C];
        Visit(shape, (xi, wi, yi) => sums[yi] += (double)x[xi] * w[wi]);
        return Round(sums);
    }

    public static float[] BackwardData(ConvolutionShape shape, float[] w, float[] dz)
    {
        var sums = new double[shape.Input.Count];
        Visit(shape, (xi, wi, yi) => sums[xi] += (double)dz[yi] * w[wi]);
        return Round(sums);
    }

    public static float[] BackwardFilter(ConvolutionShape shape, float[] x, float[] dz)
    {
        var sums = new double[shape.FilterCount];
        Visit(shape, (xi, wi, yi) => sums[wi] += (double)dz[yi] * x[xi]);
        return Round(sums);
    }

    /// <summary>Goes through all products of the sum with the positions of x, w and y in memory.</summary>
    private static void Visit(ConvolutionShape shape, Action<int, int, int> visit)
    {
        TensorShape input = shape.Input, output = shape.Output;
        for (int n = 0; n < output.N; n++)
            for (int p = 0; p < output.H; p++)
                for (int q = 0; q < output.W; q++)
                    for (int k = 0; k < output.C; k++)
                        for (int r = 0; r < shape.R; r++)
                            for (int s = 0; s < shape.S; s++)
                            {
                                int h = p * shape.StrideH - shape.PadH + r, column = q * shape.StrideW - shape.PadW + s;
                                if (h < 0 || h >= input.H || column < 0 || column >= input.W)
                                    continue;
                                for (int c = 0; c < input.C; c++)
                                {
                                    visit(
                                        ((n * input.H + h) * input.W + column) * input.C + c,
                                        ((k * shape.R + r) * shape.S + s) * input.C + c,
                                        ((n * output.H + p) * output.W + q) * output.C + k);
                                }
                            }
    }

    private static float[] Round(double[] sums) => [.. sums.Select(sum => (float)sum)];
}
