using System.Collections.Concurrent;
using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>
/// One compute device: an NVIDIA GPU, or the CPU through the host provider. It holds the device's primary context,
/// which cuDNN and cuBLAS use too, or works in a context that somebody else owns.
/// </summary>
/// <remarks>
/// Owns native things. What is made from a device (buffers, streams, …) keeps the context alive, so device and
/// resources may be disposed in any order. Thread-safe.
/// </remarks>
public sealed class Device : IDisposable
{
    private readonly ConcurrentQueue<DeviceResource> _unreclaimed = new();
    private readonly ConcurrentDictionary<string, Lazy<KernelModule>> _kernelModules = new();
    private readonly CUdevice _device;
    private readonly CUcontext _context;
    private readonly bool _isForeign;
    private CudaException? _deferredFailure;
    private int _references = 1;
    private int _disposed;

    private Device(ProviderSelection selection, CUcontext foreignContext = default)
    {
        Selection = selection;
        Cuda.cuInit(0).ThrowIfFailed();
        Cuda.cuDeviceGet(out _device, selection.Ordinal).ThrowIfFailed();
        Name = ReadName(_device);
        Cuda.cuDeviceTotalMem_v2(out nuint totalBytes, _device).ThrowIfFailed();
        TotalBytes = (long)totalBytes;
        MultiprocessorCount = Attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        ComputeCapability = new Version(
            Attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
            Attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
        if (foreignContext == default)
        {
            Cuda.cuDevicePrimaryCtxRetain(out _context, _device).ThrowIfFailed();
            return;
        }
        Cuda.cuCtxSetCurrent(foreignContext).ThrowIfFailed();
        Cuda.cuCtxGetDevice(out CUdevice owner).ThrowIfFailed();
        if (owner != _device)
            throw new ArgumentException($"the context belongs to device {owner.Value}, not to {selection.Ordinal}");
        _context = foreignContext;
        _isForeign = true;
    }

    /// <summary>
    /// Held during a capture and while waiting for a context. The second is illegal while one of the context's streams captures,
    /// on whatever thread, and breaks the capture. Primary contexts belong to the process, and so does this.
    /// </summary>
    internal static Lock CaptureOrWait { get; } = new();

    /// <summary>Which provider was chosen for this process, and why.</summary>
    public ProviderSelection Selection { get; }

    /// <summary>Whether calls land in NVIDIA's libraries or in the host provider.</summary>
    public NativeProvider Provider => Selection.Provider;

    /// <summary>The device's name, for example the GPU's or the CPU's model.</summary>
    public string Name { get; }

    /// <summary>The device's memory in bytes.</summary>
    public long TotalBytes { get; }

    /// <summary>Streaming multiprocessors; on the host provider, threads.</summary>
    public int MultiprocessorCount { get; }

    /// <summary>The compute capability, for example 9.0.</summary>
    public Version ComputeCapability { get; }

    /// <summary>Free device memory in bytes, as the driver estimates it.</summary>
    /// <exception cref="CudaException">The driver refused.</exception>
    public long FreeBytes
    {
        get
        {
            MakeCurrent();
            Cuda.cuMemGetInfo_v2(out nuint freeBytes, out _).ThrowIfFailed();
            return (long)freeBytes;
        }
    }

    /// <summary>
    /// Opens a device. The first call chooses the provider for the whole process; see <see cref="NativeLibraries.Select"/>.
    /// </summary>
    /// <param name="request">Which device; when null as <see cref="DeviceRequest.Auto"/>, which takes a GPU where there is a usable one.</param>
    /// <exception cref="NativeLibraryException">A library that the request needs could not be loaded.</exception>
    /// <exception cref="CudaException">The device does not exist or could not be opened.</exception>
    /// <exception cref="InvalidOperationException">The process already uses another provider.</exception>
    public static Device Open(DeviceRequest? request = null) => new(NativeLibraries.Select(request ?? DeviceRequest.Auto));

    /// <summary>
    /// Uses a context that somebody else made and owns, for example another CUDA library in the same process. It must outlive the
    /// device and everything made from it, and is never released.
    /// </summary>
    /// <param name="context">A context of the device asked for.</param>
    /// <param name="request">The device; the default is the first GPU.</param>
    /// <exception cref="ArgumentException">The context is null or of another device.</exception>
    /// <exception cref="NativeLibraryException">The provider can't be had.</exception>
    /// <exception cref="CudaException">The driver does not know the context.</exception>
    public static Device FromContext(CUcontext context, DeviceRequest? request = null)
    {
        if (context == default)
            throw new ArgumentException("the context is null");
        return new Device(NativeLibraries.Select(request ?? DeviceRequest.Parse("cuda")), context);
    }

    /// <summary>
    /// Uses a stream that somebody else made and owns. It must outlive the result and all work queued through it; disposing of the
    /// result releases only the library handles made for it.
    /// </summary>
    /// <param name="stream">A stream of this device's context, made non-blocking if plans are to be captured on it; not the default stream.</param>
    /// <exception cref="ArgumentException">The stream is null, or of another context.</exception>
    public DeviceStream WrapStream(CUstream stream) => new(this, stream);

    /// <summary>Checks memory that somebody else allocated, for use as an operand. It must outlive all work that uses it.</summary>
    /// <param name="address">The first byte, in memory of this device's context.</param>
    /// <param name="bytes">Length.</param>
    /// <exception cref="ArgumentException">The range is not device memory of this context, or reaches beyond its allocation.</exception>
    public unsafe DeviceMemory WrapMemory(CUdeviceptr address, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bytes);
        MakeCurrent();
        CUcontext context;
        CUmemorytype type;
        ulong start;
        nuint size;
        CUresult status = Cuda.cuPointerGetAttribute(&type, CUpointer_attribute.CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address);
        if (status == CUresult.CUDA_ERROR_INVALID_VALUE)
            throw new ArgumentException($"0x{address.Value:x} is no address that the driver knows");
        status.ThrowIfFailed(nameof(Cuda.cuPointerGetAttribute));
        if (type != CUmemorytype.CU_MEMORYTYPE_DEVICE)
            throw new ArgumentException($"0x{address.Value:x} is not device memory");
        Cuda.cuPointerGetAttribute(&context, CUpointer_attribute.CU_POINTER_ATTRIBUTE_CONTEXT, address).ThrowIfFailed();
        if (context != _context)
            throw new ArgumentException($"0x{address.Value:x} is memory of another context");
        Cuda.cuPointerGetAttribute(&start, CUpointer_attribute.CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, address).ThrowIfFailed();
        Cuda.cuPointerGetAttribute(&size, CUpointer_attribute.CU_POINTER_ATTRIBUTE_RANGE_SIZE, address).ThrowIfFailed();
        long left = (long)(start + size - address.Value);
        return bytes <= left
            ? new DeviceMemory(address, bytes)
            : throw new ArgumentException($"{bytes} bytes from 0x{address.Value:x} reach beyond the allocation, of which {left} bytes are left there");
    }

    /// <summary>Allocates device memory for <paramref name="length"/> elements; its contents are undefined.</summary>
    /// <param name="length">Elements, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is not positive, or in bytes above the largest int64.</exception>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    public DeviceBuffer<T> Allocate<T>(long length)
        where T : unmanaged => new(this, length);

    /// <summary>Allocates device memory for a copy of <paramref name="values"/>, and waits until they are there.</summary>
    /// <param name="values">At least one element.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are no elements.</exception>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    /// <exception cref="CudaException">The copy, or work before it, failed.</exception>
    public DeviceBuffer<T> Allocate<T>(ReadOnlySpan<T> values)
        where T : unmanaged
    {
        DeviceBuffer<T> buffer = Allocate<T>(values.Length);
        try
        {
            buffer.Upload(values);
            return buffer;
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Allocates page-locked host memory, from which asynchronous copies can be made.</summary>
    /// <param name="length">Elements, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is not positive.</exception>
    /// <exception cref="CudaException">The driver refused.</exception>
    public PinnedBuffer<T> AllocatePinned<T>(int length)
        where T : unmanaged => new(this, length);

    /// <summary>Makes a stream: a queue whose work runs in order, asynchronously to the caller.</summary>
    /// <exception cref="CudaException">The driver refused.</exception>
    public DeviceStream CreateStream() => new(this);

    /// <summary>Waits until all work of all the device's streams is done, and before that for captures on other threads.</summary>
    /// <exception cref="CudaException">Work at or before this call failed.</exception>
    public void Synchronize()
    {
        MakeCurrent();
        lock (CaptureOrWait)
            Cuda.cuCtxSynchronize().ThrowIfFailed();
    }

    /// <summary>
    /// Makes the device's context current on the calling thread, as every driver call needs. The current context is per
    /// operating system thread, and after an <see langword="await"/> code may go on on another one; so each public entry
    /// point calls this.
    /// </summary>
    /// <exception cref="CudaException">The driver refused, or releasing a resource failed earlier.</exception>
    /// <exception cref="ObjectDisposedException">The device and all that came from it are gone.</exception>
    internal void MakeCurrent()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _references) == 0, this);
        if (_deferredFailure is not null) // first, since after a sticky error the next call fails too
            ThrowDeferredFailure();
        Cuda.cuCtxSetCurrent(_context).ThrowIfFailed();
    }

    /// <summary>As <see cref="MakeCurrent"/>, for releases, which may not throw and leave failures to the next call.</summary>
    internal bool TryMakeCurrent() => Cuda.cuCtxSetCurrent(_context) == CUresult.CUDA_SUCCESS;

    /// <summary>The kernels of one family (the name of its .cu file without extension), loaded at first use.</summary>
    internal KernelModule Kernels(string family) =>
        _kernelModules.GetOrAdd(family, name => new Lazy<KernelModule>(() => KernelModule.LoadEmbedded(this, name))).Value;

    /// <summary>
    /// Frees what finalisers left behind. A safe point: called behind an allocation, which a capture on this thread would have refused,
    /// as it would refuse to free.
    /// </summary>
    internal void Reclaim()
    {
        while (_unreclaimed.TryDequeue(out DeviceResource? resource))
            ReleaseResource(resource);
    }

    internal void AddReference()
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        Interlocked.Increment(ref _references);
    }

    internal void ReleaseResource(DeviceResource resource)
    {
        RecordFailure(Cuda.cuCtxSetCurrent(_context), nameof(Cuda.cuCtxSetCurrent));
        resource.ReleaseNative();
        RemoveReference();
    }

    /// <summary>Called on the finaliser's thread, where a driver call could break a capture running elsewhere.</summary>
    internal void ReclaimLater(DeviceResource resource)
    {
        _unreclaimed.Enqueue(resource);
        if (Volatile.Read(ref _disposed) != 0) // no allocation will come that would reclaim it
            ThreadPool.UnsafeQueueUserWorkItem(device => device.Reclaim(), this, preferLocal: false);
    }

    /// <summary>Keeps a failure of a release, which may not throw, for the next checked call.</summary>
    internal void RecordFailure(CUresult status, string function)
    {
        if (status != CUresult.CUDA_SUCCESS)
            _deferredFailure ??= new CudaException(status, function, "It failed while a resource was released earlier (deferred)");
    }

    /// <summary>Gives the device up; its context is released when the last resource made from it is disposed.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        Reclaim();
        RemoveReference();
    }

    private void RemoveReference()
    {
        if (Interlocked.Decrement(ref _references) > 0)
            return;
        // Nobody is left who could be told of a failure.
        if (TryMakeCurrent())
        {
            foreach (Lazy<KernelModule> module in _kernelModules.Values)
            {
                if (module.IsValueCreated)
                    module.Value.Unload();
            }
        }
        if (!_isForeign)
            _ = Cuda.cuDevicePrimaryCtxRelease_v2(_device);
    }

    private void ThrowDeferredFailure()
    {
        if (Interlocked.Exchange(ref _deferredFailure, null) is { } failure)
            throw failure;
    }

    private int Attribute(CUdevice_attribute attribute)
    {
        Cuda.cuDeviceGetAttribute(out int value, attribute, _device).ThrowIfFailed();
        return value;
    }

    private static unsafe string ReadName(CUdevice device)
    {
        const int Capacity = 256;
        byte* name = stackalloc byte[Capacity];
        Cuda.cuDeviceGetName(name, Capacity, device).ThrowIfFailed();
        return System.Runtime.InteropServices.Marshal.PtrToStringUTF8((nint)name) ?? "";
    }
}
