using NinCudnn.Networks;
using SkiaSharp;

namespace NinCudnn.Cli.Plots;

/// <summary>The first layer's filters side by side. Grey is zero; each filter is scaled by its own greatest weight.</summary>
internal static class FilterPicture
{
    private const int Columns = 16;
    private const byte Zero = 128;

    /// <param name="filter">A filter (K, C, R, S); of more than three channels, or of two, the first is shown.</param>
    /// <param name="weights">Its values in that order.</param>
    public static SKBitmap Create(Parameter filter, float[] weights)
    {
        var (k, channels, rows, columns) = (filter.Shape[0], filter.Shape[1], filter.Shape[2], filter.Shape[3]);
        int perRow = Math.Min(Columns, k), lines = (k + perRow - 1) / perRow, shown = channels == 3 ? 3 : 1;
        int height = lines * (rows + 1) + 1, width = perRow * (columns + 1) + 1; // with a pixel between them
        var pixels = new byte[height * width * shown]; // black, as is what stays free
        for (int i = 0; i < k; i++)
        {
            float[] values = weights[(i * channels * rows * columns)..((i + 1) * channels * rows * columns)];
            float greatest = Math.Max(values.Max(MathF.Abs), float.Epsilon);
            for (int c = 0; c < shown; c++)
            {
                for (int place = 0; place < rows * columns; place++)
                {
                    int y = i / perRow * (rows + 1) + 1 + place / columns, x = i % perRow * (columns + 1) + 1 + place % columns;
                    float share = values[c * rows * columns + place] / greatest;
                    pixels[(y * width + x) * shown + c] = float.IsNaN(share) ? byte.MinValue : (byte)(Zero + share * (Zero - 1));
                }
            }
        }
        return PixelPicture.Create(pixels, height, width, shown);
    }
}
