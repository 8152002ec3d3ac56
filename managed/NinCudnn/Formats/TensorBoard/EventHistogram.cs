using NinCudnn.Formats.TensorBoard;

namespace NinCudnn.Formats;

/// <summary>How values are distributed, as TensorBoard wants to know it.</summary>
internal static class EventHistogram
{
    private const int Buckets = 30; // as many as TensorBoard's own summary takes

    /// <summary>
    /// Counts values in intervals of equal width between the smallest and the largest. An interval contains its lower end, the last one
    /// both ends; equal values make a single interval. Values that are not finite are left out; without any other, all is zero.
    /// </summary>
    public static HistogramProto Of(ReadOnlySpan<float> values)
    {
        long count = 0;
        double min = double.PositiveInfinity, max = double.NegativeInfinity, sum = 0, squares = 0;
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                continue;
            count++;
            min = Math.Min(min, value);
            max = Math.Max(max, value);
            sum += value;
            squares += (double)value * value;
        }
        if (count == 0)
            return new HistogramProto();

        double[] limits = Limits(min, max);
        var counts = new double[limits.Length];
        foreach (float value in values)
        {
            if (float.IsFinite(value))
                counts[Index(limits, value)]++;
        }
        return new HistogramProto { Min = min, Max = max, Num = count, Sum = sum, SumSquares = squares, BucketLimit = { limits }, Bucket = { counts } };
    }

    /// <summary>The intervals' upper ends.</summary>
    private static double[] Limits(double min, double max)
    {
        var limits = new double[max > min ? Buckets : 1];
        for (int i = 0; i < limits.Length; i++)
            limits[i] = min + (max - min) * (i + 1) / limits.Length;
        limits[^1] = max; // to the bit
        return limits;
    }

    private static int Index(double[] limits, double value)
    {
        int found = Array.BinarySearch(limits, value);
        return Math.Min(found >= 0 ? found + 1 : ~found, limits.Length - 1);
    }
}
