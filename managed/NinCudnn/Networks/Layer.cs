using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace NinCudnn.Networks;

/// <summary>One entry of an architecture. A layer's position in the list is its number in parameter names.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(NinBlock), "block")]
[JsonDerivedType(typeof(MaxPool), "max_pool")]
[JsonDerivedType(typeof(DropoutLayer), "dropout")]
[JsonDerivedType(typeof(GlobalAveragePool), "global_average_pool")]
[JsonDerivedType(typeof(Flatten), "flatten")]
public abstract record Layer;

/// <summary>
/// A Network-in-Network block: a convolution followed by 1×1 convolutions, each with a rectifier behind it.
/// Lin, Chen, Yan, "Network In Network", 2013, calls it an mlpconv layer.
/// </summary>
/// <param name="Channels">Output channels of the first convolution.</param>
/// <param name="Kernel">Height and width of its filter.</param>
/// <param name="Stride">Its stride.</param>
/// <param name="Padding">Its padding.</param>
/// <param name="PointwiseChannels">Output channels of each 1×1 convolution, in order.</param>
[method: JsonConstructor]
public sealed record NinBlock(int Channels, int Kernel, int Stride, int Padding, ImmutableArray<int> PointwiseChannels) : Layer
{
    /// <summary>The book's form: two 1×1 convolutions with the same channels.</summary>
    public NinBlock(int channels, int kernel, int stride, int padding)
        : this(channels, kernel, stride, padding, [channels, channels])
    {
    }
}

/// <summary>The maximum over square windows.</summary>
/// <param name="Window">Height and width.</param>
/// <param name="Stride">Stride.</param>
/// <param name="Padding">Padding; it never wins.</param>
public sealed record MaxPool(int Window, int Stride, int Padding = 0) : Layer;

/// <summary>Drops activations while training.</summary>
/// <param name="Rate">The probability of dropping, 0 ≤ rate &lt; 1.</param>
public sealed record DropoutLayer(double Rate) : Layer;

/// <summary>The mean of each channel over height and width; its results are the class scores.</summary>
public sealed record GlobalAveragePool : Layer;

/// <summary>Drops the height and width of 1 that are left.</summary>
public sealed record Flatten : Layer;
