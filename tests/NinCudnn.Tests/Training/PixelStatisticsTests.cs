using NinCudnn.Data;
using NinCudnn.Operators;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Training;

public class PixelStatisticsTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Measure_RandomPixels_EqualsPlainLoops(int channels)
    {
        byte[] pixels = TestNumbers.Bytes(20 * 6 * 7 * channels, 1);
        for (int i = 0; i < pixels.Length; i++)
            pixels[i] = (byte)(pixels[i] / (1 + i % channels)); // each channel its own mean

        Normalization statistics = PixelStatistics.Measure(new ImageDataset("random", pixels, new ushort[20], 6, 7, channels, ["one"]));

        for (int c = 0; c < channels; c++)
        {
            double[] channel = [.. pixels.Where((_, i) => i % channels == c).Select(value => value / 255.0)];
            double mean = channel.Average(), deviation = Math.Sqrt(channel.Average(value => (value - mean) * (value - mean)));
            Assert.Equal(mean, statistics.Mean[c], tolerance: 1e-7); // rounded to float32
            Assert.Equal(deviation, statistics.Deviation[c], tolerance: 1e-7);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(77)]
    [InlineData(255)]
    public void Measure_ConstantChannel_KeepsTheDeviationOne(byte value)
    {
        byte[] pixels = [.. Enumerable.Range(0, 1000 * 2).Select(i => i % 2 == 0 ? value : (byte)i)];
        Normalization statistics = PixelStatistics.Measure(new ImageDataset("half constant", pixels, new ushort[1000], 1, 1, 2, ["one"]));
        Assert.Equal((value / 255f, 1f), (statistics.Mean[0], statistics.Deviation[0]));
        Assert.InRange(statistics.Deviation[1], 0.2f, 0.4f);
    }
}
