using System.Collections.Immutable;

namespace NinCudnn.Networks;

/// <summary>One parameter tensor: its place in PyTorch's terms and in device memory.</summary>
/// <param name="Name">PyTorch's name, for example <c>0.2.weight</c>: layer, position within the block (rectifiers count), kind.</param>
/// <param name="Shape">(K, C, R, S) for a weight, (K) for a bias.</param>
/// <param name="Offset">First element within the store's flat memory.</param>
/// <param name="FanIn">C·R·S of the filter that it belongs to.</param>
/// <param name="FanOut">K·R·S of the filter that it belongs to.</param>
public sealed record Parameter(string Name, ImmutableArray<int> Shape, long Offset, long FanIn, long FanOut)
{
    /// <summary>Elements.</summary>
    public int Count => Shape.Aggregate(1, (product, extent) => product * extent);

    /// <summary>Whether it is a filter; else it is a bias.</summary>
    public bool IsWeight => Shape.Length == 4;

    /// <summary>
    /// All parameters of an architecture in order, placed one behind the other with every tensor aligned to 256 bytes.
    /// </summary>
    /// <exception cref="ArgumentException">The architecture is not valid, or a tensor has no elements or more than an array can hold.</exception>
    public static ImmutableArray<Parameter> Enumerate(Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(architecture);
        architecture.Validate();
        const int Alignment = 128; // elements: 256 bytes also in a 16-bit type, as cuBLASLt takes for granted
        var parameters = ImmutableArray.CreateBuilder<Parameter>();
        long offset = 0;
        int inputChannels = architecture.InputChannels;
        for (int layer = 0; layer < architecture.Layers.Length; layer++)
        {
            if (architecture.Layers[layer] is not NinBlock block)
                continue;
            (int K, int Kernel)[] filters = [(block.Channels, block.Kernel), .. block.PointwiseChannels.Select(channels => (channels, 1))];
            for (int i = 0; i < filters.Length; i++)
            {
                var (k, kernel) = filters[i];
                long fanIn = (long)inputChannels * kernel * kernel, fanOut = (long)k * kernel * kernel;
                Add($"{layer}.{2 * i}.weight", [k, inputChannels, kernel, kernel], fanIn, fanOut);
                Add($"{layer}.{2 * i}.bias", [k], fanIn, fanOut);
                inputChannels = k;
            }
        }
        return parameters.ToImmutable();

        void Add(string name, ImmutableArray<int> shape, long fanIn, long fanOut)
        {
            Int128 count = shape.Aggregate(Int128.One, (product, extent) => product * extent);
            if (count < 1 || count > Array.MaxLength)
                throw new ArgumentException($"{name} would have {count} elements");
            var parameter = new Parameter(name, shape, offset, fanIn, fanOut);
            parameters.Add(parameter);
            offset += (parameter.Count + Alignment - 1) / Alignment * Alignment;
        }
    }

    /// <summary>Reorders a weight from PyTorch's (K, C, R, S) to the device's (K, R, S, C); a bias is copied.</summary>
    internal void ToDeviceOrder(ReadOnlySpan<float> source, Span<float> destination) => Reorder(source, destination, toDevice: true);

    /// <summary>Reorders a weight from the device's (K, R, S, C) to PyTorch's (K, C, R, S); a bias is copied.</summary>
    internal void FromDeviceOrder(ReadOnlySpan<float> source, Span<float> destination) => Reorder(source, destination, toDevice: false);

    private void Reorder(ReadOnlySpan<float> source, Span<float> destination, bool toDevice)
    {
        if (!IsWeight)
        {
            source.CopyTo(destination);
            return;
        }

        int c = Shape[1], window = Shape[2] * Shape[3], filter = c * window;
        for (int k = 0; k < Shape[0]; k++)
        {
            for (int i = 0; i < window; i++)
            {
                for (int j = 0; j < c; j++)
                {
                    int torch = k * filter + j * window + i, device = k * filter + i * c + j;
                    if (toDevice)
                        destination[device] = source[torch];
                    else
                        destination[torch] = source[device];
                }
            }
        }
    }
}
