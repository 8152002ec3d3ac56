using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class ConfusionMatrixTests
{
    private readonly ConfusionMatrix _matrix = new(4);

    public ConfusionMatrixTests()
    {
        // Class 0: 3 samples, two found; class 1: 2, none found; class 2 is predicted only; class 3 is neither.
        (int Actual, int Predicted)[] samples = [(0, 0), (1, 0), (0, 0), (1, 2), (0, 1)];
        foreach (var (actual, predicted) in samples)
            _matrix.Add(actual, predicted);
    }

    [Fact]
    public void Counts_OfSamples_AreKept()
    {
        Assert.Equal((5, 2), (_matrix.Samples, _matrix.Correct));
        Assert.Equal([new(0, 0, 2), new(0, 1, 1), new(1, 0, 1), new(1, 2, 1)], _matrix.Cells);
        Assert.Equal((2, 1, 0), (_matrix[0, 0], _matrix[1, 2], _matrix[3, 0]));
    }

    [Fact]
    public void Of_EachClass_IsByDefinition()
    {
        ClassMetrics[] metrics = [.. Enumerable.Range(0, 4).Select(_matrix.Of)];
        Assert.Equal([2 / 3.0, 0, 0, null], metrics.Select(of => of.Precision));
        Assert.Equal([2 / 3.0, 0, null, null], metrics.Select(of => of.Recall));
        Assert.Equal([2 / 3.0, 0, null, null], metrics.Select(of => of.F1));
    }

    [Fact]
    public void F1_OfPrecisionAndRecall_IsTheirHarmonicMean()
    {
        var metrics = new ClassMetrics(Samples: 10, Predicted: 4, Correct: 3);
        Assert.Equal(2 / (1 / metrics.Precision!.Value + 1 / metrics.Recall!.Value), metrics.F1!.Value, tolerance: 1e-15);
    }

    [Fact]
    public void Mistakes_ComeWorstFirst()
    {
        _matrix.Add(1, 2);
        Assert.Equal([new(1, 2, 2), new(0, 1, 1), new(1, 0, 1)], _matrix.Mistakes);
    }

    [Fact]
    public void Add_SampleWithoutAnAnswer_CountsForItsClassOnly()
    {
        _matrix.Add(3, -1);
        Assert.Equal(6, _matrix.Samples);
        Assert.Equal(new ClassMetrics(1, 0, 0), _matrix.Of(3));
        Assert.Equal(5, _matrix.Cells.Sum(cell => cell.Count));
    }

    [Fact]
    public void Clear_AfterSamples_ForgetsThem()
    {
        _matrix.Clear();
        Assert.Equal((0, 0), (_matrix.Samples, _matrix.Correct));
        Assert.Empty(_matrix.Cells);
        Assert.Equal(default, _matrix.Of(0));
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(4, 0)]
    [InlineData(0, -2)]
    [InlineData(0, 4)]
    public void Add_NoSuchClass_Throws(int actual, int predicted) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _matrix.Add(actual, predicted));
}
