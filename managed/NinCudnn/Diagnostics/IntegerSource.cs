using NinCudnn.Numerics;

namespace NinCudnn.Diagnostics;

/// <summary>Reproducible small integers: sums of their products have no rounding in any order, so results must be exact.</summary>
internal sealed class IntegerSource(ulong seed)
{
    private SplitMix64 _random = new(seed);

    /// <summary>Integers from −bound to bound.</summary>
    public float[] Next(long count, int bound)
    {
        var values = new float[count];
        for (int i = 0; i < values.Length; i++)
            values[i] = (int)(_random.NextUInt64() >> 33) % (2 * bound + 1) - bound;
        return values;
    }

    /// <summary>A permutation of 0 … count − 1.</summary>
    public int[] Permutation(int count)
    {
        int[] order = [.. Enumerable.Range(0, count)];
        for (int i = count - 1; i > 0; i--)
        {
            int j = (int)(_random.NextUInt64() % (ulong)(i + 1));
            (order[i], order[j]) = (order[j], order[i]);
        }
        return order;
    }
}
