using System.Numerics;
using Xunit;

namespace NinCudnn.Tests;

/// <summary>The one way to compare a tensor with its reference.</summary>
public static class Comparison
{
    /// <summary>Fails the test unless every element is within the tolerance.</summary>
    /// <param name="actual">The result.</param>
    /// <param name="reference">What it should be.</param>
    /// <param name="shape">The dimensions of both, outermost first; they name the worst element.</param>
    /// <param name="tolerance">How far they may differ.</param>
    /// <param name="what">What is compared and how to repeat it: shape, seed, provider, mode.</param>
    public static void Check<T>(
        ReadOnlySpan<T> actual, ReadOnlySpan<T> reference, ReadOnlySpan<int> shape, Tolerance tolerance, string what)
        where T : unmanaged, INumber<T>
    {
        if (Describe(actual, reference, shape, tolerance, what) is { } message)
            Assert.Fail(message);
    }

    /// <summary>Returns the message about the elements outside the tolerance, or null if there are none.</summary>
    public static string? Describe<T>(
        ReadOnlySpan<T> actual, ReadOnlySpan<T> reference, ReadOnlySpan<int> shape, Tolerance tolerance, string what)
        where T : unmanaged, INumber<T>
    {
        long elements = 1;
        foreach (var size in shape)
            elements *= size;
        if (actual.Length != elements || reference.Length != elements)
        {
            return $"{what}: {actual.Length} elements against {reference.Length}, "
                + $"the shape [{string.Join(", ", shape.ToArray())}] has {elements}";
        }


        var failures = 0;
        var worst = -1;
        var worstExcess = double.NegativeInfinity;
        for (var i = 0; i < actual.Length; i++)
        {
            var (a, r) = (double.CreateChecked(actual[i]), double.CreateChecked(reference[i]));
            if (tolerance.Accepts(a, r))
                continue;
            failures++;
            var excess = Math.Abs(a - r) - tolerance.RelativeError * Math.Abs(r);
            if (double.IsNaN(excess))
                excess = double.PositiveInfinity; // a wrong NaN or infinity is worse than any wrong number
            if (excess > worstExcess)
                (worst, worstExcess) = (i, excess);
        }

        return failures == 0
            ? null
            : $"{what}: {failures} of {elements} elements differ, worst at [{string.Join(", ", MultiIndex(worst, shape))}]: "
                + $"{actual[worst]:g9} against {reference[worst]:g9}, {tolerance}";
    }

    private static int[] MultiIndex(int index, ReadOnlySpan<int> shape)
    {
        var result = new int[shape.Length];
        for (var axis = shape.Length - 1; axis >= 0; axis--)
        {
            result[axis] = index % shape[axis];
            index /= shape[axis];
        }

        return result;
    }
}
