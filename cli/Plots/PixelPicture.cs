using SkiaSharp;

namespace NinCudnn.Cli.Plots;

/// <summary>Pictures of pixels as they are.</summary>
internal static class PixelPicture
{
    /// <summary>Makes a picture of an image.</summary>
    /// <param name="pixels">(height, width, channels)</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <param name="channels">1 for grey, 3 for red, green and blue; of other numbers the first channel is shown.</param>
    public static SKBitmap Create(ReadOnlySpan<byte> pixels, int height, int width, int channels)
    {
        var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        Span<byte> target = bitmap.GetPixelSpan();
        for (int i = 0; i < height * width; i++)
        {
            ReadOnlySpan<byte> pixel = pixels.Slice(i * channels, channels);
            target[4 * i] = pixel[0];
            target[4 * i + 1] = channels == 3 ? pixel[1] : pixel[0];
            target[4 * i + 2] = channels == 3 ? pixel[2] : pixel[0];
            target[4 * i + 3] = byte.MaxValue;
        }
        return bitmap;
    }

    /// <summary>The picture as a PNG file.</summary>
    public static byte[] EncodePng(SKBitmap bitmap)
    {
        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, quality: 100);
        return data.ToArray();
    }
}
