using NinCudnn.Numerics;

namespace NinCudnn.Tests.Operators;

/// <summary>Reproducible operands.</summary>
internal static class TestNumbers
{
    /// <summary>
    /// Integers from −bound to bound. As long as a sum has fewer than 2²⁴ / (bound of the products) terms, float32 holds every
    /// partial sum exactly, so that any order of summation gives the same bits.
    /// </summary>
    public static float[] Integers(long count, int bound, ulong seed)
    {
        var random = new SplitMix64(seed);
        var values = new float[count];
        foreach (ref float value in values.AsSpan())
            value = (int)(random.NextUInt64() % (ulong)(2 * bound + 1)) - bound;
        return values;
    }

    /// <summary>Uniform in [low, high).</summary>
    public static float[] Uniform(long count, double low, double high, ulong seed)
    {
        var random = new SplitMix64(seed);
        var values = new float[count];
        foreach (ref float value in values.AsSpan())
            value = (float)(low + (high - low) * random.NextUnit());
        return values;
    }

    /// <summary>Bytes from 0 to 255.</summary>
    public static byte[] Bytes(long count, ulong seed)
    {
        var random = new SplitMix64(seed);
        var values = new byte[count];
        foreach (ref byte value in values.AsSpan())
            value = (byte)random.NextUInt64();
        return values;
    }
}
