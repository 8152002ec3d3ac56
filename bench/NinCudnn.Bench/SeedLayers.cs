using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>The distinct layer shapes of the seed network at 224×224.</summary>
internal static class SeedLayers
{
    public const int Batch = 8;
    private const int ImageSize = 224;

    /// <summary>By PyTorch's names. A block's second 1×1 convolution has the shape of the first.</summary>
    public static Dictionary<string, ConvolutionShape> Convolutions { get; } = Inputs<NinBlock>().SelectMany(entry =>
    {
        var (index, block, input) = entry;
        var first = new ConvolutionShape(input, block.Channels, block.Kernel, block.Kernel, block.Stride, block.Padding);
        var pointwise = new ConvolutionShape(first.Output, block.PointwiseChannels[0], 1, 1);
        return new[] { KeyValuePair.Create($"{index}.0", first), KeyValuePair.Create($"{index}.2", pointwise) };
    }).ToDictionary();

    public static Dictionary<string, PoolingShape> Poolings { get; } = Inputs<MaxPool>()
        .Select(entry => KeyValuePair.Create($"{entry.Index}", new PoolingShape(entry.Input, PoolingMode.Max, entry.Layer.Window, entry.Layer.Window, entry.Layer.Stride, entry.Layer.Padding)))
        .Concat(Inputs<GlobalAveragePool>().Select(entry => KeyValuePair.Create($"{entry.Index}", new PoolingShape(entry.Input, PoolingMode.Average, entry.Input.H, entry.Input.W, 1))))
        .ToDictionary();

    private static IEnumerable<(int Index, T Layer, TensorShape Input)> Inputs<T>()
        where T : Layer
    {
        Architecture seed = Architecture.Seed();
        var shapes = seed.InferShapes(Batch, ImageSize, ImageSize);
        for (int i = 0; i < seed.Layers.Length; i++)
        {
            if (seed.Layers[i] is T layer)
                yield return (i, layer, i == 0 ? new TensorShape(Batch, seed.InputChannels, ImageSize, ImageSize) : shapes[i - 1]);
        }
    }
}
