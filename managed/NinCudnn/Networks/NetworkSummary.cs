using System.Collections.Immutable;
using System.Globalization;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>One line of a network's table.</summary>
/// <param name="Name">The layer's number, or that of a convolution within a block, for example <c>0.2</c>.</param>
/// <param name="Description">The layer in words.</param>
/// <param name="Output">Its output for one image.</param>
/// <param name="Parameters">Its parameters.</param>
/// <param name="MultiplyAdds">Its multiplications with addition in one forward pass of one image.</param>
/// <param name="IsPart">Whether it is part of the block above it, which has its figures already.</param>
public sealed record SummaryLine(string Name, string Description, TensorShape Output, long Parameters, long MultiplyAdds, bool IsPart);

/// <summary>A network's layers with shapes, parameters and work.</summary>
/// <param name="Lines">The table.</param>
/// <param name="Parameters">Parameters in all.</param>
/// <param name="MultiplyAdds">Multiplications with addition in one forward pass of one image.</param>
public sealed record NetworkSummary(ImmutableArray<SummaryLine> Lines, long Parameters, long MultiplyAdds)
{
    /// <summary>Works out the table for one image of the given size.</summary>
    /// <exception cref="ArgumentException">The architecture does not fit the image size.</exception>
    public static NetworkSummary Create(Architecture architecture, int height, int width)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        ImmutableArray<TensorShape> shapes = architecture.InferShapes(1, height, width);
        var lines = ImmutableArray.CreateBuilder<SummaryLine>();
        var input = new TensorShape(1, architecture.InputChannels, height, width);
        for (int i = 0; i < architecture.Layers.Length; i++)
        {
            Layer layer = architecture.Layers[i];
            ConvolutionShape[] convolutions = layer is NinBlock block ? [.. Architecture.Convolutions(block, input)] : [];
            string name = i.ToString(CultureInfo.InvariantCulture);
            lines.Add(new SummaryLine(
                name, Architecture.Describe(layer), shapes[i], convolutions.Sum(ParameterCount), convolutions.Sum(c => c.MultiplyAdds), IsPart: false));
            for (int j = 0; j < convolutions.Length; j++)
            {
                ConvolutionShape c = convolutions[j];
                lines.Add(new SummaryLine($"{name}.{2 * j}", $"{c.R}×{c.S} conv + ReLU", c.Output, ParameterCount(c), c.MultiplyAdds, IsPart: true));
            }
            input = shapes[i];
        }
        IEnumerable<SummaryLine> layers = lines.Where(line => !line.IsPart);
        return new NetworkSummary(lines.ToImmutable(), layers.Sum(line => line.Parameters), layers.Sum(line => line.MultiplyAdds));
    }

    private static long ParameterCount(ConvolutionShape shape) => shape.FilterCount + shape.K;
}
