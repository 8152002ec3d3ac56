using NinCudnn.Tests;
using NinCudnn.Tests.Data;

namespace Nin.Tests;

/// <summary>
/// Data sets of a few 28×28 images under Fashion-MNIST's file names, and the options that train the seed network on them within a
/// second: 68×68 input is little more than the smallest that its poolings allow.
/// </summary>
internal static class TinyData
{
    public const int TrainCount = 50;
    public const int TestCount = 20;

    /// <summary>A network in JSON that trains on 16×16 input in no time.</summary>
    public const string SmallNetwork = """
        {
          "name": "small", "input_channels": 1, "classes": 10,
          "layers": [
            { "type": "block", "channels": 4, "kernel": 3, "stride": 2, "padding": 1, "pointwise_channels": [6] },
            { "type": "dropout", "rate": 0.5 },
            { "type": "block", "channels": 8, "kernel": 3, "stride": 1, "padding": 1, "pointwise_channels": [10] },
            { "type": "global_average_pool" }, { "type": "flatten" }
          ]
        }
        """;

    private const int UsualSize = 28;

    /// <summary>Two epochs of four steps, the last one partial, on the CPU.</summary>
    public static string[] TrainArguments(string data) =>
        ["train", "--data", data, "--resize", "68", "--batch", "16", "--epochs", "2", "--device", "cpu"];

    /// <summary>Writes a whole data set.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="name">The data set's own directory in it.</param>
    /// <param name="imageSize">Height and width of the images.</param>
    /// <param name="testCount">Images to test on.</param>
    /// <returns>The directory.</returns>
    public static string Write(TemporaryDirectory directory, string name = "data", int imageSize = UsualSize, int testCount = TestCount)
    {
        directory.Write($"{name}/train-images-idx3-ubyte", Images(TrainCount, imageSize, seed: 1));
        directory.Write($"{name}/train-labels-idx1-ubyte", Labels(TrainCount));
        directory.Write($"{name}/t10k-images-idx3-ubyte", Images(testCount, imageSize, seed: 2));
        directory.Write($"{name}/t10k-labels-idx1-ubyte", Labels(testCount));
        return directory.File(name);
    }

    private static byte[] Images(int count, int size, int seed)
    {
        var pixels = new byte[count * size * size];
        new Random(seed).NextBytes(pixels);
        return IdxBytes.Of(8, [(uint)count, (uint)size, (uint)size], pixels);
    }

    private static byte[] Labels(int count) => IdxBytes.Labels([.. Enumerable.Range(0, count).Select(i => (byte)(i % 10))]);
}
