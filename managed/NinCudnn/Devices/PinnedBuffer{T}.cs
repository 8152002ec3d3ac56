using System.Runtime.CompilerServices;
using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>
/// Page-locked host memory. A copy from or to it only queues: the device reads or writes it later, so it may be touched
/// again only when an event recorded behind the copy has come. Owns native memory.
/// </summary>
public sealed unsafe class PinnedBuffer<T> : DeviceResource
    where T : unmanaged
{
    private readonly T* _pointer;

    internal PinnedBuffer(Device device, int length)
        : base(device)
    {
        Length = length;
        try
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
            device.MakeCurrent();
            long bytes = (long)length * Unsafe.SizeOf<T>();
            CUresult status = Cuda.cuMemHostAlloc(out void* pointer, (nuint)bytes, 0);
            if (status != CUresult.CUDA_SUCCESS)
                throw new CudaException(status, nameof(Cuda.cuMemHostAlloc), $"{ByteSize.Format(bytes)} of page-locked host memory were asked for");
            _pointer = (T*)pointer;
            device.Reclaim();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The number of elements.</summary>
    public int Length { get; }

    /// <summary>The memory, as the host sees it.</summary>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public Span<T> Span
    {
        get
        {
            ThrowIfDisposed();
            return new Span<T>(_pointer, Length);
        }
    }

    internal T* Pointer
    {
        get
        {
            ThrowIfDisposed();
            return _pointer;
        }
    }

    internal override void ReleaseNative()
    {
        if (_pointer != null)
            Device.RecordFailure(Cuda.cuMemFreeHost(_pointer), nameof(Cuda.cuMemFreeHost));
    }
}
