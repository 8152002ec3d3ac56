using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

/// <summary>Against plain loops. Integers make sums exact, and tie often.</summary>
public class PoolingTests
{
    public static TheoryData<PoolingShape> Shapes() =>
    [
        new PoolingShape(new TensorShape(1, 1, 1, 1), PoolingMode.Max, 1, 1, 1),
        new PoolingShape(new TensorShape(2, 3, 9, 6), PoolingMode.Max, 3, 3, 2),
        new PoolingShape(new TensorShape(2, 3, 8, 7), PoolingMode.Max, 3, 3, 2, 1), // windows reach over the border
        new PoolingShape(new TensorShape(1, 5, 6, 9), PoolingMode.Max, 2, 4, 1, 1),
        new PoolingShape(new TensorShape(3, 9, 7, 5), PoolingMode.Max, 5, 5, 1, 2), // every window overlaps every other
        new PoolingShape(new TensorShape(2, 17, 5, 7), PoolingMode.Max, 2, 2, 3), // gaps between windows
        new PoolingShape(new TensorShape(2, 3, 4, 8), PoolingMode.Average, 4, 8, 1),
        new PoolingShape(new TensorShape(2, 3, 6, 5), PoolingMode.Average, 2, 2, 2),
        new PoolingShape(new TensorShape(1, 5, 6, 7), PoolingMode.Average, 4, 2, 2, 1), // padding counts as zeros
        new PoolingShape(new TensorShape(3, 9, 5, 9), PoolingMode.Average, 4, 4, 1, 2),
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void ForwardAndBackward_Integers_EqualPlainLoops(PoolingShape shape)
    {
        float[] x = TestNumbers.Integers(shape.Input.Count, 4, 1), dy = TestNumbers.Integers(shape.Output.Count, 8, 2);
        if (shape.Mode == PoolingMode.Max)
            x = [.. x.Select(value => value - 10)]; // all negative: a padding of zeros would win
        Check(shape, x, dy);
    }

    [Fact]
    public void Max_MinusInfinity_CanWin()
    {
        var shape = new PoolingShape(new TensorShape(1, 2, 4, 5), PoolingMode.Max, 3, 3, 1, 1);
        float[] x = TestNumbers.Integers(shape.Input.Count, 4, 3);
        for (int i = 0; i < x.Length; i++)
            x[i] = i % 2 == 0 || i % 3 == 0 ? float.NegativeInfinity : x[i]; // channel 0 whole, channel 1 in part
        Check(shape, x, TestNumbers.Integers(shape.Output.Count, 8, 4));
    }

    [Fact]
    public void Max_Nan_Wins()
    {
        using var fixture = new OperatorFixture();
        var shape = new PoolingShape(new TensorShape(1, 1, 1, 5), PoolingMode.Max, 1, 2, 1);
        Pooling pooling = fixture.Own(new Pooling(fixture.Stream, shape));
        DeviceMemory y = fixture.Output(4 * sizeof(float));
        pooling.Forward(fixture.Upload<float>([1, 2, float.NaN, 4, 3]), y);
        Assert.Equal([2, float.NaN, float.NaN, 4], fixture.Download<float>(y));
    }

    [Fact]
    public void Calls_OneByteTooShort_AreRefused()
    {
        using var fixture = new OperatorFixture();
        var shape = new PoolingShape(new TensorShape(2, 3, 9, 6), PoolingMode.Max, 3, 3, 2);
        Pooling pooling = fixture.Own(new Pooling(fixture.Stream, shape));
        DeviceMemory x = fixture.Output(shape.Input.Count * sizeof(float)), y = fixture.Output(shape.Output.Count * sizeof(float));
        OperatorFixture.CheckShortOperands(o => pooling.Forward(o[0], o[1]), x, y);
        OperatorFixture.CheckShortOperands(o => pooling.Backward(o[0], o[1], o[2], o[3]), x, y, fixture.Output(y.Bytes), fixture.Output(x.Bytes));
    }

    [Theory]
    [InlineData(3, 3, 0, 0)]
    [InlineData(0, 3, 2, 0)]
    [InlineData(3, 0, 2, 0)]
    [InlineData(3, 3, -1, 0)]
    public void Validate_ExtentBelowOne_NamesTheValues(int windowH, int windowW, int stride, int pad)
    {
        var shape = new PoolingShape(new TensorShape(2, 3, 9, 6), PoolingMode.Max, windowH, windowW, stride, pad);
        Assert.Equal(
            $"extents and strides must be at least 1: 2×3×9×6, max {windowH}×{windowW} stride {stride} pad {pad}",
            Assert.Throws<ArgumentException>(shape.Validate).Message);
    }

    [Theory]
    [InlineData(0, 1, 5, 5)]
    [InlineData(1, 1, 0, 5)]
    public void Validate_EmptyInput_Throws(int n, int c, int h, int w) =>
        Assert.Throws<ArgumentException>(new PoolingShape(new TensorShape(n, c, h, w), PoolingMode.Max, 1, 1, 1).Validate);

    [Theory]
    [InlineData(3, 3, -1)]
    [InlineData(3, 5, 2)]
    [InlineData(5, 3, 2)]
    public void Validate_PaddingBeyondHalfTheWindow_NamesTheValues(int windowH, int windowW, int pad)
    {
        var shape = new PoolingShape(new TensorShape(2, 3, 9, 6), PoolingMode.Average, windowH, windowW, 2, pad);
        Assert.Equal(
            $"padding must lie between 0 and half the window: 2×3×9×6, average {windowH}×{windowW} stride 2 pad {pad}",
            Assert.Throws<ArgumentException>(shape.Validate).Message);
    }

    [Fact]
    public void Validate_WindowLargerThanPaddedInput_NamesTheValues()
    {
        var shape = new PoolingShape(new TensorShape(2, 3, 2, 6), PoolingMode.Max, 5, 5, 1, 1);
        Assert.Equal("5×5 window on 2×6 input with padding 1", Assert.Throws<ArgumentException>(shape.Validate).Message);
        using var fixture = new OperatorFixture();
        Assert.Throws<ArgumentException>(() => new Pooling(fixture.Stream, shape));
    }

    private static void Check(PoolingShape shape, float[] x, float[] dy)
    {
        using var fixture = new OperatorFixture();
        Pooling pooling = fixture.Own(new Pooling(fixture.Stream, shape));
        DeviceMemory source = fixture.Upload<float>(x), gradient = fixture.Upload<float>(dy);
        DeviceMemory y = fixture.Output(gradient.Bytes), dx = fixture.Output(source.Bytes);
        pooling.Forward(source, y);
        pooling.Backward(source, y, gradient, dx);

        var (expectedY, expectedDx) = Plain(shape, x, dy);
        // Sums are exact; only the division of a mean rounds, and the gradient's parts are summed rounded.
        double parts = (double)shape.WindowH * shape.WindowW;
        Tolerance tolerance = shape.Mode == PoolingMode.Max
            ? Tolerance.Exact
            : Tolerance.Absolute(8 * parts * Math.Pow(2, -23), "a mean of numbers up to 8: at most one gradient per place of the window, each rounded when divided and when added, by 2⁻²⁴ relative");
        Comparison.Check<float>(fixture.Download<float>(y), expectedY, Nhwc(shape.Output), tolerance, $"y of {shape}, NHWC");
        Comparison.Check<float>(fixture.Download<float>(dx), expectedDx, Nhwc(shape.Input), tolerance, $"dx of {shape}, NHWC");
        Assert.Equal(x, fixture.Download<float>(source));
        Assert.Equal(dy, fixture.Download<float>(gradient));
    }

    private static (float[] Y, float[] Dx) Plain(PoolingShape shape, float[] x, float[] dy)
    {
        TensorShape input = shape.Input, output = shape.Output;
        var y = new float[output.Count];
        var dx = new double[input.Count];
        for (int i = 0; i < y.Length; i++)
        {
            int c = i % output.C, q = i / output.C % output.W, p = i / output.C / output.W % output.H, n = i / output.C / output.W / output.H;
            int[] window = [.. Window(shape, n, c, p, q)];
            if (shape.Mode == PoolingMode.Max)
            {
                int winner = window.Aggregate((best, place) => x[place] > x[best] ? place : best); // the first of equals
                y[i] = x[winner];
                dx[winner] += dy[i];
                continue;
            }

            double parts = shape.WindowH * shape.WindowW;
            y[i] = (float)(window.Sum(place => (double)x[place]) / parts);
            foreach (int place in window)
                dx[place] += dy[i] / parts;
        }
        return (y, [.. dx.Select(value => (float)value)]);
    }

    /// <summary>The positions in memory of a window's elements inside the image, in row-major order.</summary>
    private static IEnumerable<int> Window(PoolingShape shape, int n, int c, int p, int q)
    {
        TensorShape input = shape.Input;
        for (int h = p * shape.Stride - shape.Pad; h < p * shape.Stride - shape.Pad + shape.WindowH; h++)
        {
            for (int w = q * shape.Stride - shape.Pad; w < q * shape.Stride - shape.Pad + shape.WindowW; w++)
            {
                if (h >= 0 && h < input.H && w >= 0 && w < input.W)
                    yield return ((n * input.H + h) * input.W + w) * input.C + c;
            }
        }
    }

    private static int[] Nhwc(TensorShape shape) => [shape.N, shape.H, shape.W, shape.C];
}
