namespace NinCudnn.Devices;

/// <summary>
/// Scratch memory for plans that never run at the same time: each lays its tensors over the same bytes. Owns device memory.
/// </summary>
public sealed class DeviceArena : IDisposable
{
    private readonly Device _device;
    private readonly List<DeviceBuffer<byte>> _blocks = [];

    /// <summary>Makes an empty arena.</summary>
    public DeviceArena(Device device) => _device = device;

    /// <summary>Device memory held, in bytes.</summary>
    public long Bytes => _blocks.Sum(block => block.Length);

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

    /// <inheritdoc/>
    public void Dispose()
    {
        _blocks.ForEach(block => block.Dispose());
        _blocks.Clear();
    }
}
