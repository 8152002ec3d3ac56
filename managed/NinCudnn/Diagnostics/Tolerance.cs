namespace NinCudnn.Diagnostics;

/// <summary>How far a result a may lie from its reference r: |a − r| ≤ Absolute + Relative·|r|, and why.</summary>
internal readonly record struct Tolerance(double Absolute, double Relative, string Reason)
{
    /// <summary>Equal numbers; zeros of either sign are equal.</summary>
    public static Tolerance Exact { get; } = new(0, 0, "must be exact");

    /// <summary>
    /// For sums of integers no larger than 256. Every wrong, missing or doubled summand changes such a sum by 1 at least, so a
    /// quarter tells right from wrong with certainty; it leaves room for algorithms that transform their operands (Winograd,
    /// FFT), which the library may choose and which do not compute exactly on integers, in 16-bit types least of all.
    /// </summary>
    public static Tolerance Integer { get; } = new(0.25, 0, "sums of integers, a mistake is 1 at least");

    public double Allowed(double reference) => Absolute + Relative * Math.Abs(reference);
}
