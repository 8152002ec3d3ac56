namespace NinCudnn.Devices;

/// <summary>
/// Owner of one native object that lives in a device's context. It keeps the context alive, may be disposed in any order
/// and more than once, and never frees on the finaliser's thread. A constructor that fails disposes of it, which gives the context back at once.
/// </summary>
public abstract class DeviceResource : IDisposable
{
    private int _disposed;

    private protected DeviceResource(Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        device.AddReference();
        Device = device;
    }

    /// <summary>A resource that was not disposed is handed to its device, which frees it at the next safe point.</summary>
    ~DeviceResource()
    {
        // Device is null only if the constructor threw before it took its reference.
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            Device?.ReclaimLater(this);
    }

    /// <summary>The device that the resource belongs to.</summary>
    public Device Device { get; }

    /// <summary>Whether <see cref="Dispose"/> was called.</summary>
    public bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Releases the native object.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        GC.SuppressFinalize(this);
        Device.ReleaseResource(this);
    }

    /// <summary>Releases the native object, with the device's context current; failures go to <see cref="Device.RecordFailure"/>.</summary>
    internal abstract void ReleaseNative();

    private protected void ThrowIfDisposed() => ObjectDisposedException.ThrowIf(IsDisposed, this);
}
