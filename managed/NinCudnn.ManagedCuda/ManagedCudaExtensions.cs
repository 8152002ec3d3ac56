using System.Globalization;
using ManagedCuda;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.ManagedCuda;

/// <summary>
/// Views between ManagedCuda's objects and NinCudnn's, in both directions and without copies. A view owns nothing: what it was made
/// from must outlive it, and all work queued through it.
/// </summary>
public static class ManagedCudaExtensions
{
    /// <summary>The context as NinCudnn's device. Both libraries then work in the same context.</summary>
    /// <exception cref="NativeLibraryException">cuDNN, cuBLAS or cuBLASLt can't be loaded.</exception>
    /// <exception cref="InvalidOperationException">The process already uses the host provider.</exception>
    public static Device AsDevice(this CudaContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        string device = string.Create(CultureInfo.InvariantCulture, $"cuda:{context.DeviceId}");
        return Device.FromContext(new CUcontext(context.Context.Pointer), DeviceRequest.Parse(device));
    }

    /// <summary>The stream as NinCudnn's, with cuDNN and cuBLASLt handles of its own.</summary>
    /// <param name="stream">Made with <c>CUStreamFlags.NonBlocking</c> if plans are to be captured on it.</param>
    /// <param name="device">The view of the stream's context.</param>
    /// <exception cref="ArgumentException">The stream belongs to another context.</exception>
    public static DeviceStream AsDeviceStream(this CudaStream stream, Device device)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(device);
        return device.WrapStream(new CUstream(stream.Stream.Pointer));
    }

    /// <summary>The variable's memory as an operand.</summary>
    /// <exception cref="ArgumentException">The memory belongs to another context.</exception>
    public static DeviceMemory AsDeviceMemory<T>(this CudaDeviceVariable<T> variable, Device device)
        where T : struct
    {
        ArgumentNullException.ThrowIfNull(variable);
        ArgumentNullException.ThrowIfNull(device);
        return device.WrapMemory(new CUdeviceptr((ulong)variable.DevicePointer.Pointer), (long)(ulong)variable.SizeInBytes);
    }

    /// <summary>Device memory as ManagedCuda's variable, which does not free it.</summary>
    /// <exception cref="ArgumentException">The memory's length is no multiple of the element's.</exception>
    public static CudaDeviceVariable<T> AsCudaDeviceVariable<T>(this DeviceMemory memory)
        where T : unmanaged
    {
        int elementBytes = System.Runtime.CompilerServices.Unsafe.SizeOf<T>();
        if (memory.Bytes % elementBytes != 0)
            throw new ArgumentException($"{memory.Bytes} bytes are no whole number of elements of {elementBytes}");
        var address = new global::ManagedCuda.BasicTypes.CUdeviceptr { Pointer = memory.Address.Value };
        return new CudaDeviceVariable<T>(address, false, (ulong)(memory.Bytes / elementBytes));
    }

    /// <summary>The stream as ManagedCuda's, which does not destroy it.</summary>
    public static CudaStream AsCudaStream(this DeviceStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new CudaStream(new global::ManagedCuda.BasicTypes.CUstream { Pointer = stream.Handle.Value });
    }
}
