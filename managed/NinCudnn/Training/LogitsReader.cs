using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>Receives class scores on the thread that evaluates.</summary>
/// <param name="first">The position in the data set of the first sample.</param>
/// <param name="logits">(n, classes), of n consecutive samples. Valid only during the call.</param>
public delegate void LogitsReceiver(int first, ReadOnlySpan<float> logits);

/// <summary>
/// Brings the logits of batch after batch to the host, by a ring of pinned slots: a batch is handed over when a later one needs its
/// slot, so that the device does not wait. Owns pinned memory.
/// </summary>
internal sealed class LogitsReader : IDisposable
{
    private const int SlotCount = 2;

    private readonly DeviceStream _stream;
    private readonly Slot[] _slots;
    private readonly DataType _type;
    private readonly float[] _decoded;
    private int _next;

    /// <param name="stream">The stream that the plans run on.</param>
    /// <param name="elements">The most logits of a batch.</param>
    /// <param name="type">Their type on the device.</param>
    public LogitsReader(DeviceStream stream, int elements, DataType type)
    {
        _stream = stream;
        _type = type;
        _decoded = new float[elements];
        _slots = ResourceArray.Create(SlotCount, () => new Slot(stream.Device, elements * type.Bytes()));
    }

    /// <summary>Forgets what an earlier pass left behind.</summary>
    public void Reset() => Array.ForEach(_slots, slot => slot.Bytes = 0);

    /// <summary>Queues the copy of a batch's logits, and hands an earlier batch's over.</summary>
    public void Read(DeviceMemory logits, int first, LogitsReceiver receiver)
    {
        Slot slot = _slots[_next];
        _next = (_next + 1) % SlotCount;
        Deliver(slot, receiver);
        slot.First = first;
        slot.Bytes = (int)logits.Bytes;
        _stream.Copy(logits, slot.Memory, slot.Bytes);
        slot.Copied.Record(_stream);
    }

    /// <summary>Waits for the batches that are on their way and hands them over.</summary>
    public void Finish(LogitsReceiver receiver)
    {
        for (int i = 0; i < SlotCount; i++)
            Deliver(_slots[(_next + i) % SlotCount], receiver);
    }

    public void Dispose() => Array.ForEach(_slots, slot => slot.Dispose());

    private void Deliver(Slot slot, LogitsReceiver receiver)
    {
        if (slot.Bytes == 0)
            return;
        slot.Copied.Synchronize();
        Span<float> values = _decoded.AsSpan(0, slot.Bytes / _type.Bytes());
        StoredElements.Decode(slot.Memory.Span[..slot.Bytes], _type, values);
        slot.Bytes = 0;
        receiver(slot.First, values);
    }

    private sealed class Slot : IDisposable
    {
        public Slot(Device device, int bytes)
        {
            Memory = device.AllocatePinned<byte>(bytes);
            try
            {
                Copied = new DeviceEvent(device);
            }
            catch
            {
                Memory.Dispose();
                throw;
            }
        }

        public PinnedBuffer<byte> Memory { get; }

        public DeviceEvent Copied { get; }

        /// <summary>The position of the batch's first sample.</summary>
        public int First { get; set; }

        /// <summary>Bytes that are on their way, 0 if none are.</summary>
        public int Bytes { get; set; }

        public void Dispose()
        {
            if (Copied.IsDisposed)
                return;
            Copied.SynchronizeForRelease(); // the device may still be writing the copy
            Copied.Dispose();
            Memory.Dispose();
        }
    }
}
