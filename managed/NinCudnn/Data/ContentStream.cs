using System.Buffers.Binary;
using System.IO.Compression;

namespace NinCudnn.Data;

/// <summary>
/// The content of a data file that may be gzip-compressed, which its first bytes decide, not its name. Knows the content's length
/// before anything is decompressed, and turns every decompression error into an <see cref="InvalidDataException"/> with file and offset.
/// </summary>
internal sealed class ContentStream : IDisposable
{
    private const int SmallestGzip = 20; // header 10, empty deflate stream 2, CRC-32 and length 8
    private const int LargestDeflateRatio = 1032; // a deflate symbol of at least 2 bits gives at most 258 bytes

    private readonly string _shownAs;
    private readonly Stream _stream;
    private long _offset;

    private ContentStream(string shownAs, Stream stream, long length, bool isGzip)
    {
        _shownAs = shownAs;
        _stream = stream;
        Length = length;
        IsGzip = isGzip;
    }

    /// <summary>Bytes of content. For gzip this is the length that its trailer states.</summary>
    public long Length { get; }

    public bool IsGzip { get; }

    /// <param name="path">The file.</param>
    /// <param name="shownAs">What messages call it; its path unless given.</param>
    /// <exception cref="InvalidDataException">The file begins like gzip but is too short, or states a length it cannot hold.</exception>
    public static ContentStream Open(string path, string? shownAs = null)
    {
        shownAs ??= path;
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        try
        {
            Span<byte> magic = stackalloc byte[2];
            var isGzip = file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic is [0x1f, 0x8b];
            var length = isGzip ? ReadGzipLength(shownAs, file) : file.Length;
            file.Position = 0;
            return new ContentStream(shownAs, isGzip ? new GZipStream(file, CompressionMode.Decompress) : file, length, isGzip);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads until the buffer is full or the content ends.</summary>
    /// <returns>The bytes read.</returns>
    public int Read(Span<byte> buffer)
    {
        try
        {
            var count = _stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            _offset += count;
            return count;
        }
        catch (InvalidDataException e)
        {
            throw new InvalidDataException($"{_shownAs}: damaged gzip data after offset {_offset} of the content", e);
        }
    }

    public void Dispose() => _stream.Dispose();

    // GZipStream takes a file that was cut off for one that ends early and does not look at its trailer then; so a cut is found here:
    // the last four bytes of a whole file are the content's length mod 2^32 (RFC 1952; files of one member only).
    private static long ReadGzipLength(string shownAs, FileStream file)
    {
        if (file.Length < SmallestGzip)
            throw new InvalidDataException($"{shownAs}: truncated gzip file of {file.Length} bytes");
        Span<byte> trailer = stackalloc byte[4];
        file.Position = file.Length - trailer.Length;
        file.ReadExactly(trailer);
        long length = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        if (length > file.Length * LargestDeflateRatio)
        {
            throw new InvalidDataException(
                $"{shownAs}: the gzip trailer at offset {file.Length - trailer.Length} states {length} bytes of content, "
                + $"more than a file of {file.Length} bytes can hold: truncated or damaged");
        }

        return length;
    }
}
