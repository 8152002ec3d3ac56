namespace NinCudnn.Tests;

/// <summary>How far a result may lie from its reference: |a - r| ≤ AbsoluteError + RelativeError·|r|, and why.</summary>
public sealed record Tolerance
{
    private Tolerance(double absolute, double relativeError, string reason)
    {
        if (!(absolute >= 0 && relativeError >= 0 && double.IsFinite(absolute) && double.IsFinite(relativeError)))
            throw new ArgumentException($"Tolerances are finite and not negative: {absolute}, {relativeError}.");
        ArgumentException.ThrowIfNullOrWhiteSpace(reason);
        AbsoluteError = absolute;
        RelativeError = relativeError;
        Reason = reason;
    }

    /// <summary>Equal numbers; zeros of either sign are equal.</summary>
    public static Tolerance Exact { get; } = new(0, 0, "exact");

    public double AbsoluteError { get; }

    public double RelativeError { get; }

    public string Reason { get; }

    /// <summary>Whether NaN passes where the reference is NaN; it fails everywhere else in any case.</summary>
    public bool NanEqualsNan { get; init; }

    public static Tolerance Absolute(double error, string reason) => new(error, 0, reason);

    public static Tolerance Relative(double error, string reason) => new(0, error, reason);

    public static Tolerance Of(double absolute, double relative, string reason) => new(absolute, relative, reason);

    public bool Accepts(double actual, double reference)
    {
        if (double.IsNaN(reference))
            return NanEqualsNan && double.IsNaN(actual);
        if (double.IsInfinity(reference))
            return actual == reference;
        return Math.Abs(actual - reference) <= AbsoluteError + RelativeError * Math.Abs(reference); // false for NaN
    }

    public override string ToString() =>
        $"atol {AbsoluteError:g3}, rtol {RelativeError:g3}{(NanEqualsNan ? ", NaN equals NaN" : "")} ({Reason})";
}
