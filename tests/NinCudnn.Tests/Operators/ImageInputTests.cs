using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class ImageInputTests
{
    private const int Images = 5;

    [Theory]
    [InlineData(1, 28, 28, 28, 28)]
    [InlineData(1, 28, 28, 96, 96)]
    [InlineData(1, 28, 28, 14, 14)]
    [InlineData(1, 7, 11, 19, 5)] // up one way, down the other
    [InlineData(3, 32, 32, 32, 32)]
    [InlineData(3, 32, 32, 48, 40)]
    [InlineData(3, 9, 8, 8, 17)]
    [InlineData(4, 5, 3, 2, 9)]
    [InlineData(1, 1, 1, 3, 4)]
    public void Forward_AnySize_IsTheResizeDividedAndNormalised(int channels, int height, int width, int outHeight, int outWidth)
    {
        TensorShape source = new(Images, channels, height, width), output = new(4, channels, outHeight, outWidth);
        int[] indices = [4, 0, 2, 2];
        byte[] pixels = TestNumbers.Bytes(source.Count, 1);
        var normalization = new Normalization(TestNumbers.Uniform(channels, 0.2, 0.6, 2), TestNumbers.Uniform(channels, 0.1, 0.4, 3));

        float[] y = Run(source, output, normalization, pixels, indices);

        int imageBytes = channels * height * width;
        float[] expected = [.. indices.SelectMany(index => BilinearResize.Resize(
            pixels.AsSpan(index * imageBytes, imageBytes), height, width, channels, outHeight, outWidth)).Select((value, i) =>
            (value / 255f - normalization.Mean[i % channels]) * (1f / normalization.Deviation[i % channels]))];
        Comparison.Check<float>(y, expected, [4, outHeight, outWidth, channels], Tolerance.Exact, $"{source} to {output}, NHWC");
    }

    [Fact]
    public void Forward_WithoutNormalization_GivesZeroToOne()
    {
        var shape = new TensorShape(1, 1, 1, 3);
        Assert.Equal([0f, 51 / 255f, 1f], Run(shape, shape, Normalization.None(1), [0, 51, 255], [0]));
    }

    [Theory]
    [InlineData(Images)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Forward_IndexOutsideTheDataSet_GivesNanForThatSampleOnly(int index)
    {
        TensorShape source = new(Images, 1, 4, 4), output = new(3, 1, 6, 6);
        float[] y = Run(source, output, Normalization.None(1), TestNumbers.Bytes(source.Count, 1), [0, index, 4]);
        Assert.Equal(Enumerable.Range(0, y.Length).Select(i => i / 36 == 1), y.Select(float.IsNaN));
    }

    [Theory]
    [InlineData(1, 3, 3)]
    [InlineData(3, 1, 3)]
    [InlineData(3, 3, 1)]
    public void Create_OtherChannels_Throws(int sourceChannels, int outputChannels, int statistics)
    {
        using var fixture = new OperatorFixture();
        var error = Assert.Throws<ArgumentException>(() => new ImageInput(
            fixture.Stream, new TensorShape(1, sourceChannels, 4, 4), new TensorShape(1, outputChannels, 4, 4), Normalization.None(statistics)));
        Assert.Equal(
            $"images have {sourceChannels} channels, the network {outputChannels}, the statistics {statistics} and {statistics}", error.Message);
    }

    [Fact]
    public void Forward_OneByteTooShort_IsRefused()
    {
        using var fixture = new OperatorFixture();
        TensorShape source = new(Images, 1, 4, 4), output = new(3, 1, 6, 6);
        ImageInput input = fixture.Own(new ImageInput(fixture.Stream, source, output, Normalization.None(1)));
        OperatorFixture.CheckShortOperands(
            o => input.Forward(o[0], o[1], o[2]), fixture.Output(source.Count), fixture.Output(12), fixture.Output(output.Count * sizeof(float)));
    }

    private static float[] Run(TensorShape source, TensorShape output, Normalization normalization, byte[] pixels, int[] indices)
    {
        using var fixture = new OperatorFixture();
        ImageInput input = fixture.Own(new ImageInput(fixture.Stream, source, output, normalization));
        DeviceMemory images = fixture.Upload<byte>(pixels), y = fixture.Output(output.Count * sizeof(float));
        input.Forward(images, fixture.Upload<int>(indices), y);
        float[] result = fixture.Download<float>(y);
        Assert.Equal(pixels, fixture.Download<byte>(images));
        return result;
    }
}
