using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public class BilinearResizeTests
{
    private const int One = 1 << BilinearResize.WeightBits;

    [Fact]
    public void Axis_SameSize_HasTheSingleWeightOne()
    {
        var axis = BilinearResize.Axis(3, 3);

        Assert.Equal(1, axis.Taps);
        Assert.Equal([0, 1, 1, 1, 2, 1], axis.Bounds);
        Assert.Equal([One, One, One], axis.Weights);
    }

    [Fact]
    public void Axis_Double_HasQuarterWeights()
    {
        // Centres 0.25, 0.75, 1.25, 1.75 with half-width 1: at the borders only one pixel is left.
        var axis = BilinearResize.Axis(2, 4);

        Assert.Equal(2, axis.Taps);
        Assert.Equal([0, 1, 0, 2, 0, 2, 1, 1], axis.Bounds);
        Assert.Equal([One, 0, One * 3 / 4, One / 4, One / 4, One * 3 / 4, One, 0], axis.Weights);
    }

    [Fact]
    public void Axis_Half_WidensTheTriangle()
    {
        // Centres 1 and 3 with half-width 2: weights 3, 3, 1 eighths (of 7 once the border is cut), mirrored.
        var axis = BilinearResize.Axis(4, 2);

        Assert.Equal([0, 3, 1, 3], axis.Bounds);
        int three = (int)Math.Round(One * 3 / 7.0), one = (int)Math.Round(One / 7.0);
        Assert.Equal([three, three, one, one, three, three], axis.Weights);
    }

    [Theory]
    [InlineData(28, 224)]
    [InlineData(28, 14)]
    [InlineData(1, 9)]
    [InlineData(9, 1)]
    [InlineData(31, 7)]
    [InlineData(7, 31)]
    public void Axis_AnySizes_ReadsInsideTheInputWithWeightsThatSumToOne(int inSize, int outSize)
    {
        var axis = BilinearResize.Axis(inSize, outSize);

        for (var o = 0; o < outSize; o++)
        {
            var (first, count) = (axis.Bounds[o * 2], axis.Bounds[o * 2 + 1]);
            Assert.InRange(first, 0, inSize - 1);
            Assert.InRange(count, 1, Math.Min(axis.Taps, inSize - first));
            var weights = axis.Weights.AsSpan(o * axis.Taps, axis.Taps).ToArray();
            Assert.InRange(weights.Sum(), One - count, One + count); // each weight is rounded by at most half a unit
            Assert.All(weights[count..], weight => Assert.Equal(0, weight));
        }
    }

    // Pillow 9.4.0, Image.frombytes("L", (3, 2), bytes([0, 100, 200, 50, 255, 7])).resize((5, 3), Image.BILINEAR).
    [Fact]
    public void Resize_NotSquare_EqualsPillow() => Assert.Equal(
        [0, 40, 100, 160, 200, 25, 86, 178, 133, 104, 50, 132, 255, 106, 7],
        BilinearResize.Resize([0, 100, 200, 50, 255, 7], 2, 3, 1, 3, 5));

    // Pillow 9.4.0, the same in mode "RGB" on (2, 2) to (3, 1), bytes 0, 20, 40 … 220.
    [Fact]
    public void Resize_ThreeChannels_EqualsPillow() => Assert.Equal(
        [60, 80, 100, 90, 110, 130, 120, 140, 160],
        BilinearResize.Resize([0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220], 2, 2, 3, 1, 3));

    [Fact]
    public void Resize_OneDirection_LeavesTheOtherAlone() =>
        Assert.Equal([10, 10, 20, 20, 250, 250], BilinearResize.Resize([10, 20, 250], 3, 1, 1, 3, 2));

    [Fact]
    public void Resize_White_StaysWhite()
    {
        var white = Enumerable.Repeat((byte)255, 28 * 28).ToArray();
        Assert.All(BilinearResize.Resize(white, 28, 28, 1, 97, 61), value => Assert.Equal(255, value));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(2, 0)]
    [InlineData(-1, 2)]
    public void Axis_NoPositions_Throws(int inSize, int outSize) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => BilinearResize.Axis(inSize, outSize));

    [Fact]
    public void Resize_WrongLength_Throws() => Assert.Throws<ArgumentException>(() => BilinearResize.Resize(new byte[5], 2, 3, 1, 4, 4));
}
