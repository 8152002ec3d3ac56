using System.Text;

namespace NinCudnn.Numerics;

/// <summary>64-bit FNV-1a, the hash that turns a parameter's name into the start of its random sequence.</summary>
public static class Fnv1a
{
    private const ulong OffsetBasis = 0xcbf29ce484222325;
    private const ulong Prime = 0x100000001b3;

    /// <summary>Hashes bytes: h = offset basis; for each byte, h = (h xor byte)·prime mod 2^64.</summary>
    /// <param name="bytes">The bytes to hash, in order.</param>
    /// <returns>The hash; 0xcbf29ce484222325 for no bytes.</returns>
    public static ulong Hash64(ReadOnlySpan<byte> bytes)
    {
        var hash = OffsetBasis;
        foreach (var value in bytes)
            hash = unchecked((hash ^ value) * Prime);
        return hash;
    }

    /// <summary>Hashes the UTF-8 bytes of <paramref name="text"/>.</summary>
    /// <param name="text">The text to hash.</param>
    /// <returns>The hash; for example 0x38523ccc395c31a9 for "0.0.weight".</returns>
    public static ulong Hash64(string text) => Hash64(Encoding.UTF8.GetBytes(text));
}
