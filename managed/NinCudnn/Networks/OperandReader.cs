using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>Looks at numbers that lie on a device, waiting for the work before. Owns pinned memory.</summary>
internal sealed class OperandReader(DeviceStream stream) : IDisposable
{
    private const int ChunkElements = 1 << 20;

    private readonly PinnedBuffer<byte> _bytes = stream.Device.AllocatePinned<byte>(ChunkElements * sizeof(float));
    private readonly float[] _values = new float[ChunkElements];

    /// <summary>What a tensor holds, and where its first number is that is infinite or NaN.</summary>
    public (TensorRange Range, (long Index, float Value)? FirstNonFinite) Read(PlanOperand operand)
    {
        float smallest = float.PositiveInfinity, largest = float.NegativeInfinity;
        long nonFinite = 0;
        (long, float)? first = null;
        DeviceMemory memory = operand.Memory;
        int elementBytes = operand.Type.Bytes();
        for (long start = 0, count = memory.Bytes / elementBytes; start < count; start += ChunkElements)
        {
            int elements = (int)Math.Min(ChunkElements, count - start), bytes = elements * elementBytes;
            stream.Copy(memory.Slice(start * elementBytes, bytes), _bytes, bytes);
            stream.Synchronize();
            Span<float> values = _values.AsSpan(0, elements);
            StoredElements.Decode(_bytes.Span[..bytes], operand.Type, values);
            for (int i = 0; i < elements; i++)
            {
                float value = values[i];
                if (float.IsFinite(value))
                {
                    smallest = Math.Min(smallest, value);
                    largest = Math.Max(largest, value);
                }
                else
                {
                    nonFinite++;
                    first ??= (start + i, value);
                }
            }
        }
        return (new TensorRange(operand.Name, smallest, largest, nonFinite), first);
    }

    public void Dispose() => _bytes.Dispose();
}
