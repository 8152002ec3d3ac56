using System.Runtime.CompilerServices;
using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>
/// A queue of device work that runs in order, asynchronously to the caller, with the cuDNN and cuBLASLt handles that
/// feed it. Owns native things. One thread at a time may use it: a cuDNN handle allows no more.
/// </summary>
public sealed class DeviceStream : DeviceResource
{
    private readonly CUstream _handle;
    private readonly bool _isForeign;
    private cudnnHandle_t _cudnn;
    private cublasLtHandle_t _cublasLt;

    internal DeviceStream(Device device)
        : base(device)
    {
        try
        {
            device.MakeCurrent();
            // Non-blocking: a blocking stream would make the legacy default stream unusable during a capture.
            Cuda.cuStreamCreate(out _handle, (uint)CUstream_flags.CU_STREAM_NON_BLOCKING).ThrowIfFailed();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Wraps a stream that somebody else owns.</summary>
    internal DeviceStream(Device device, CUstream foreign)
        : base(device)
    {
        _isForeign = true;
        try
        {
            if (foreign == default)
                throw new ArgumentException("the stream is null; the default stream can't be captured, make one of your own");
            device.MakeCurrent();
            // An event can be recorded only in a stream of its own context.
            Cuda.cuEventCreate(out CUevent probe, (uint)CUevent_flags.CU_EVENT_DISABLE_TIMING).ThrowIfFailed();
            CUresult status = Cuda.cuEventRecord(probe, foreign);
            Cuda.cuEventDestroy_v2(probe).ThrowIfFailed();
            if (status is CUresult.CUDA_ERROR_INVALID_HANDLE or CUresult.CUDA_ERROR_INVALID_CONTEXT or CUresult.CUDA_ERROR_CONTEXT_IS_DESTROYED)
                throw new ArgumentException("the stream is unknown or belongs to another context than the device's");
            status.ThrowIfFailed(nameof(Cuda.cuEventRecord));
            _handle = foreign;
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The native stream.</summary>
    /// <exception cref="ObjectDisposedException">The stream was disposed.</exception>
    public CUstream Handle
    {
        get
        {
            ThrowIfDisposed();
            return _handle;
        }
    }

    /// <summary>The stream's cuDNN handle, made at first use: outside hot paths and captures, since making one allocates.</summary>
    internal cudnnHandle_t Cudnn
    {
        get
        {
            ThrowIfDisposed();
            return _cudnn != default ? _cudnn : CreateCudnn();
        }
    }

    /// <summary>The stream's cuBLASLt handle, made at first use.</summary>
    internal cublasLtHandle_t CublasLt
    {
        get
        {
            ThrowIfDisposed();
            return _cublasLt != default ? _cublasLt : CreateCublasLt();
        }
    }

    /// <summary>Waits until all work queued so far is done.</summary>
    /// <exception cref="CudaException">Work at or before this call failed.</exception>
    public void Synchronize()
    {
        Device.MakeCurrent();
        Cuda.cuStreamSynchronize(Handle).ThrowIfFailed();
    }

    /// <summary>Lets what is queued from now on wait, on the device, for a mark as it was recorded last; one never recorded is not waited for.</summary>
    /// <exception cref="CudaException">The driver refused.</exception>
    public void Wait(DeviceEvent mark)
    {
        ArgumentNullException.ThrowIfNull(mark);
        Device.MakeCurrent();
        Cuda.cuStreamWaitEvent(Handle, mark.Handle, 0).ThrowIfFailed();
    }

    /// <summary>Queues a copy of the first <paramref name="count"/> elements of pinned memory to the device.</summary>
    /// <exception cref="ArgumentException">The destination is too small.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The source has fewer elements.</exception>
    public unsafe void Copy<T>(PinnedBuffer<T> source, DeviceMemory destination, int count)
        where T : unmanaged => Copy(source, 0, destination, count);

    /// <summary>Queues a copy of <paramref name="count"/> elements of pinned memory, from element <paramref name="start"/> on, to the device.</summary>
    /// <exception cref="ArgumentException">The destination is too small.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The source has fewer elements.</exception>
    public unsafe void Copy<T>(PinnedBuffer<T> source, int start, DeviceMemory destination, int count)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, source.Length - start);
        long bytes = (long)count * Unsafe.SizeOf<T>();
        destination.Require(bytes);
        Device.MakeCurrent();
        Cuda.cuMemcpyHtoDAsync_v2(destination.Address, source.Pointer + start, (nuint)bytes, Handle).ThrowIfFailed();
    }

    /// <summary>Queues a copy of device memory to the beginning of pinned memory.</summary>
    /// <exception cref="ArgumentException">The source has fewer than <paramref name="count"/> elements.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The destination is too small.</exception>
    public unsafe void Copy<T>(DeviceMemory source, PinnedBuffer<T> destination, int count)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, destination.Length);
        long bytes = (long)count * Unsafe.SizeOf<T>();
        source.Require(bytes);
        Device.MakeCurrent();
        Cuda.cuMemcpyDtoHAsync_v2(destination.Pointer, source.Address, (nuint)bytes, Handle).ThrowIfFailed();
    }

    /// <summary>Queues a copy from device memory to device memory of the same length.</summary>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Copy(DeviceMemory source, DeviceMemory destination)
    {
        if (source.Bytes != destination.Bytes)
            throw new ArgumentException($"the source has {source.Bytes} bytes, the destination {destination.Bytes}");
        Device.MakeCurrent();
        Cuda.cuMemcpyDtoDAsync_v2(destination.Address, source.Address, (nuint)source.Bytes, Handle).ThrowIfFailed();
    }

    /// <summary>Queues filling device memory with zero bytes.</summary>
    public void Clear(DeviceMemory memory)
    {
        Device.MakeCurrent();
        Cuda.cuMemsetD8Async(memory.Address, 0, (nuint)memory.Bytes, Handle).ThrowIfFailed();
    }

    /// <summary>Allocates device memory and queues filling it with zero bytes.</summary>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    internal DeviceBuffer<byte> AllocateZeros(long bytes)
    {
        DeviceBuffer<byte> buffer = Device.Allocate<byte>(bytes);
        try
        {
            Clear(buffer);
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Records the work that <paramref name="enqueue"/> puts on this stream, without running it, as a graph that can be
    /// launched again and again with one call. Addresses and sizes are fixed; the memory must stay where it is. Meanwhile other
    /// threads that wait for a whole device (<see cref="Device.Synchronize"/>, downloads) are held up.
    /// </summary>
    /// <exception cref="CudaException">Something that cannot be captured was called; the capture is abandoned.</exception>
    public ExecutableGraph Capture(Action enqueue)
    {
        ArgumentNullException.ThrowIfNull(enqueue);
        Device.MakeCurrent();
        lock (Device.CaptureOrWait)
        {
            // Thread-local: other threads (a checkpoint writer, say) may go on allocating meanwhile.
            Cuda.cuStreamBeginCapture_v2(Handle, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL).ThrowIfFailed();
            CUgraph graph;
            try
            {
                enqueue();
                Cuda.cuStreamEndCapture(Handle, out graph).ThrowIfFailed();
            }
            catch
            {
                // While it captures, nothing can be released.
                if (Cuda.cuStreamEndCapture(Handle, out graph) == CUresult.CUDA_SUCCESS)
                    _ = Cuda.cuGraphDestroy(graph);
                throw;
            }
            return new ExecutableGraph(this, graph);
        }
    }

    internal override void ReleaseNative()
    {
        // Release statuses of the libraries are not driver statuses; a failed release can only mean an earlier driver failure.
        lock (Device.CaptureOrWait) // destroying a library's handle waits for the context
        {
            if (_cudnn != default)
                _ = Interop.Cudnn.cudnnDestroy(_cudnn);
            if (_cublasLt != default)
                _ = Interop.CublasLt.cublasLtDestroy(_cublasLt);
        }
        if (_handle != default && !_isForeign)
            Device.RecordFailure(Cuda.cuStreamDestroy_v2(_handle), nameof(Cuda.cuStreamDestroy_v2));
    }

    private cudnnHandle_t CreateCudnn()
    {
        Device.MakeCurrent();
        Interop.Cudnn.cudnnCreate(out _cudnn).ThrowIfFailed();
        Interop.Cudnn.cudnnSetStream(_cudnn, Handle).ThrowIfFailed();
        return _cudnn;
    }

    private cublasLtHandle_t CreateCublasLt()
    {
        Device.MakeCurrent();
        Interop.CublasLt.cublasLtCreate(out _cublasLt).ThrowIfFailed();
        return _cublasLt;
    }
}
