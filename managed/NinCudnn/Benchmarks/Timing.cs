namespace NinCudnn.Benchmarks;

/// <summary>Repeated measurements of one thing.</summary>
/// <param name="Median">The middle one.</param>
/// <param name="Low">The first quartile.</param>
/// <param name="High">The third quartile.</param>
public readonly record struct Timing(TimeSpan Median, TimeSpan Low, TimeSpan High)
{
    /// <summary>Sums up measurements.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static Timing Of(IEnumerable<TimeSpan> measurements)
    {
        TimeSpan[] sorted = [.. measurements.Order()];
        if (sorted.Length == 0)
            throw new ArgumentException("there are no measurements");
        return new Timing(At(0.5), At(0.25), At(0.75));

        TimeSpan At(double share)
        {
            double position = share * (sorted.Length - 1);
            int below = (int)position, above = Math.Min(below + 1, sorted.Length - 1);
            return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
        }
    }
}
