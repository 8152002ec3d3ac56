using System.Buffers.Binary;
using NinCudnn.Data;
using NinCudnn.Tests.Data;
using SkiaSharp;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>Images of each format.</summary>
internal sealed class ImageTarget() : FuzzTarget<byte[]>("image")
{
    private const int Height = 5;
    private const int Width = 7;
    private const int MaxPixels = 1 << 20;
    private const int PngSignatureBytes = 8;

    private static readonly byte[] _pixels = [.. Enumerable.Range(0, 13 * 11 * 4).Select(i => (byte)(i % 4 == 3 ? 255 : i * 7))];

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        ImageBytes.Encode(SKEncodedImageFormat.Png, 13, 11, _pixels),
        ImageBytes.Encode(SKEncodedImageFormat.Jpeg, 13, 11, _pixels),
        ImageBytes.WithOrientation(ImageBytes.Encode(SKEncodedImageFormat.Jpeg, 13, 11, _pixels), 6),
        ImageBytes.Encode(SKEncodedImageFormat.Webp, 13, 11, _pixels),
        ImageBytes.Bmp(13, 11, _pixels[..(13 * 11 * 3)]),
        ImageBytes.Png(3, 4, 16, 2, new byte[24], new byte[24], new byte[24]),
    ];

    public override int ShortRun => 3000;

    /// <summary>The checksums of a PNG's chunks.</summary>
    public override byte[] Repair(byte[] input)
    {
        if (input is not [0x89, (byte)'P', ..])
            return input;
        byte[] png = [.. input];
        int at = PngSignatureBytes;
        while (at + 12 <= png.Length && BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at)) is var length && length <= png.Length - at - 12)
        {
            int end = at + 8 + (int)length;
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(end), ImageBytes.Crc32(png.AsSpan(at + 4, (int)length + 4)));
            at = end + 4;
        }
        return png;
    }

    protected override byte[] Read(string path)
    {
        var pixels = new byte[Height * Width * 3];
        using FileStream file = File.OpenRead(path);
        ImageDecoder.Decode(file, Height, Width, isLuma: false, pixels, MaxPixels);
        return pixels;
    }

    protected override void Check(byte[] value, string path, byte[] input)
    {
        var again = new byte[value.Length];
        bool isGrey = ImageDecoder.Decode(path, Height, Width, isLuma: false, again);
        Assert.Equal(value, again);
        if (isGrey)
            Assert.All(value.Chunk(3), pixel => Assert.True(pixel[0] == pixel[1] && pixel[0] == pixel[2]));
    }

    // The decoded pixels, once more upright, and the resize's.
    protected override long MaxAllocated(int inputBytes) => base.MaxAllocated(inputBytes) + 4 * 4 * MaxPixels;
}
