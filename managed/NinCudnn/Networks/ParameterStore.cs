using System.Collections.Immutable;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>
/// A network's parameters, their gradients and momentum buffers on a device, each kind in one flat piece of memory so that one
/// launch updates all. Parameters and momentum are float32; a 16-bit precision has gradients of its type, and a copy of the
/// parameters that operators read. Towards the outside tensors have PyTorch's names and order. Owns device memory.
/// </summary>
public sealed class ParameterStore : IDisposable
{
    private readonly Dictionary<string, Parameter> _byName;
    private readonly DeviceBuffer<float> _values;
    private readonly DeviceBuffer<byte>? _computeValues; // none for float32
    private readonly DeviceBuffer<byte> _gradients;
    private readonly DeviceBuffer<float> _momentum;
    private readonly DataType _type;

    /// <summary>Allocates the memory; all of it is zero.</summary>
    /// <exception cref="ArgumentException">The architecture is not valid.</exception>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    public ParameterStore(Device device, Architecture architecture, Precision precision = Precision.Float32)
    {
        ArgumentNullException.ThrowIfNull(device);
        Parameters = Parameter.Enumerate(architecture);
        Precision = precision;
        _type = precision.DataType();
        _byName = Parameters.ToDictionary(parameter => parameter.Name);
        FlatCount = Parameters[^1].Offset + Parameters[^1].Count;
        try
        {
            _values = device.Allocate<float>(new float[FlatCount]);
            _momentum = device.Allocate<float>(new float[FlatCount]);
            _gradients = device.Allocate<byte>(new byte[FlatCount * _type.Bytes()]);
            _computeValues = _type == DataType.Float32 ? null : device.Allocate<byte>(new byte[FlatCount * _type.Bytes()]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The tensors in order.</summary>
    public ImmutableArray<Parameter> Parameters { get; }

    /// <summary>Parameters in all, for example 1,992,166 for the seed network.</summary>
    public long Count => Parameters.Sum(parameter => (long)parameter.Count);

    /// <summary>Elements of the flat memory, the gaps between tensors included; the gaps stay zero.</summary>
    public long FlatCount { get; }

    /// <summary>What the network computes in.</summary>
    public Precision Precision { get; }

    /// <summary>All values, in float32.</summary>
    public DeviceMemory Values => _values.Memory;

    /// <summary>All values as operators read them, in the precision's type.</summary>
    public DeviceMemory ComputeValues => _computeValues?.Memory ?? Values;

    /// <summary>All gradients, in the precision's type.</summary>
    public DeviceMemory Gradients => _gradients.Memory;

    /// <summary>All momentum buffers, in float32.</summary>
    public DeviceMemory Momentum => _momentum.Memory;

    /// <summary>Device memory that it takes.</summary>
    public long Bytes => Values.Bytes + Gradients.Bytes + Momentum.Bytes + (_computeValues?.Memory.Bytes ?? 0);

    /// <summary>A tensor's values in the precision's type, a weight in KRSC order.</summary>
    /// <exception cref="ArgumentException">There is no such tensor.</exception>
    public DeviceMemory Value(string name) => Slice(ComputeValues, name);

    /// <summary>A tensor's gradient in the precision's type, a weight's in KRSC order.</summary>
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
        float[] flat = Flatten(tensors);
        _values.Upload(flat);
        _computeValues?.Upload(StoredElements.Encode(flat, _type));
    }

    /// <summary>Replaces all momentum buffers.</summary>
    /// <param name="tensors">Exactly this network's tensors, by their parameters' names, in PyTorch's order (K, C, R, S).</param>
    /// <exception cref="ArgumentException">A tensor is missing, unknown, or has another number of elements.</exception>
    public void LoadMomentum(IReadOnlyDictionary<string, float[]> tensors) => _momentum.Upload(Flatten(tensors));

    /// <summary>Waits for the device and copies all values, by name, in PyTorch's order.</summary>
    public Dictionary<string, float[]> DownloadValues() => ByName(_values.Download());

    /// <summary>Waits for the device and copies all momentum buffers, by their parameters' names, in PyTorch's order.</summary>
    public Dictionary<string, float[]> DownloadMomentum() => ByName(_momentum.Download());

    /// <summary>Waits for the device and copies all gradients, by name, in PyTorch's order.</summary>
    public Dictionary<string, float[]> DownloadGradients()
    {
        var flat = new byte[_gradients.Length];
        _gradients.Download(flat);
        return ByName(StoredElements.Decode(flat, _type));
    }

    /// <summary>Flat memory's tensors by name, in PyTorch's order.</summary>
    internal Dictionary<string, float[]> ByName(ReadOnlySpan<float> flat)
    {
        var tensors = new Dictionary<string, float[]>(Parameters.Length);
        foreach (Parameter parameter in Parameters)
        {
            float[] values = tensors[parameter.Name] = new float[parameter.Count];
            parameter.FromDeviceOrder(flat.Slice((int)parameter.Offset, parameter.Count), values);
        }
        return tensors;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _values?.Dispose();
        _computeValues?.Dispose();
        _gradients?.Dispose();
        _momentum?.Dispose();
    }

    private DeviceMemory Slice(DeviceMemory memory, string name)
    {
        if (!_byName.TryGetValue(name, out Parameter? parameter))
            throw new ArgumentException($"the network has no parameter {name}");
        return memory.Slice(parameter.Offset * _type.Bytes(), (long)parameter.Count * _type.Bytes());
    }

    private float[] Flatten(IReadOnlyDictionary<string, float[]> tensors)
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
        return flat;
    }
}
