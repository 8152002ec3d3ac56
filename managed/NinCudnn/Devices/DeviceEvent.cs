using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>A mark in a stream that can be waited for and timed. Owns a native thing.</summary>
public sealed class DeviceEvent : DeviceResource
{
    // Up to CUDA 12 there is the one function, from 12.8 on the other. The driver stays the same as long as the process lives.
    private static readonly Lazy<bool> _hasNewElapsedTime =
        new(() => NativeLibraries.TryGetExport(NativeLibraryNames.Cuda, nameof(Cuda.cuEventElapsedTime_v2), out _));

    private readonly CUevent _handle;

    /// <summary>Makes an event. Until it is recorded it counts as reached.</summary>
    /// <param name="device">The device whose streams will record it.</param>
    /// <param name="timing">Whether <see cref="ElapsedSince"/> will be asked.</param>
    public DeviceEvent(Device device, bool timing = false)
        : base(device)
    {
        try
        {
            device.MakeCurrent();
            CUevent_flags flags = timing ? CUevent_flags.CU_EVENT_DEFAULT : CUevent_flags.CU_EVENT_DISABLE_TIMING;
            Cuda.cuEventCreate(out _handle, (uint)flags).ThrowIfFailed();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal CUevent Handle
    {
        get
        {
            ThrowIfDisposed();
            return _handle;
        }
    }

    /// <summary>Whether the work before the mark is done.</summary>
    /// <exception cref="CudaException">Work at or before this call failed.</exception>
    public bool IsReached
    {
        get
        {
            ThrowIfDisposed();
            Device.MakeCurrent();
            CUresult status = Cuda.cuEventQuery(_handle);
            if (status == CUresult.CUDA_ERROR_NOT_READY)
                return false;
            status.ThrowIfFailed(nameof(Cuda.cuEventQuery));
            return true;
        }
    }

    /// <summary>Sets the mark behind everything queued on the stream so far, replacing an earlier one.</summary>
    public void Record(DeviceStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ThrowIfDisposed();
        Device.MakeCurrent();
        Cuda.cuEventRecord(_handle, stream.Handle).ThrowIfFailed();
    }

    /// <summary>Waits until the work before the mark is done.</summary>
    /// <exception cref="CudaException">Work at or before this call failed.</exception>
    public void Synchronize()
    {
        ThrowIfDisposed();
        Device.MakeCurrent();
        Cuda.cuEventSynchronize(_handle).ThrowIfFailed();
    }

    /// <summary>Device time between two reached marks, with a resolution of about half a microsecond.</summary>
    /// <exception cref="CudaException">One of the two was made without timing, never recorded, or is not reached yet.</exception>
    public TimeSpan ElapsedSince(DeviceEvent start)
    {
        ArgumentNullException.ThrowIfNull(start);
        start.ThrowIfDisposed();
        ThrowIfDisposed();
        Device.MakeCurrent();
        float milliseconds;
        if (_hasNewElapsedTime.Value)
            Cuda.cuEventElapsedTime_v2(out milliseconds, start._handle, _handle).ThrowIfFailed();
        else
            Cuda.cuEventElapsedTime(out milliseconds, start._handle, _handle).ThrowIfFailed();
        return TimeSpan.FromMilliseconds(milliseconds);
    }

    /// <summary>
    /// Waits as <see cref="Synchronize"/> does, on the way to a release, which may not throw: a failure is thrown by the next checked call.
    /// </summary>
    internal void SynchronizeForRelease()
    {
        ThrowIfDisposed();
        if (Device.TryMakeCurrent())
            Device.RecordFailure(Cuda.cuEventSynchronize(_handle), nameof(Cuda.cuEventSynchronize));
    }

    internal override void ReleaseNative()
    {
        if (_handle != default)
            Device.RecordFailure(Cuda.cuEventDestroy_v2(_handle), nameof(Cuda.cuEventDestroy_v2));
    }
}
