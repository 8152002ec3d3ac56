namespace NinCudnn.Numerics;

/// <summary>
/// The SplitMix64 generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014): a 64-bit counter that
/// advances by the golden ratio and is mixed into the output. A mutable struct: pass it by <c>ref</c>, or a copy repeats the sequence.
/// </summary>
/// <remarks>With state 0 the first outputs are 0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f.</remarks>
/// <param name="state">The counter before the first call.</param>
public struct SplitMix64(ulong state)
{
    private ulong _state = state;

    /// <summary>Advances the counter and returns 64 random bits.</summary>
    public ulong NextUInt64()
    {
        unchecked
        {
            _state += 0x9E3779B97F4A7C15;
            var z = _state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }

    /// <summary>Returns a multiple of 2^-24 in [0, 1): the upper 24 bits of <see cref="NextUInt64"/>, exact as a float too.</summary>
    public double NextUnit() => (NextUInt64() >> 40) * (1.0 / (1 << 24));
}
