using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class ConvolutionShapeTests
{
    private static readonly TensorShape _input = new(128, 96, 26, 27);

    [Fact]
    public void Output_StrideAndPadding_FollowTheFormula()
    {
        var shape = new ConvolutionShape(_input, 256, 5, 3, 2, 1, 2, 0);

        Assert.Equal(new TensorShape(128, 256, 13, 25), shape.Output);
        Assert.Equal(256L * 5 * 3 * 96, shape.FilterCount);
        Assert.Equal(128L * 256 * 13 * 25 * 5 * 3 * 96, shape.MultiplyAdds);
        Assert.Equal("128×96×26×27 → 256, 5×3 stride 2,1 pad 2,0", shape.ToString());
    }

    [Theory]
    [InlineData(1, 1, 1, 1, 0, 0, true)]
    [InlineData(1, 3, 1, 1, 0, 0, false)]
    [InlineData(3, 1, 1, 1, 0, 0, false)]
    [InlineData(1, 1, 2, 1, 0, 0, false)]
    [InlineData(1, 1, 1, 2, 0, 0, false)]
    [InlineData(1, 1, 1, 1, 1, 0, false)]
    [InlineData(1, 1, 1, 1, 0, 1, false)]
    public void IsPointwise_OnlyWithoutKernelStrideAndPadding(int r, int s, int strideH, int strideW, int padH, int padW, bool expected) =>
        Assert.Equal(expected, new ConvolutionShape(_input, 4, r, s, strideH, strideW, padH, padW).IsPointwise);

    [Theory]
    [InlineData(0, 3, 3, 1, 1)]
    [InlineData(8, 0, 3, 1, 1)]
    [InlineData(8, 3, 0, 1, 1)]
    [InlineData(8, 3, 3, 0, 1)]
    [InlineData(8, 3, 3, 1, 0)]
    [InlineData(-8, 3, 3, 1, 1)]
    public void Validate_ExtentBelowOne_NamesTheValues(int k, int r, int s, int strideH, int strideW)
    {
        var shape = new ConvolutionShape(_input, k, r, s, strideH, strideW, 0, 0);
        Assert.Equal($"extents and strides must be at least 1: {shape}", Assert.Throws<ArgumentException>(shape.Validate).Message);
    }

    [Theory]
    [InlineData(0, 1, 5, 5)]
    [InlineData(1, 0, 5, 5)]
    [InlineData(1, 1, 0, 5)]
    [InlineData(1, 1, 5, 0)]
    public void Validate_EmptyInput_Throws(int n, int c, int h, int w) =>
        Assert.Throws<ArgumentException>(new ConvolutionShape(new TensorShape(n, c, h, w), 1, 1, 1).Validate);

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    public void Validate_NegativePadding_NamesTheValues(int padH, int padW)
    {
        var shape = new ConvolutionShape(_input, 8, 3, 3, 1, 1, padH, padW);
        Assert.Equal($"padding can't be negative: {shape}", Assert.Throws<ArgumentException>(shape.Validate).Message);
    }

    [Theory]
    [InlineData(5, 3, 0, 0, "5×3 kernel on 3×4 input with padding 0,0")]
    [InlineData(3, 7, 0, 1, "3×7 kernel on 3×4 input with padding 0,1")]
    public void Validate_KernelLargerThanPaddedInput_NamesTheValues(int r, int s, int padH, int padW, string expected)
    {
        var shape = new ConvolutionShape(new TensorShape(1, 1, 3, 4), 1, r, s, 1, 1, padH, padW);
        Assert.Equal(expected, Assert.Throws<ArgumentException>(shape.Validate).Message);
    }

    [Fact]
    public void Validate_KernelAsLargeAsPaddedInput_Passes() =>
        new ConvolutionShape(new TensorShape(1, 1, 3, 4), 1, 5, 6, 3, 3, 1, 1).Validate();
}
