using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// An operand in a form that a call does not take, with a copy in one that it does at a fixed place of the call's workspace.
/// cudnnTransformTensor converts layout and type between them. Owns descriptors.
/// </summary>
internal sealed unsafe class ConvertedOperand : IDisposable
{
    private const long Alignment = 256;

    private readonly TensorDescriptor _operand;
    private readonly TensorDescriptor _copy;
    private readonly long _offset;
    private readonly long _bytes;

    /// <param name="shape">Its extents; a filter's K counts as N.</param>
    /// <param name="operand">The operand's form.</param>
    /// <param name="copy">The copy's form.</param>
    /// <param name="offset">Where the copy begins in the workspace.</param>
    public ConvertedOperand(TensorShape shape, TensorForm operand, TensorForm copy, long offset)
    {
        _operand = new TensorDescriptor(shape, operand);
        _copy = new TensorDescriptor(shape, copy);
        _offset = offset;
        _bytes = shape.Count * copy.Type.Bytes();
        End = offset + (_bytes + Alignment - 1) / Alignment * Alignment;
    }

    /// <summary>Where in the workspace something else may begin.</summary>
    public long End { get; }

    /// <summary>The copy's place.</summary>
    public DeviceMemory Place(DeviceMemory workspace) => workspace.Slice(_offset, _bytes);

    /// <summary>Queues making the copy.</summary>
    /// <returns>Null, or the status by which it was refused as not supported.</returns>
    public Enum? Read(DeviceStream stream, DeviceMemory operand, DeviceMemory copy) => Convert(stream, _operand, operand, _copy, copy);

    /// <summary>Queues bringing the copy back.</summary>
    /// <returns>Null, or the status by which it was refused as not supported.</returns>
    public Enum? Write(DeviceStream stream, DeviceMemory copy, DeviceMemory operand) => Convert(stream, _copy, copy, _operand, operand);

    public void Dispose()
    {
        _operand.Dispose();
        _copy.Dispose();
    }

    private static Enum? Convert(DeviceStream stream, TensorDescriptor from, DeviceMemory source, TensorDescriptor to, DeviceMemory destination)
    {
        float one = 1, zero = 0;
        cudnnStatus_t status = Cudnn.cudnnTransformTensor(
            stream.Cudnn, &one, from.Handle, source.Address.Pointer, &zero, to.Handle, destination.Address.Pointer);
        if (CudnnStatus.IsNotSupported(status))
            return CudnnStatus.ToVersion9(status);
        status.ThrowIfFailed(nameof(Cudnn.cudnnTransformTensor));
        return null;
    }
}
