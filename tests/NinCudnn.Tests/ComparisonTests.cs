using Xunit;

namespace NinCudnn.Tests;

public class ComparisonTests
{
    private static readonly Tolerance _loose = Tolerance.Of(0.5, 0.25, "round numbers for the test");

    [Theory]
    [InlineData(10.0, 13.0, true)] // 3 ≤ 0.5 + 0.25·13
    [InlineData(10.0, 7.0, false)] // 3 > 0.5 + 0.25·7
    [InlineData(0.5, 0.0, true)]
    [InlineData(-0.0, 0.0, true)]
    [InlineData(double.NaN, 0.0, false)]
    [InlineData(0.0, double.NaN, false)]
    [InlineData(double.NaN, double.NaN, false)]
    [InlineData(double.PositiveInfinity, double.PositiveInfinity, true)]
    [InlineData(double.NegativeInfinity, double.PositiveInfinity, false)]
    [InlineData(1.0, double.PositiveInfinity, false)]
    [InlineData(double.PositiveInfinity, 1.0, false)]
    public void Accepts_FollowsTheRule(double actual, double reference, bool expected) =>
        Assert.Equal(expected, _loose.Accepts(actual, reference));

    [Theory]
    [InlineData(float.NaN, float.NaN, true)]
    [InlineData(float.NaN, 1f, false)]
    [InlineData(1f, float.NaN, false)]
    public void Accepts_NanAllowed_OnlyWhereTheReferenceIsNan(float actual, float reference, bool expected) =>
        Assert.Equal(expected, (Tolerance.Exact with { NanEqualsNan = true }).Accepts(actual, reference));

    [Fact]
    public void Describe_Failures_NamesCountWorstIndexValuesAndTolerance()
    {
        float[] actual = [1, 2, 3, 4, 5, 9];
        float[] reference = [1, 2, 3, 4, 6, 6];

        var message = Comparison.Describe<float>(actual, reference, [1, 2, 3], Tolerance.Absolute(0.5, "half a step"), "y, seed 7");

        Assert.Equal("y, seed 7: 2 of 6 elements differ, worst at [0, 1, 2]: 9 against 6, atol 0.5, rtol 0 (half a step)", message);
    }

    [Fact]
    public void Describe_Nan_IsWorseThanAnyNumber()
    {
        float[] actual = [100, float.NaN, -100];

        var message = Comparison.Describe<float>(actual, [0, 0, 0], [3], Tolerance.Exact, "y");

        Assert.Contains("3 of 3 elements differ, worst at [1]: NaN against 0", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Describe_WrongLength_IsReported()
    {
        var message = Comparison.Describe<byte>([1, 2], [1, 2, 3], [3], Tolerance.Exact, "y");
        Assert.Equal("y: 2 elements against 3, the shape [3] has 3", message);
    }

    [Fact]
    public void Check_EqualIntegers_Passes() => Comparison.Check<long>([1L << 40, -5], [1L << 40, -5], [2], Tolerance.Exact, "indices");

    [Fact]
    public void Check_Difference_Fails() =>
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => Comparison.Check<byte>([1], [2], [1], Tolerance.Exact, "y"));

    [Theory]
    [InlineData(-1.0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Tolerance_NotAFinitePositiveNumber_Throws(double error) =>
        Assert.Throws<ArgumentException>(() => Tolerance.Absolute(error, "invalid"));

    [Fact]
    public void Tolerance_WithoutReason_Throws() => Assert.Throws<ArgumentException>(() => Tolerance.Relative(0.1, " "));
}
