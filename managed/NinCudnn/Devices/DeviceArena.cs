using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>
/// Scratch memory for plans that never run at the same time: each lays its tensors over the same bytes. Owns device memory.
/// </summary>
public sealed class DeviceArena : IDisposable
{
    private readonly Device _device;
    private readonly List<DeviceBuffer<byte>> _blocks = [];
    private readonly List<DeviceBuffer<byte>> _separate = [];

    /// <summary>Makes an empty arena.</summary>
    public DeviceArena(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        _device = device;
        KeepsTensorsApart = device.Provider == NativeProvider.Host && Environment.GetEnvironmentVariable("NIN_HOST_POISON") == "1";
    }

    /// <summary>Device memory held, in bytes.</summary>
    public long Bytes => _blocks.Sum(block => block.Length) + _separate.Sum(buffer => buffer.Length);

    /// <summary>
    /// Whether every tensor gets an allocation of its own, as with the host provider's poisoned memory: then what reads beyond a tensor,
    /// or before it is written, finds no neighbour's numbers.
    /// </summary>
    internal bool KeepsTensorsApart { get; }

    /// <summary>
    /// A range of at least that many bytes, aligned to 256, shared with everybody else who asked. The block that an earlier
    /// caller got stays where it is, so it pays to ask for the largest first.
    /// </summary>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    public DeviceMemory Reserve(long bytes)
    {
        DeviceBuffer<byte>? block = _blocks.Find(candidate => candidate.Length >= bytes);
        if (block is null)
            _blocks.Add(block = _device.Allocate<byte>(Math.Max(bytes, 1)));
        return block.Memory;
    }

    /// <summary>A range that nobody else gets.</summary>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    internal DeviceMemory ReserveSeparately(long bytes)
    {
        if (bytes == 0)
            return default;
        DeviceBuffer<byte> buffer = _device.Allocate<byte>(bytes);
        _separate.Add(buffer);
        return buffer.Memory;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _blocks.ForEach(block => block.Dispose());
        _blocks.Clear();
        _separate.ForEach(buffer => buffer.Dispose());
        _separate.Clear();
    }
}
