using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>Pooling in plain loops, in float64, on NHWC activations.</summary>
internal static class ReferencePooling
{
    public static double[] Forward(PoolingShape shape, float[] x)
    {
        var y = new double[shape.Output.Count];
        ForEachWindow(shape, (yIndex, window) =>
            y[yIndex] = shape.Mode == PoolingMode.Max ? window.Max(i => x[i]) : window.Sum(i => (double)x[i]) / (shape.WindowH * shape.WindowW));
        return y;
    }

    public static double[] Backward(PoolingShape shape, float[] x, float[] dy)
    {
        var dx = new double[shape.Input.Count];
        ForEachWindow(shape, (yIndex, window) =>
        {
            if (shape.Mode == PoolingMode.Max)
            {
                dx[window.MaxBy(i => x[i])] += dy[yIndex]; // of equal maxima the first
                return;
            }
            foreach (int i in window)
                dx[i] += (double)dy[yIndex] / (shape.WindowH * shape.WindowW);
        });
        return dx;
    }

    /// <summary>Visits every window, with the position of its output and those of its elements inside the input, row by row.</summary>
    private static void ForEachWindow(PoolingShape shape, Action<int, List<int>> visit)
    {
        var (input, output) = (shape.Input, shape.Output);
        for (int n = 0; n < input.N; n++)
            for (int p = 0; p < output.H; p++)
                for (int q = 0; q < output.W; q++)
                    for (int c = 0; c < input.C; c++)
                    {
                        List<int> window = [];
                        for (int r = 0; r < shape.WindowH; r++)
                            for (int s = 0; s < shape.WindowW; s++)
                            {
                                int h = p * shape.Stride - shape.Pad + r, w = q * shape.Stride - shape.Pad + s;
                                if (h >= 0 && h < input.H && w >= 0 && w < input.W)
                                    window.Add(((n * input.H + h) * input.W + w) * input.C + c);
                            }
                        visit(((n * output.H + p) * output.W + q) * input.C + c, window);
                    }
    }
}
