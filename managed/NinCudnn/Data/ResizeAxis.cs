namespace NinCudnn.Data;

/// <summary>
/// The weights of a resize along one axis: output o = (2^21 + Σ_t Weights[o, t]·input[Bounds[o, 0] + t]) &gt;&gt; 22, clamped to 0…255,
/// with t = 0 … Bounds[o, 1] - 1. Built by <see cref="BilinearResize.Axis"/>. The arrays are shared and must not be changed.
/// </summary>
public sealed class ResizeAxis
{
    internal ResizeAxis(int[] bounds, int[] weights, int taps)
    {
        Bounds = bounds;
        Weights = weights;
        Taps = taps;
    }

    /// <summary>(out, 2): the first input position of each output position, and how many input positions it reads (at least 1).</summary>
    public int[] Bounds { get; }

    /// <summary>(out, Taps): the weights in units of 2^-22; 0 past the position's count.</summary>
    public int[] Weights { get; }

    /// <summary>The largest number of input positions that an output position reads.</summary>
    public int Taps { get; }
}
