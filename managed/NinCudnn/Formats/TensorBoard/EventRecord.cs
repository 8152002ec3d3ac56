using System.Buffers.Binary;
using System.Numerics;

namespace NinCudnn.Formats;

/// <summary>
/// The framing of TensorFlow's record files. A record is, little-endian: the data's length (uint64), the masked checksum of those eight
/// bytes (uint32), the data, their masked checksum (uint32).
/// </summary>
internal static class EventRecord
{
    private const int HeadBytes = sizeof(ulong) + sizeof(uint);
    private const int TailBytes = sizeof(uint);

    /// <summary>Makes a record of its data.</summary>
    public static byte[] Frame(ReadOnlySpan<byte> data)
    {
        var record = new byte[HeadBytes + data.Length + TailBytes];
        Span<byte> length = record.AsSpan(0, sizeof(ulong)), body = record.AsSpan(HeadBytes, data.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(sizeof(ulong)), Mask(Crc32C(length)));
        data.CopyTo(body);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(HeadBytes + data.Length), Mask(Crc32C(body)));
        return record;
    }

    /// <summary>
    /// CRC-32C (Castagnoli): polynomial 0x1EDC6F41, bits reflected, register and result inverted. "123456789" has 0xE3069283.
    /// Source: RFC 3720, appendix B.4.
    /// </summary>
    internal static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }

    /// <summary>The format stores checksums rotated and shifted, as a checksum over data with checksums in them would be weak.</summary>
    internal static uint Mask(uint crc) => BitOperations.RotateRight(crc, 15) + 0xA282EAD8;
}
