using System.Buffers.Binary;
using System.Numerics;

namespace NinCudnn.Numerics;

/// <summary>
/// SHA-256 of bytes that come in pieces. One of our own: .NET's needs OpenSSL, which a machine that only trains may lack. FIPS 180-4, section 6.2.
/// </summary>
internal sealed class Sha256
{
    /// <summary>Bytes of a hash.</summary>
    public const int HashBytes = 32;

    private const int BlockBytes = 64;

    private static ReadOnlySpan<uint> RoundConstants =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    private readonly uint[] _state = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
    private readonly byte[] _rest = new byte[BlockBytes]; // what does not fill a block yet
    private int _restBytes;
    private ulong _bytes;

    /// <summary>Takes the next bytes.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        _bytes += (ulong)bytes.Length;
        if (_restBytes > 0)
        {
            int taken = Math.Min(BlockBytes - _restBytes, bytes.Length);
            bytes[..taken].CopyTo(_rest.AsSpan(_restBytes));
            _restBytes += taken;
            bytes = bytes[taken..];
            if (_restBytes < BlockBytes)
                return;
            AddBlock(_rest);
        }
        for (; bytes.Length >= BlockBytes; bytes = bytes[BlockBytes..])
            AddBlock(bytes);
        bytes.CopyTo(_rest);
        _restBytes = bytes.Length;
    }

    /// <summary>The hash of all bytes, after which no more may come.</summary>
    public byte[] Finish()
    {
        ulong bits = _bytes * 8;
        int padding = BlockBytes - (_restBytes + sizeof(ulong)) % BlockBytes; // so that the length ends a block
        Span<byte> end = stackalloc byte[BlockBytes + sizeof(ulong)];
        end.Clear();
        end[0] = 0x80;
        BinaryPrimitives.WriteUInt64BigEndian(end[padding..], bits);
        Append(end[..(padding + sizeof(ulong))]);
        var hash = new byte[HashBytes];
        for (int i = 0; i < _state.Length; i++)
            BinaryPrimitives.WriteUInt32BigEndian(hash.AsSpan(i * sizeof(uint)), _state[i]);
        return hash;
    }

    private void AddBlock(ReadOnlySpan<byte> block)
    {
        Span<uint> w = stackalloc uint[BlockBytes];
        for (int t = 0; t < 16; t++)
            w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(t * sizeof(uint))..]);
        for (int t = 16; t < w.Length; t++)
        {
            uint before = w[t - 15], last = w[t - 2];
            w[t] = w[t - 16] + w[t - 7]
                + (BitOperations.RotateRight(before, 7) ^ BitOperations.RotateRight(before, 18) ^ (before >> 3))
                + (BitOperations.RotateRight(last, 17) ^ BitOperations.RotateRight(last, 19) ^ (last >> 10));
        }

        var (a, b, c, d, e, f, g, h) = (_state[0], _state[1], _state[2], _state[3], _state[4], _state[5], _state[6], _state[7]);
        ReadOnlySpan<uint> k = RoundConstants;
        for (int t = 0; t < w.Length; t++)
        {
            uint first = h + (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25))
                + ((e & f) ^ (~e & g)) + k[t] + w[t];
            uint second = (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22))
                + ((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }
        ReadOnlySpan<uint> sums = [a, b, c, d, e, f, g, h];
        for (int i = 0; i < sums.Length; i++)
            _state[i] += sums[i];
    }
}
