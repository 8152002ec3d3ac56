using NinCudnn.Data;
using NinCudnn.Tests.Operators;
using SkiaSharp;
using Xunit;

namespace NinCudnn.Tests.Data;

public sealed class ImageDecoderTests : IDisposable
{
    // (3, 4, 4): 3 rows of 4 pixels, all values and all alphas different.
    private static readonly byte[] _rgba = [.. Enumerable.Range(0, 48).Select(i => (byte)(i * 53 + 17))];
    private static readonly byte[] _rgb = [.. _rgba.Where((_, i) => i % 4 != 3)];
    private static readonly byte[] _opaque = [.. _rgba.Select((value, i) => i % 4 == 3 ? (byte)255 : value)];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Decode_LosslessFormats_GivesTheStoredPixels()
    {
        Assert.Equal(_rgb, Decode(ImageBytes.Encode(SKEncodedImageFormat.Png, 3, 4, _opaque), 3, 4, 3).Pixels);
        Assert.Equal(_rgb, Decode(ImageBytes.Encode(SKEncodedImageFormat.Webp, 3, 4, _opaque), 3, 4, 3).Pixels);
        Assert.Equal(_rgb, Decode(ImageBytes.Bmp(3, 4, _rgb), 3, 4, 3).Pixels);
    }

    [Theory]
    [InlineData(200, 30, 100)]
    [InlineData(0, 0, 255)]
    [InlineData(77, 77, 77)]
    public void Decode_Jpeg_GivesTheColour(byte red, byte green, byte blue)
    {
        var pixels = Decode(ImageBytes.Encode(SKEncodedImageFormat.Jpeg, 16, 24, ImageBytes.Uniform(16, 24, red, green, blue)), 16, 24, 3).Pixels;

        // JPEG stores rounded luma and chroma: half a unit of each, of which blue takes the largest share, 1 + 1.772.
        Assert.All(Enumerable.Range(0, pixels.Length), i => Assert.InRange(pixels[i] - (i % 3 == 0 ? red : i % 3 == 1 ? green : blue), -2, 2));
    }

    // Pillow 9.4.0: Image.frombytes("RGBA", (4, 3), bytes((i * 53 + 17) % 256 for i in range(48))).convert("RGB").resize((3, 2), Image.BILINEAR).
    [Fact]
    public void Decode_TransparentPixels_KeepTheirColoursAsInPillow()
    {
        var image = Decode(ImageBytes.Encode(SKEncodedImageFormat.Png, 3, 4, _rgba), 2, 3, 3);

        Assert.Equal([82, 87, 140, 141, 114, 87, 155, 141, 146, 134, 187, 128, 81, 134, 187, 95, 81, 134], image.Pixels);
        Assert.False(image.IsGrey);
    }

    // The same with convert("L").
    [Fact]
    public void Decode_AsLuma_EqualsPillow()
    {
        var image = Decode(ImageBytes.Encode(SKEncodedImageFormat.Png, 3, 4, _rgba), 2, 3, 1);

        Assert.Equal([91, 119, 146, 165, 124, 91], image.Pixels);
        Assert.False(image.IsGrey);
    }

    [Fact]
    public void Decode_GreyPng_IsGrey()
    {
        var image = Decode(ImageBytes.Png(2, 3, 8, 0, [0, 100, 200], [50, 255, 7]), 2, 3, 3);

        Assert.True(image.IsGrey);
        Assert.Equal(new byte[] { 0, 100, 200, 50, 255, 7 }.SelectMany(value => new[] { value, value, value }), image.Pixels);
        Assert.Equal([0, 100, 200, 50, 255, 7], Decode(ImageBytes.Png(2, 3, 8, 0, [0, 100, 200], [50, 255, 7]), 2, 3, 1).Pixels);
    }

    [Theory]
    [InlineData(9, 9, 9, true)]
    [InlineData(9, 9, 10, false)]
    [InlineData(9, 10, 9, false)]
    public void Decode_ColourPng_IsGreyIfEveryPixelIs(byte red, byte green, byte blue, bool isGrey)
    {
        byte[] rgba = [.. ImageBytes.Uniform(1, 2, 5, 5, 5), red, green, blue, 255];

        Assert.Equal(isGrey, Decode(ImageBytes.Encode(SKEncodedImageFormat.Png, 1, 3, rgba), 1, 3, 1).IsGrey);
    }

    [Fact]
    public void Decode_SixteenBits_GiveTheirUpperEight()
    {
        byte[] row = [0x00, 0x00, 0x01, 0x01, 0x80, 0x80, 0xff, 0xff, 0x12, 0x80, 0x12, 0xff];

        Assert.Equal([0, 1, 128, 255, 18, 18], Decode(ImageBytes.Png(1, 6, 16, 0, row), 1, 6, 1).Pixels);
        Assert.Equal([0, 1, 128, 255, 18, 18], Decode(ImageBytes.Png(1, 2, 16, 2, row), 1, 2, 3).Pixels);
    }

    // The letters are colours of 8×8 blocks, which JPEG keeps apart; stored: first row "RG", second row "BW".
    [Theory]
    [InlineData(1, "RG BW")]
    [InlineData(2, "GR WB")]
    [InlineData(3, "WB GR")]
    [InlineData(4, "BW RG")]
    [InlineData(5, "RB GW")]
    [InlineData(6, "BR WG")]
    [InlineData(7, "WG BR")]
    [InlineData(8, "GW RB")]
    public void Decode_ExifOrientation_IsApplied(byte orientation, string expected)
    {
        // 16 rows of 32 pixels, so that a transposed image has another shape.
        var rgba = Enumerable.Range(0, 16 * 32).SelectMany(i => Colour("RGBW"[i / 32 / 8 * 2 + i % 32 / 16])).ToArray();
        var jpeg = ImageBytes.WithOrientation(ImageBytes.Encode(SKEncodedImageFormat.Jpeg, 16, 32, rgba), orientation);
        var (height, width) = orientation <= 4 ? (16, 32) : (32, 16);

        var pixels = Decode(jpeg, height, width, 3).Pixels;

        var corners = new[] { (0, 0), (0, width - 1), (height - 1, 0), (height - 1, width - 1) }
            .Select(at => "RGBW".MinBy(letter => Colour(letter).Take(3).Select((value, c) => Math.Abs(value - pixels[(at.Item1 * width + at.Item2) * 3 + c])).Sum()));
        Assert.Equal(expected.Replace(" ", "", StringComparison.Ordinal), string.Concat(corners));

        static byte[] Colour(char letter) => letter switch
        {
            'R' => [255, 0, 0, 255],
            'G' => [0, 255, 0, 255],
            'B' => [0, 0, 255, 255],
            _ => [255, 255, 255, 255],
        };
    }

    [Fact]
    public void Decode_NoImage_SaysSo()
    {
        var error = Assert.Throws<InvalidDataException>(() => Decode("<html>"u8.ToArray(), 1, 1, 3));

        Assert.Equal($"{_directory.File("image.png")}: no PNG, JPEG, BMP or WebP image, or its beginning is damaged", error.Message);
        Assert.Throws<InvalidDataException>(() => Decode([], 1, 1, 3));
    }

    [Fact]
    public void Decode_Gif_IsRefused()
    {
        byte[] gif = [.. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b];

        var error = Assert.Throws<InvalidDataException>(() => Decode(gif, 1, 1, 3));

        Assert.Equal($"{_directory.File("image.png")}: a Gif image, but only PNG, JPEG, BMP and WebP are read", error.Message);
    }

    [Theory]
    [InlineData(SKEncodedImageFormat.Png)]
    [InlineData(SKEncodedImageFormat.Jpeg)]
    [InlineData(SKEncodedImageFormat.Webp)]
    public void Decode_CutFile_Throws(SKEncodedImageFormat format)
    {
        byte[] noise = [.. TestNumbers.Bytes(64 * 64 * 4, 1).Select((value, i) => i % 4 == 3 ? (byte)255 : value)];
        var whole = ImageBytes.Encode(format, 64, 64, noise);

        var error = Assert.Throws<InvalidDataException>(() => Decode(whole[..(whole.Length / 2)], 64, 64, 3));

        Assert.StartsWith($"{_directory.File("image.png")}: the image ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_HeaderClaimsTooManyPixels_IsRefusedBeforeMemoryIsTaken()
    {
        var path = _directory.Write("image.png", ImageBytes.Png(10_001, 10_000, 8, 0, [1, 2, 3]));
        var pixels = new byte[3];
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Assert.Throws<InvalidDataException>(() => ImageDecoder.Decode(path, 1, 1, false, pixels));

        Assert.Equal($"{path}: 10000×10001 pixels, more than 100 megapixels", error.Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000_000);
    }

    [Fact]
    public void Decode_MissingFile_ThrowsAboutTheFile() =>
        Assert.Throws<FileNotFoundException>(() => ImageDecoder.Decode(_directory.File("none.png"), 1, 1, false, new byte[3]));

    private (byte[] Pixels, bool IsGrey) Decode(byte[] file, int height, int width, int channels)
    {
        var pixels = new byte[height * width * channels];
        var isGrey = ImageDecoder.Decode(_directory.Write("image.png", file), height, width, channels == 1, pixels);
        return (pixels, isGrey);
    }
}
