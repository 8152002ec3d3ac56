using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>
/// What the host sends in each step: the step's state and the batch's sample indices, in one asynchronous copy from a ring
/// of pinned slots. A slot is written again only when the device has read it, which also bounds how far the host runs ahead.
/// Owns device and pinned memory.
/// </summary>
public sealed unsafe class StepInput : IDisposable
{
    private const int Slots = 4;

    private readonly DeviceStream _stream;
    private readonly DeviceBuffer<byte> _device;
    private readonly PinnedBuffer<byte> _pinned;
    private readonly DeviceEvent[] _read;
    private readonly int _slotBytes;
    private int _slot;

    /// <summary>Makes room for batches of up to <paramref name="maxBatch"/> samples.</summary>
    public StepInput(DeviceStream stream, int maxBatch)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBatch);
        _stream = stream;
        MaxBatch = maxBatch;
        _slotBytes = sizeof(StepState) + maxBatch * sizeof(int);
        try
        {
            _device = stream.Device.Allocate<byte>(_slotBytes);
            _pinned = stream.Device.AllocatePinned<byte>(_slotBytes * Slots);
            _read = ResourceArray.Create(Slots, () => new DeviceEvent(stream.Device));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The most samples that <see cref="Send"/> takes.</summary>
    public int MaxBatch { get; }

    /// <summary>The <see cref="StepState"/> on the device.</summary>
    public DeviceMemory State => _device.Memory.Slice(0, sizeof(StepState));

    /// <summary>The batch's indices on the device: int32.</summary>
    public DeviceMemory Indices => _device.Memory.Slice(sizeof(StepState), (long)MaxBatch * sizeof(int));

    /// <summary>Queues the copy for the next step.</summary>
    /// <param name="state">Learning rate and step number.</param>
    /// <param name="indices">Positions in the data set, at most <see cref="MaxBatch"/>.</param>
    /// <exception cref="ArgumentException">There are too many indices.</exception>
    public void Send(in StepState state, ReadOnlySpan<int> indices)
    {
        if (indices.Length > MaxBatch)
            throw new ArgumentException($"{indices.Length} indices, room for {MaxBatch}");
        _read[_slot].Synchronize();
        int start = _slot * _slotBytes, bytes = sizeof(StepState) + indices.Length * sizeof(int);
        Span<byte> slot = _pinned.Span.Slice(start, bytes);
        System.Runtime.InteropServices.MemoryMarshal.Write(slot, state);
        System.Runtime.InteropServices.MemoryMarshal.AsBytes(indices).CopyTo(slot[sizeof(StepState)..]);
        _stream.Copy(_pinned, start, _device.Memory, bytes);
        _read[_slot].Record(_stream);
        _slot = (_slot + 1) % Slots;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        foreach (DeviceEvent read in _read ?? [])
        {
            if (!read.IsDisposed)
                read.SynchronizeForRelease(); // the device may still be reading the slot
            read.Dispose();
        }
        _pinned?.Dispose();
        _device?.Dispose();
    }
}
