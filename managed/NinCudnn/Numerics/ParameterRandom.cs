namespace NinCudnn.Numerics;

/// <summary>
/// Reproducible parameter values: every parameter tensor has its own generator, seeded by its name, so a tensor's values depend
/// neither on the other tensors nor on the order in which they are filled.
/// </summary>
/// <remarks>
/// The state is h = FNV-1a 64 of the name's UTF-8 bytes; with a seed, h is xor-ed with the first output of SplitMix64(seed). Element i in
/// row-major order (OIHW for filters) takes the i-th output of SplitMix64(h): u = (output &gt;&gt; 40)·2^-24. For "0.0.weight" without a
/// seed: h = 0x38523ccc395c31a9, u = 0.8241785168647766, 0.792677640914917, 0.6749945878982544; with seed 0: h = 0xda7294f54241fc06.
/// </remarks>
public static class ParameterRandom
{
    /// <summary>The bound that goes with the name-only formula for biases.</summary>
    public const double BiasBound = 0.05;

    /// <summary>The bound that goes with the name-only formula for filters: sqrt(6 / fanIn).</summary>
    /// <param name="fanIn">C·R·S of the filter.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="fanIn"/> is less than 1.</exception>
    public static double WeightBound(int fanIn)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(fanIn, 1);
        return Math.Sqrt(6.0 / fanIn);
    }

    /// <summary>Returns the generator of one parameter tensor, before its first element.</summary>
    /// <param name="name">The tensor's full name, for example "0.0.weight".</param>
    /// <param name="seed">A seed that changes every tensor's sequence; null for the name alone.</param>
    public static SplitMix64 Generator(string name, ulong? seed = null)
    {
        var state = Fnv1a.Hash64(name);
        if (seed is { } value)
            state ^= new SplitMix64(value).NextUInt64();
        return new SplitMix64(state);
    }

    /// <summary>Fills a tensor uniformly in [-bound, bound): (2u - 1)·bound, computed in double and rounded once to float.</summary>
    /// <param name="name">The tensor's full name.</param>
    /// <param name="bound">Half the width of the interval; finite and not negative.</param>
    /// <param name="values">The whole tensor in row-major order, OIHW for filters.</param>
    /// <param name="seed">A seed that changes every tensor's sequence; null for the name alone.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="bound"/> is negative or not finite.</exception>
    public static void FillUniform(string name, double bound, Span<float> values, ulong? seed = null)
    {
        if (!double.IsFinite(bound) || bound < 0)
            throw new ArgumentOutOfRangeException(nameof(bound), bound, "The bound must be finite and not negative.");
        var generator = Generator(name, seed);
        foreach (ref var value in values)
            value = (float)((2 * generator.NextUnit() - 1) * bound);
    }
}
