using System.Runtime.CompilerServices;
using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>An allocation of device memory for elements of type <typeparamref name="T"/>. Owns native memory.</summary>
public sealed class DeviceBuffer<T> : DeviceResource
    where T : unmanaged
{
    private readonly CUdeviceptr _address;

    internal DeviceBuffer(Device device, long length)
        : base(device)
    {
        Length = length;
        try
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, long.MaxValue / Unsafe.SizeOf<T>());
            device.MakeCurrent();
            long bytes = length * Unsafe.SizeOf<T>();
            CUresult status = Cuda.cuMemAlloc_v2(out _address, (nuint)bytes);
            if (status == CUresult.CUDA_ERROR_OUT_OF_MEMORY)
            {
                device.Reclaim();
                status = Cuda.cuMemAlloc_v2(out _address, (nuint)bytes);
            }
            if (status == CUresult.CUDA_ERROR_OUT_OF_MEMORY)
                throw new DeviceMemoryException(device, bytes);
            status.ThrowIfFailed(nameof(Cuda.cuMemAlloc_v2));
            device.Reclaim();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The number of elements.</summary>
    public long Length { get; }

    /// <summary>The whole buffer as an operand.</summary>
    /// <exception cref="ObjectDisposedException">The buffer was disposed.</exception>
    public DeviceMemory Memory
    {
        get
        {
            ThrowIfDisposed();
            return new DeviceMemory(_address, Length * Unsafe.SizeOf<T>());
        }
    }

    /// <summary>Copies from the host and waits for it; does not wait for streams.</summary>
    /// <param name="source">Exactly <see cref="Length"/> elements.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="CudaException">The copy, or work before it, failed.</exception>
    public unsafe void Upload(ReadOnlySpan<T> source)
    {
        DeviceMemory memory = CheckLength(source.Length);
        fixed (T* pointer = source)
            Cuda.cuMemcpyHtoD_v2(memory.Address, pointer, (nuint)memory.Bytes).ThrowIfFailed();
        // A copy from pageable memory may return while its bytes are only staged; other streams would not wait for them.
        Cuda.cuStreamSynchronize(default).ThrowIfFailed();
    }

    /// <summary>Waits for the device to be idle, then copies to the host.</summary>
    /// <param name="destination">Exactly <see cref="Length"/> elements.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="CudaException">The copy, or work before it, failed.</exception>
    public unsafe void Download(Span<T> destination)
    {
        DeviceMemory memory = CheckLength(destination.Length);
        Device.Synchronize();
        fixed (T* pointer = destination)
            Cuda.cuMemcpyDtoH_v2(pointer, memory.Address, (nuint)memory.Bytes).ThrowIfFailed();
    }

    /// <summary>Waits for the device to be idle, then copies to a new array.</summary>
    /// <exception cref="CudaException">The copy, or work before it, failed.</exception>
    public T[] Download()
    {
        var values = new T[Length];
        Download(values);
        return values;
    }

    /// <summary>The buffer as an operand.</summary>
    public static implicit operator DeviceMemory(DeviceBuffer<T> buffer)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        return buffer.Memory;
    }

    internal override void ReleaseNative()
    {
        if (_address != default)
            Device.RecordFailure(Cuda.cuMemFree_v2(_address), nameof(Cuda.cuMemFree_v2));
    }

    private DeviceMemory CheckLength(int length)
    {
        DeviceMemory memory = Memory;
        if (length != Length)
            throw new ArgumentException($"the span has {length} elements, the buffer {Length}");
        Device.MakeCurrent();
        return memory;
    }
}
