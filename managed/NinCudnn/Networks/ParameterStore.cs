using System.Collections.Immutable;
using NinCudnn.Devices;

namespace NinCudnn.Networks;

/// <summary>
/// A network's parameters, their gradients and momentum buffers on a device, each kind in one flat piece of float32 memory
/// so that one launch updates all. Towards the outside tensors have PyTorch's names and order. Owns device memory.
/// </summary>
public sealed class ParameterStore : IDisposable
{
    private readonly Dictionary<string, Parameter> _byName;
    private readonly DeviceBuffer<float> _values;
    private readonly DeviceBuffer<float> _gradients;
    private readonly DeviceBuffer<float> _momentum;

    /// <summary>Allocates the memory; all of it is zero.</summary>
    /// <exception cref="ArgumentException">The architecture is not valid.</exception>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    public ParameterStore(Device device, Architecture architecture)
    {
        ArgumentNullException.ThrowIfNull(device);
        Parameters = Parameter.Enumerate(architecture);
        _byName = Parameters.ToDictionary(parameter => parameter.Name);
        FlatCount = Parameters[^1].Offset + Parameters[^1].Count;
        _values = AllocateZeroed();
        _gradients = AllocateZeroed();
        _momentum = AllocateZeroed();

        DeviceBuffer<float> AllocateZeroed()
        {
            DeviceBuffer<float> buffer = device.Allocate<float>(FlatCount);
            buffer.Upload(new float[FlatCount]);
            return buffer;
        }
    }

    /// <summary>The tensors in order.</summary>
    public ImmutableArray<Parameter> Parameters { get; }

    /// <summary>Parameters in all, for example 1,992,166 for the seed network.</summary>
    public long Count => Parameters.Sum(parameter => (long)parameter.Count);

    /// <summary>Elements of the flat memory, the gaps between tensors included; the gaps stay zero.</summary>
    public long FlatCount { get; }

    /// <summary>All values.</summary>
    public DeviceMemory Values => _values.Memory;

    /// <summary>All gradients.</summary>
    public DeviceMemory Gradients => _gradients.Memory;

    /// <summary>All momentum buffers.</summary>
    public DeviceMemory Momentum => _momentum.Memory;

    /// <summary>A tensor's values, a weight in KRSC order.</summary>
    /// <exception cref="ArgumentException">There is no such tensor.</exception>
    public DeviceMemory Value(string name) => Slice(Values, name);

    /// <summary>A tensor's gradient, a weight's in KRSC order.</summary>
    /// <exception cref="ArgumentException">There is no such tensor.</exception>
    public DeviceMemory Gradient(string name) => Slice(Gradients, name);

    /// <summary>Draws first values and clears the momentum.</summary>
    public void Initialize(Initialization initialization, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(initialization);
        // The last two tensors are the last convolution's weight and bias.
        Load(Parameters.Select((parameter, i) =>
            KeyValuePair.Create(parameter.Name, initialization.Draw(parameter, i >= Parameters.Length - 2, seed))).ToDictionary());
        _momentum.Upload(new float[FlatCount]);
    }

    /// <summary>Replaces all values.</summary>
    /// <param name="tensors">Exactly this network's tensors, by name, in PyTorch's order (K, C, R, S).</param>
    /// <exception cref="ArgumentException">A tensor is missing, unknown, or has another number of elements.</exception>
    public void Load(IReadOnlyDictionary<string, float[]> tensors)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        string[] unknown = [.. tensors.Keys.Where(name => !_byName.ContainsKey(name))];
        if (unknown.Length > 0)
            throw new ArgumentException($"the network has no parameter {string.Join(", ", unknown)}");
        var flat = new float[FlatCount];
        foreach (Parameter parameter in Parameters)
        {
            if (!tensors.TryGetValue(parameter.Name, out float[]? values))
                throw new ArgumentException($"the parameter {parameter.Name} is missing");
            if (values.Length != parameter.Count)
                throw new ArgumentException($"{parameter.Name} has {values.Length} elements, expected {parameter.Count} ({string.Join("×", parameter.Shape)})");
            parameter.ToDeviceOrder(values, flat.AsSpan((int)parameter.Offset, parameter.Count));
        }
        _values.Upload(flat);
    }

    /// <summary>Waits for the device and copies all values, by name, in PyTorch's order.</summary>
    public Dictionary<string, float[]> DownloadValues() => Download(_values);

    /// <summary>Waits for the device and copies all gradients, by name, in PyTorch's order.</summary>
    public Dictionary<string, float[]> DownloadGradients() => Download(_gradients);

    /// <inheritdoc/>
    public void Dispose()
    {
        _values.Dispose();
        _gradients.Dispose();
        _momentum.Dispose();
    }

    private DeviceMemory Slice(DeviceMemory memory, string name)
    {
        if (!_byName.TryGetValue(name, out Parameter? parameter))
            throw new ArgumentException($"the network has no parameter {name}");
        return memory.Slice(parameter.Offset * sizeof(float), (long)parameter.Count * sizeof(float));
    }

    private Dictionary<string, float[]> Download(DeviceBuffer<float> buffer)
    {
        var flat = new float[FlatCount];
        buffer.Download(flat);
        return Parameters.ToDictionary(parameter => parameter.Name, parameter =>
        {
            var values = new float[parameter.Count];
            parameter.FromDeviceOrder(flat.AsSpan((int)parameter.Offset, parameter.Count), values);
            return values;
        });
    }
}
