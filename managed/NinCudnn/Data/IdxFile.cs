using System.Buffers.Binary;

namespace NinCudnn.Data;

/// <summary>A tensor of bytes from an IDX file.</summary>
/// <param name="Shape">The dimensions, outermost first; each at least 1.</param>
/// <param name="Values">The elements in row-major order.</param>
public sealed record IdxTensor(IReadOnlyList<int> Shape, byte[] Values);

/// <summary>
/// Reads IDX files, the format of MNIST: two zero bytes, a type byte, the rank, one big-endian 32-bit number per dimension, the elements in
/// row-major order. Only unsigned bytes (type 8) of rank 1 (labels) and 3 (images) are read, plain or gzip-compressed.
/// </summary>
public static class IdxFile
{
    private const byte UnsignedByte = 8;

    /// <summary>Reads a whole file. The header is checked against the file's length before memory is taken for the elements.</summary>
    /// <param name="path">The file; its first bytes tell whether it is gzip-compressed.</param>
    /// <param name="rank">The rank that is expected: 1 or 3.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="rank"/> is neither 1 nor 3.</exception>
    /// <exception cref="InvalidDataException">Not such a tensor, cut, too long or damaged. Offsets count decompressed bytes.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IdxTensor Read(string path, int rank)
    {
        if (rank is not (1 or 3))
            throw new ArgumentOutOfRangeException(nameof(rank), rank, "The rank must be 1 or 3.");

        using var content = ContentStream.Open(path);
        var shape = ReadHeader(path, content, rank, out var elementCount);
        var values = new byte[elementCount];
        var headerBytes = 4 + 4 * rank;
        var count = content.Read(values);
        if (count < elementCount)
            throw new InvalidDataException($"{path}: the content ends at offset {headerBytes + count}, {elementCount - count} bytes early");

        // Reading on to the end also makes gzip check its CRC-32.
        Span<byte> excess = stackalloc byte[1];
        if (content.Read(excess) != 0)
            throw new InvalidDataException($"{path}: there are bytes after the last element, from offset {headerBytes + count}");
        return new IdxTensor(shape, values);
    }

    private static int[] ReadHeader(string path, ContentStream content, int rank, out int elementCount)
    {
        Span<byte> header = stackalloc byte[4 + 4 * rank];
        var count = content.Read(header);
        if (count >= 4)
            CheckMagic(path, header[..4], rank);
        if (count < header.Length)
            throw new InvalidDataException($"{path}: the content ends at offset {count}, inside the header of {header.Length} bytes");

        var shape = new int[rank];
        UInt128 product = 1; // three 32-bit factors need 96 bits
        for (var axis = 0; axis < rank; axis++)
        {
            var offset = 4 + 4 * axis;
            var size = BinaryPrimitives.ReadUInt32BigEndian(header[offset..]);
            if (size is 0 or > int.MaxValue)
                throw new InvalidDataException($"{path}: dimension {axis} at offset {offset} is {size}, not from 1 to {int.MaxValue}");
            shape[axis] = (int)size;
            product *= size;
        }

        var contentBytes = content.Length - header.Length;
        var shapeText = string.Join('×', shape);
        if (product != (UInt128)contentBytes)
        {
            var length = content.IsGzip ? "the gzip trailer states" : "the file has";
            throw new InvalidDataException(
                $"{path}: the header at offset 4 says {shapeText} = {product} bytes, {length} {contentBytes} after the header: "
                + "truncated, too long or damaged");
        }

        if (product > (UInt128)Array.MaxLength)
            throw new InvalidDataException($"{path}: the header at offset 4 says {shapeText} = {product} bytes, more than an array holds");
        elementCount = (int)product;
        return shape;
    }

    private static void CheckMagic(string path, ReadOnlySpan<byte> magic, int rank)
    {
        if (magic is not [0, 0, _, _])
            throw new InvalidDataException($"{path}: not an IDX file, it begins with {Convert.ToHexString(magic)} at offset 0, not 0000");
        if (magic[2] != UnsignedByte)
            throw new InvalidDataException($"{path}: element type 0x{magic[2]:X2} at offset 2, only unsigned bytes (0x08) are supported");
        if (magic[3] != rank)
            throw new InvalidDataException($"{path}: rank {magic[3]} at offset 3, expected {rank}");
    }
}
