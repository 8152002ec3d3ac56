using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace NinCudnn.Numerics;

/// <summary>
/// Names content as git does. With a SHA-1 of its own: .NET's needs OpenSSL, which a machine that only trains may lack. It identifies, and
/// protects nothing.
/// </summary>
public static class GitBlob
{
    private const int BlockBytes = 64;

    /// <summary>
    /// The SHA-1 of "blob", a space, the length in decimal, a zero byte, and the bytes: 40 hexadecimal digits, as <c>git hash-object</c> gives them.
    /// </summary>
    public static string Hash(ReadOnlySpan<byte> content)
    {
        byte[] head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"blob {content.Length}\0"));
        Span<uint> state = [0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0];
        long bytes = head.Length + (long)content.Length;

        // The first block begins with the head, and all others with the rest of the content; the last ones hold the padding.
        int first = Math.Min(BlockBytes - head.Length, content.Length);
        byte[] start = [.. head, .. content[..first]];
        content = content[first..];
        if (start.Length == BlockBytes)
        {
            Add(state, start);
            start = [];
        }
        for (; content.Length >= BlockBytes; content = content[BlockBytes..])
            Add(state, content);

        byte[] rest = [.. start, .. content, 0x80]; // either start or content is empty
        int padded = (rest.Length + sizeof(ulong) + BlockBytes - 1) / BlockBytes * BlockBytes;
        Array.Resize(ref rest, padded);
        BinaryPrimitives.WriteUInt64BigEndian(rest.AsSpan(padded - sizeof(ulong)), (ulong)bytes * 8);
        for (ReadOnlySpan<byte> end = rest; end.Length > 0; end = end[BlockBytes..])
            Add(state, end);
        return string.Concat(state.ToArray().Select(word => word.ToString("x8", CultureInfo.InvariantCulture)));
    }

    /// <summary>SHA-1's step for one block of 64 bytes. FIPS 180-4, section 6.1.2.</summary>
    private static void Add(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> w = stackalloc uint[80];
        for (int t = 0; t < 16; t++)
            w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(t * sizeof(uint))..]);
        for (int t = 16; t < w.Length; t++)
            w[t] = BitOperations.RotateLeft(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);

        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4]);
        for (int t = 0; t < w.Length; t++)
        {
            var (f, k) = (t / 20) switch
            {
                0 => ((b & c) ^ (~b & d), 0x5A827999u),
                1 => (b ^ c ^ d, 0x6ED9EBA1u),
                2 => ((b & c) ^ (b & d) ^ (c & d), 0x8F1BBCDCu),
                _ => (b ^ c ^ d, 0xCA62C1D6u),
            };
            (a, b, c, d, e) = (BitOperations.RotateLeft(a, 5) + f + e + k + w[t], a, BitOperations.RotateLeft(b, 30), c, d);
        }
        (state[0], state[1], state[2], state[3], state[4]) = (state[0] + a, state[1] + b, state[2] + c, state[3] + d, state[4] + e);
    }
}
