using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class ClassScoresTests
{
    [Theory]
    [InlineData(new[] { 0f, 0f, 0f }, 0)] // as the loss kernel: the first of equal ones
    [InlineData(new[] { -3f, 2f, 2f }, 1)]
    [InlineData(new[] { float.NegativeInfinity, float.NegativeInfinity }, 0)]
    [InlineData(new[] { 1f, float.PositiveInfinity }, 1)]
    [InlineData(new[] { 5f, float.NaN }, -1)]
    public void Best_OfScores_IsTheFirstGreatest(float[] logits, int expected) => Assert.Equal(expected, ClassScores.Best(logits));

    [Fact]
    public void Best_SomeOfScores_AreInOrder()
    {
        Assert.Equal([2, 0, 3], ClassScores.Best([4, -1, 9, 4], 3));
        Assert.Equal([1, 0], ClassScores.Best([0, 1], 5));
    }

    [Fact]
    public void Softmax_OfRows_IsTheFormula()
    {
        float[] scores = [0, 0, 1, -2, 1000, 998]; // e¹⁰⁰⁰ is more than float64 holds
        ClassScores.Softmax(scores, 2);

        double[] expected = [0.5, 0.5, 1 / (1 + Math.Exp(-3)), 1 / (1 + Math.Exp(3)), 1 / (1 + Math.Exp(-2)), 1 / (1 + Math.Exp(2))];
        Comparison.Check<float>(
            scores, [.. expected.Select(value => (float)value)], [3, 2], Tolerance.Relative(Math.Pow(2, -23), "one rounding on each side"), "softmax");
    }

    [Fact]
    public void Softmax_RowWithNaN_IsNaNAndLeavesTheOthers()
    {
        float[] scores = [1, float.NaN, 7, 7];
        ClassScores.Softmax(scores, 2);
        Assert.Equal([float.NaN, float.NaN, 0.5f, 0.5f], scores);
    }

    [Fact]
    public void Softmax_NoRows_IsRefused() => Assert.Throws<ArgumentException>(() => ClassScores.Softmax(new float[5], 2));
}
