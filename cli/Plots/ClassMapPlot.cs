using NinCudnn.Data;
using ScottPlot;
using SkiaSharp;

namespace NinCudnn.Cli.Plots;

/// <summary>
/// An image, and beside it the same with a class map over it: dark violet where nothing speaks for the class, over green to yellow where
/// most does (the perceptually uniform colours of Viridis, from the map's least to its greatest value).
/// </summary>
internal static class ClassMapPlot
{
    /// <summary>Height and width in pixels at which the image is drawn.</summary>
    public const int Size = 448;

    private const double MapShare = 0.6; // of the map's colour in a pixel; the rest is the image
    private const int Margin = 16;
    private const int TitleHeight = 48;

    /// <param name="path">The picture's file.</param>
    /// <param name="image">(<see cref="Size"/>, <see cref="Size"/>, channels)</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="map">(height, width)</param>
    /// <param name="height">The map's rows.</param>
    /// <param name="width">The map's columns.</param>
    /// <param name="title">Stands over the map.</param>
    public static void Save(string path, byte[] image, int channels, float[] map, int height, int width, string title)
    {
        using SKBitmap input = PixelPicture.Create(image, Size, Size, channels), overlay = Overlay(input, map, height, width);
        Picture.Save(path, (2 * (Size + 2 * Margin), Size + TitleHeight + Margin), Panel(input, "input"), Panel(overlay, title));
    }

    private static Plot Panel(SKBitmap bitmap, string title)
    {
        Plot plot = Picture.CreatePlot();
        plot.Add.ImageRect(new Image(bitmap), new CoordinateRect(0, Size, 0, Size));
        plot.Axes.SetLimits(0, Size, 0, Size);
        plot.HideGrid();
        plot.Layout.Fixed(new PixelPadding(Margin, Margin, Margin, TitleHeight));
        plot.Axes.Frameless();
        plot.Title(title, size: 18);
        return plot;
    }

    private static SKBitmap Overlay(SKBitmap image, float[] map, int height, int width)
    {
        float[] smooth = Upsample(map, height, width);
        float least = smooth.Min(), range = smooth.Max() - least;
        var colours = new ScottPlot.Colormaps.Viridis();
        var overlay = new SKBitmap(image.Info);
        for (int i = 0; i < smooth.Length; i++)
        {
            var (y, x) = Math.DivRem(i, Size);
            SKColor pixel = image.GetPixel(x, y);
            Color colour = colours.GetColor(range > 0 ? (smooth[i] - least) / range : 0);
            overlay.SetPixel(x, y, new SKColor(Blend(colour.R, pixel.Red), Blend(colour.G, pixel.Green), Blend(colour.B, pixel.Blue)));
        }
        return overlay;

        static byte Blend(byte colour, byte pixel) => (byte)Math.Round(MapShare * colour + (1 - MapShare) * pixel);
    }

    /// <summary>Bilinearly, by the same positions as images are resized.</summary>
    private static float[] Upsample(float[] map, int height, int width)
    {
        ResizeAxis rows = BilinearResize.Axis(height, Size), columns = BilinearResize.Axis(width, Size);
        var wide = new float[height * Size];
        for (int i = 0; i < wide.Length; i++)
            wide[i] = Sample(columns, i % Size, tap => map[i / Size * width + tap]);
        var result = new float[Size * Size];
        for (int i = 0; i < result.Length; i++)
            result[i] = Sample(rows, i / Size, tap => wide[tap * Size + i % Size]);
        return result;
    }

    private static float Sample(ResizeAxis axis, int position, Func<int, float> value)
    {
        double sum = 0;
        for (int tap = 0; tap < axis.Bounds[position * 2 + 1]; tap++)
            sum += (double)axis.Weights[position * axis.Taps + tap] / (1 << BilinearResize.WeightBits) * value(axis.Bounds[position * 2] + tap);
        return (float)sum;
    }
}
