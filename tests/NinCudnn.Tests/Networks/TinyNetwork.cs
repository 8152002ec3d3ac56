using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Numerics;
using NinCudnn.Tests.Operators;

namespace NinCudnn.Tests.Networks;

/// <summary>A network with every kind of layer that takes no time to run, and images that it can learn to tell apart.</summary>
internal static class TinyNetwork
{
    public const int ImageSize = 12;
    public const int Classes = 3;

    public static Architecture Architecture(double dropoutRate = 0.5, int inputChannels = 1) => new("tiny", inputChannels, Classes,
    [
        new NinBlock(6, 3, 1, 1),
        new MaxPool(3, 2),
        new DropoutLayer(dropoutRate),
        new NinBlock(7, 3, 1, 0, [5, Classes]),
        new GlobalAveragePool(),
        new Flatten(),
    ]);

    /// <summary>Images of noise in which a third is bright: the left, the middle or the right one, which is the label.</summary>
    public static ImageDataset Dataset(int count, ulong seed = 1, int channels = 1)
    {
        var random = new SplitMix64(seed);
        byte[] images = TestNumbers.Bytes((long)count * ImageSize * ImageSize * channels, seed);
        var labels = new ushort[count];
        for (int i = 0; i < count; i++)
            labels[i] = (ushort)(random.NextUInt64() % Classes);
        for (int i = 0; i < images.Length; i++)
        {
            int column = i / channels % ImageSize, image = i / channels / ImageSize / ImageSize;
            images[i] = (byte)(images[i] / 4 + (column * Classes / ImageSize == labels[image] ? 150 : 0));
        }
        return new ImageDataset("tiny images", images, labels, ImageSize, ImageSize, channels, ["left", "middle", "right"]);
    }
}
