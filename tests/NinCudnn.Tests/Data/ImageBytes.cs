using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;
using SkiaSharp;

namespace NinCudnn.Tests.Data;

/// <summary>Makes image files for the tests.</summary>
internal static class ImageBytes
{
    /// <summary>Encodes with Skia: PNG, lossless WebP, or JPEG of the best quality.</summary>
    /// <param name="rgba">(height, width, 4), not premultiplied.</param>
    public static unsafe byte[] Encode(SKEncodedImageFormat format, int height, int width, byte[] rgba)
    {
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        fixed (byte* address = rgba)
        {
            using var pixels = new SKPixmap(info, (nint)address);
            using var data = format switch
            {
                SKEncodedImageFormat.Webp => pixels.Encode(new SKWebpEncoderOptions(SKWebpEncoderCompression.Lossless, 100)),
                _ => pixels.Encode(format, 100),
            };
            return data!.ToArray();
        }
    }

    /// <summary>A PNG of one colour.</summary>
    public static byte[] Png(int height, int width, byte red, byte green, byte blue) =>
        Encode(SKEncodedImageFormat.Png, height, width, Uniform(height, width, red, green, blue));

    /// <summary>(height, width, 4) of one colour.</summary>
    public static byte[] Uniform(int height, int width, byte red, byte green, byte blue, byte alpha = 255) =>
        [.. Enumerable.Repeat<byte[]>([red, green, blue, alpha], height * width).SelectMany(pixel => pixel)];

    /// <summary>A PNG of any kind; the rows need not fit the header.</summary>
    /// <param name="height">Rows, by the header.</param>
    /// <param name="width">Columns, by the header.</param>
    /// <param name="depth">Bits of a sample.</param>
    /// <param name="colourType">0 grey, 2 colours, 6 colours and alpha.</param>
    /// <param name="rows">The samples of each row, big-endian.</param>
    public static byte[] Png(int height, int width, byte depth, byte colourType, params byte[][] rows)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (depth, colourType);
        var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            foreach (var row in rows)
                zlib.Write([0, .. row]);
        }

        return [0x89, .. "PNG\r\n\x1a\n"u8, .. Chunk("IHDR", header), .. Chunk("IDAT", data.ToArray()), .. Chunk("IEND", [])];
    }

    /// <summary>A BMP of 24 bits, which Skia reads but does not write.</summary>
    /// <param name="rgb">(height, width, 3).</param>
    public static byte[] Bmp(int height, int width, byte[] rgb)
    {
        const int HeaderBytes = 54;
        var rowBytes = (width * 3 + 3) / 4 * 4;
        var file = new byte[HeaderBytes + height * rowBytes];
        "BM"u8.CopyTo(file);
        foreach (var (offset, value) in new[] { (2, file.Length), (10, HeaderBytes), (14, 40), (18, width), (22, height), (26, 1 | 24 << 16) })
            BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(offset), value);
        for (var i = 0; i < height * width; i++)
        {
            var at = HeaderBytes + (height - 1 - i / width) * rowBytes + i % width * 3; // bottom row first; blue, green, red
            (file[at], file[at + 1], file[at + 2]) = (rgb[i * 3 + 2], rgb[i * 3 + 1], rgb[i * 3]);
        }

        return file;
    }

    /// <summary>Inserts an Exif segment with the orientation into a JPEG.</summary>
    public static byte[] WithOrientation(byte[] jpeg, byte orientation)
    {
        // TIFF, big-endian, one entry at offset 8: tag 0x0112, type 3 (short), one value.
        byte[] tiff = [.. "MM"u8, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
        byte[] content = [.. "Exif\0\0"u8, .. tiff];
        return [.. jpeg[..2], 0xff, 0xe1, 0, (byte)(content.Length + 2), .. content, .. jpeg[2..]];
    }

    private static byte[] Chunk(string type, byte[] content)
    {
        byte[] checkedBytes = [.. Encoding.ASCII.GetBytes(type), .. content];
        var chunk = new byte[content.Length + 12];
        BinaryPrimitives.WriteInt32BigEndian(chunk, content.Length);
        checkedBytes.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(chunk.Length - 4), Crc32(checkedBytes));
        return chunk;
    }

    public static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
                crc = crc >> 1 ^ (crc & 1) * 0xedb88320;
        }

        return ~crc;
    }
}
