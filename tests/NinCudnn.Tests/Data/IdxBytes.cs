using System.Buffers.Binary;
using System.IO.Compression;

namespace NinCudnn.Tests.Data;

/// <summary>Makes IDX files for the tests.</summary>
internal static class IdxBytes
{
    /// <summary>A file with any header fields; the payload need not fit them.</summary>
    public static byte[] Of(byte type, uint[] shape, ReadOnlySpan<byte> payload)
    {
        var bytes = new byte[4 + 4 * shape.Length + payload.Length];
        bytes[2] = type;
        bytes[3] = (byte)shape.Length;
        for (var axis = 0; axis < shape.Length; axis++)
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4 + 4 * axis), shape[axis]);
        payload.CopyTo(bytes.AsSpan(4 + 4 * shape.Length));
        return bytes;
    }

    public static byte[] Labels(params byte[] labels) => Of(8, [(uint)labels.Length], labels);

    /// <summary>Images whose bytes count up from 0.</summary>
    public static byte[] Images(int count, int height, int width) => Of(
        8, [(uint)count, (uint)height, (uint)width], [.. Enumerable.Range(0, count * height * width).Select(value => (byte)value)]);

    public static byte[] Gzip(ReadOnlySpan<byte> bytes)
    {
        var stream = new MemoryStream();
        using (var gzip = new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true))
            gzip.Write(bytes);
        return stream.ToArray();
    }
}
