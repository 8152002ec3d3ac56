using System.Collections.Immutable;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>A network as data: what it takes, its layers and its classes.</summary>
/// <param name="Name">A name to show.</param>
/// <param name="InputChannels">Channels of the input images.</param>
/// <param name="Classes">Classes, which the last block's channels must equal.</param>
/// <param name="Layers">The layers in order; the last two are <see cref="GlobalAveragePool"/> and <see cref="Flatten"/>.</param>
public sealed record Architecture(string Name, int InputChannels, int Classes, ImmutableArray<Layer> Layers)
{
    /// <summary>
    /// The network of Dive into Deep Learning, section "Network in Network": 96, 256 and 384 channels, for 1×224×224 input.
    /// </summary>
    public static Architecture Seed(int inputChannels = 1, int classes = 10) => new("seed", inputChannels, classes,
    [
        new NinBlock(96, kernel: 11, stride: 4, padding: 1),
        new MaxPool(3, 2),
        new NinBlock(256, kernel: 5, stride: 1, padding: 2),
        new MaxPool(3, 2),
        new NinBlock(384, kernel: 3, stride: 1, padding: 1),
        new MaxPool(3, 2),
        new DropoutLayer(0.5),
        new NinBlock(classes, kernel: 3, stride: 1, padding: 1),
        new GlobalAveragePool(),
        new Flatten(),
    ]);

    /// <summary>
    /// The original paper's CIFAR network (Lin, Chen, Yan, "Network In Network", 2013): three mlpconv blocks, for 32×32 input.
    /// Poolings are padded by 1 so that 32 halves to 16 and 8.
    /// </summary>
    public static Architecture Cifar(int inputChannels = 3, int classes = 10) => new("cifar", inputChannels, classes,
    [
        new NinBlock(192, 5, 1, 2, [160, 96]),
        new MaxPool(3, 2, 1),
        new DropoutLayer(0.5),
        new NinBlock(192, 5, 1, 2, [192, 192]),
        new MaxPool(3, 2, 1),
        new DropoutLayer(0.5),
        new NinBlock(192, 3, 1, 1, [192, classes]),
        new GlobalAveragePool(),
        new Flatten(),
    ]);

    /// <summary>
    /// The original authors' network for ImageNet, as published with the Caffe model "NIN-Imagenet": four blocks, the last of 1024 channels
    /// before the classes, for 3×224×224 input.
    /// </summary>
    public static Architecture ImageNet(int inputChannels = 3, int classes = 1000) => new("imagenet", inputChannels, classes,
    [
        new NinBlock(96, kernel: 11, stride: 4, padding: 0),
        new MaxPool(3, 2),
        new NinBlock(256, kernel: 5, stride: 1, padding: 2),
        new MaxPool(3, 2),
        new NinBlock(384, kernel: 3, stride: 1, padding: 1),
        new MaxPool(3, 2),
        new DropoutLayer(0.5),
        new NinBlock(1024, 3, 1, 1, [1024, classes]),
        new GlobalAveragePool(),
        new Flatten(),
    ]);

    /// <summary>The shape behind each layer, for a batch of <paramref name="batch"/> images of that size.</summary>
    /// <exception cref="ArgumentException">The layers do not fit together or the image is too small; the message names the layer.</exception>
    public ImmutableArray<TensorShape> InferShapes(int batch, int height, int width)
    {
        Validate();
        var shapes = ImmutableArray.CreateBuilder<TensorShape>(Layers.Length);
        var shape = new TensorShape(batch, InputChannels, height, width);
        for (int i = 0; i < Layers.Length; i++)
        {
            try
            {
                shape = Infer(Layers[i], shape);
            }
            catch (ArgumentException e)
            {
                throw new ArgumentException($"{Name} on {height}×{width} images: layer {i} ({Describe(Layers[i])}): {e.Message}", e);
            }
            shapes.Add(shape);
        }
        return shapes.MoveToImmutable();
    }

    /// <summary>The most images of that size with which every tensor has fewer than 2³¹ elements, cuDNN's limit; 0 if one image has too many.</summary>
    internal int LargestBatch(int height, int width)
    {
        var input = new TensorShape(1, InputChannels, height, width);
        Int128 most = Elements(input);
        foreach (var (layer, output) in Layers.Zip(InferShapes(1, height, width)))
        {
            if (layer is NinBlock block)
                most = Int128.Max(most, Convolutions(block, input).Max(convolution => Elements(convolution.Output)));
            most = Int128.Max(most, Elements(output));
            input = output;
        }
        return (int)(int.MaxValue / most);

        static Int128 Elements(TensorShape image) => (Int128)image.C * image.H * image.W; // which may be more than a long holds
    }

    /// <summary>The convolutions of a block on a given input, in order.</summary>
    internal static IEnumerable<ConvolutionShape> Convolutions(NinBlock block, TensorShape input)
    {
        var shape = new ConvolutionShape(input, block.Channels, block.Kernel, block.Kernel, block.Stride, block.Padding);
        yield return shape;
        foreach (int channels in block.PointwiseChannels)
        {
            shape = new ConvolutionShape(shape.Output, channels, 1, 1);
            yield return shape;
        }
    }

    internal static PoolingShape Pooling(MaxPool pool, TensorShape input) =>
        new(input, PoolingMode.Max, pool.Window, pool.Window, pool.Stride, pool.Padding);

    internal static PoolingShape Pooling(TensorShape input) => new(input, PoolingMode.Average, input.H, input.W, 1);

    /// <summary>A layer in words, for tables and messages.</summary>
    public static string Describe(Layer layer) => layer switch
    {
        NinBlock block => $"NiN block {block.Channels}, {block.Kernel}×{block.Kernel} stride {block.Stride} pad {block.Padding}",
        MaxPool pool => $"max pool {pool.Window}×{pool.Window} stride {pool.Stride}" + (pool.Padding > 0 ? $" pad {pool.Padding}" : ""),
        DropoutLayer dropout => FormattableString.Invariant($"dropout {dropout.Rate}"),
        GlobalAveragePool => "global average pool",
        Flatten => "flatten",
        _ => layer.ToString(),
    };

    private static TensorShape Infer(Layer layer, TensorShape input)
    {
        switch (layer)
        {
            case NinBlock block:
                foreach (ConvolutionShape convolution in Convolutions(block, input))
                {
                    convolution.Validate();
                    input = convolution.Output;
                }
                return input;
            case MaxPool pool:
                PoolingShape pooling = Pooling(pool, input);
                pooling.Validate();
                return pooling.Output;
            case GlobalAveragePool:
                return Pooling(input).Output;
            default:
                return input;
        }
    }

    /// <summary>Refuses lists of layers that no image size makes a network.</summary>
    /// <exception cref="ArgumentException">The layers do not fit together.</exception>
    internal void Validate()
    {
        if (InputChannels < 1 || Classes < 1)
            throw new ArgumentException($"{Name}: {InputChannels} input channels and {Classes} classes; there must be at least one of each");
        if (Layers.Length < 3 || Layers[^1] is not Flatten || Layers[^2] is not GlobalAveragePool)
            throw new ArgumentException($"{Name}: the last two layers must be a global average pool and a flatten");
        if (Layers[..^2].Any(layer => layer is Flatten or GlobalAveragePool))
            throw new ArgumentException($"{Name}: global average pool and flatten can only stand at the end");
        foreach (var (i, layer) in Layers.Index())
        {
            if (layer is DropoutLayer { Rate: not (>= 0 and < 1) } dropout)
            {
                throw new ArgumentException(FormattableString.Invariant(
                    $"{Name}: layer {i} ({Describe(layer)}): the rate {dropout.Rate} is not at least 0 and below 1"));
            }
        }
        if (Layers.OfType<NinBlock>().LastOrDefault() is not { } last)
            throw new ArgumentException($"{Name}: it has no block");
        int channels = last.PointwiseChannels.IsDefaultOrEmpty ? last.Channels : last.PointwiseChannels[^1];
        if (channels != Classes)
            throw new ArgumentException($"{Name}: the last block has {channels} channels, but there are {Classes} classes");
    }
}
