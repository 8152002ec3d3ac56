using SkiaSharp;

namespace NinCudnn.Data;

/// <summary>
/// Decodes PNG, JPEG, BMP and WebP files to 8-bit pixels of one size, by the steps of Pillow's
/// <c>ImageOps.exif_transpose(image).convert(mode).resize(size, Image.BILINEAR)</c>: the orientation is applied, transparency is dropped (not
/// blended), colours are taken as they are stored (no colour management), and the conversion to grey goes before the resize. Of
/// samples of 16 bits the upper 8 are taken, of an animation the first picture.
/// </summary>
public static class ImageDecoder
{
    /// <summary>What the names of such files end in, with the dot, in lower case.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".png", ".jpg", ".jpeg", ".bmp", ".webp"];

    /// <summary>Pixels that an image may have; more are a mistake, or an attack on the memory.</summary>
    public const long DefaultMaxPixels = 100_000_000;

    private const int SourceChannels = 4; // red, green, blue, alpha
    private const int MaxFileBytes = 1 << 30; // more than the most pixels take uncompressed

    /// <summary>Decodes a file.</summary>
    /// <param name="path">The file; its content tells the format, not its name.</param>
    /// <param name="height">H, rows of the result.</param>
    /// <param name="width">W, columns of the result.</param>
    /// <param name="isLuma">Whether to make grey pixels.</param>
    /// <param name="pixels">(H, W, 3), or (H, W) for grey pixels.</param>
    /// <returns>Whether red, green and blue are equal in every pixel of the file.</returns>
    /// <exception cref="InvalidDataException">Not such an image, damaged, or of more than 100 megapixels; the message begins with the path.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static bool Decode(string path, int height, int width, bool isLuma, Span<byte> pixels)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            return Decode(file, height, width, isLuma, pixels);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Decodes the content of a file.</summary>
    /// <param name="content">The content; its beginning tells the format.</param>
    /// <param name="height">H, rows of the result.</param>
    /// <param name="width">W, columns of the result.</param>
    /// <param name="isLuma">Whether to make grey pixels.</param>
    /// <param name="pixels">(H, W, 3), or (H, W) for grey pixels.</param>
    /// <param name="maxPixels">Pixels that the image may have. What its header says is checked before memory is taken for it.</param>
    /// <returns>Whether red, green and blue are equal in every pixel of the image.</returns>
    /// <exception cref="InvalidDataException">Not such an image, damaged, or of too many pixels.</exception>
    public static bool Decode(Stream content, int height, int width, bool isLuma, Span<byte> pixels, long maxPixels = DefaultMaxPixels)
    {
        ArgumentNullException.ThrowIfNull(content);
        if (content.CanSeek && content.Length > MaxFileBytes)
            throw new InvalidDataException($"{content.Length} bytes, more than {MaxFileBytes}");
        // Not the stream itself: Skia's reads of one take as much memory as a header tells them to skip.
        using var data = SKData.Create(content);
        using var codec = data is null ? null : SKCodec.Create(data);
        if (codec is null)
            throw new InvalidDataException("no PNG, JPEG, BMP or WebP image, or its beginning is damaged");
        if (codec.EncodedFormat is not (SKEncodedImageFormat.Png or SKEncodedImageFormat.Jpeg or SKEncodedImageFormat.Bmp or SKEncodedImageFormat.Webp))
            throw new InvalidDataException($"a {codec.EncodedFormat} image, but only PNG, JPEG, BMP and WebP are read");
        var info = new SKImageInfo(codec.Info.Width, codec.Info.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var count = (long)info.Width * info.Height;
        maxPixels = Math.Min(maxPixels, Array.MaxLength / SourceChannels);
        if (count > maxPixels)
            throw new InvalidDataException(FormattableString.Invariant($"{info.Width}×{info.Height} pixels, more than {maxPixels / 1e6} megapixels"));

        var source = GC.AllocateUninitializedArray<byte>((int)count * SourceChannels); // (rows, columns, 4)
        var result = Read(codec, info, source);
        if (result != SKCodecResult.Success)
            throw new InvalidDataException($"the image is {(result == SKCodecResult.IncompleteInput ? "cut off" : $"damaged ({result})")}");
        return Convert(source, info.Height, info.Width, codec.EncodedOrigin, height, width, isLuma, pixels);
    }

    private static unsafe SKCodecResult Read(SKCodec codec, SKImageInfo info, byte[] pixels)
    {
        fixed (byte* address = pixels)
            return codec.GetPixels(info, (nint)address);
    }

    private static bool Convert(
        ReadOnlySpan<byte> source, int rows, int columns, SKEncodedOrigin origin, int height, int width, bool isLuma, Span<byte> pixels)
    {
        var isGrey = IsGrey(source);
        var channels = isLuma ? 1 : SourceChannels;
        if (isLuma)
            source = Luma(source);
        if (origin != SKEncodedOrigin.TopLeft)
            (source, rows, columns) = Upright(source, rows, columns, channels, origin);
        var resized = BilinearResize.Resize(source, rows, columns, channels, height, width);
        if (isLuma)
        {
            resized.CopyTo(pixels);
            return isGrey;
        }

        for (var (from, to) = (0, 0); to < pixels.Length; from += SourceChannels, to += 3)
            resized.AsSpan(from, 3).CopyTo(pixels[to..]);
        return isGrey;
    }

    private static bool IsGrey(ReadOnlySpan<byte> source)
    {
        for (var i = 0; i < source.Length; i += SourceChannels)
        {
            if (source[i] != source[i + 1] || source[i] != source[i + 2])
                return false;
        }

        return true;
    }

    /// <summary>ITU-R BT.601's luma, 0.299 R + 0.587 G + 0.114 B, in Pillow's fixed point: weights in units of 2^-16 that sum to 1, rounded.</summary>
    private static byte[] Luma(ReadOnlySpan<byte> source)
    {
        var grey = new byte[source.Length / SourceChannels];
        for (var i = 0; i < grey.Length; i++)
        {
            var pixel = source.Slice(i * SourceChannels, SourceChannels);
            grey[i] = (byte)((pixel[0] * 19595 + pixel[1] * 38470 + pixel[2] * 7471 + 0x8000) >> 16);
        }

        return grey;
    }

    /// <summary>Turns an image by what its Exif orientation says about where the stored first row and column belong.</summary>
    private static (byte[] Pixels, int Rows, int Columns) Upright(
        ReadOnlySpan<byte> source, int rows, int columns, int channels, SKEncodedOrigin origin)
    {
        var isTransposed = origin >= SKEncodedOrigin.LeftTop;
        var isBottomUp = origin is SKEncodedOrigin.BottomRight or SKEncodedOrigin.BottomLeft or SKEncodedOrigin.RightBottom or SKEncodedOrigin.RightTop;
        var isRightToLeft = origin is SKEncodedOrigin.TopRight or SKEncodedOrigin.BottomRight or SKEncodedOrigin.RightBottom or SKEncodedOrigin.LeftBottom;
        var upright = new byte[source.Length];
        var (height, width) = isTransposed ? (columns, rows) : (rows, columns);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (row, column) = isTransposed ? (x, y) : (y, x);
                row = isBottomUp ? rows - 1 - row : row;
                column = isRightToLeft ? columns - 1 - column : column;
                source.Slice((row * columns + column) * channels, channels).CopyTo(upright.AsSpan((y * width + x) * channels));
            }
        }

        return (upright, height, width);
    }
}
