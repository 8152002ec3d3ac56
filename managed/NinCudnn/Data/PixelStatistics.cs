using NinCudnn.Operators;

namespace NinCudnn.Data;

/// <summary>Mean and deviation of a data set's pixels.</summary>
public static class PixelStatistics
{
    /// <summary>
    /// Per channel, over all pixels scaled to [0, 1]: the mean and the population standard deviation. A channel that is
    /// constant keeps the deviation 1, so that it becomes 0 and not NaN.
    /// </summary>
    public static Normalization Measure(ImageDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        int channels = dataset.Channels;
        var sums = new long[channels];
        var squares = new long[channels];
        ReadOnlySpan<byte> pixels = dataset.Images;
        for (int i = 0; i < pixels.Length; i += channels)
        {
            for (int c = 0; c < channels; c++)
            {
                int value = pixels[i + c];
                sums[c] += value;
                squares[c] += value * value;
            }
        }

        double count = (double)pixels.Length / channels;
        var mean = new float[channels];
        var deviation = new float[channels];
        for (int c = 0; c < channels; c++)
        {
            double average = sums[c] / count, variance = squares[c] / count - average * average;
            mean[c] = (float)(average / 255);
            deviation[c] = variance > 0 ? (float)(Math.Sqrt(variance) / 255) : 1;
        }
        return new Normalization(mean, deviation);
    }
}
