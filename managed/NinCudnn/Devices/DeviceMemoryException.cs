namespace NinCudnn.Devices;

/// <summary>The device does not have as much free memory as is needed.</summary>
public sealed class DeviceMemoryException : Exception
{
    internal DeviceMemoryException(Device device, long requestedBytes, string remedy = "a smaller batch or image needs less")
        : this(device, requestedBytes, device.FreeBytes, remedy)
    {
    }

    /// <summary>As another, with more advice.</summary>
    internal DeviceMemoryException(DeviceMemoryException cause, string remedy)
        : base($"{cause.Message}; {remedy}", cause)
    {
        RequestedBytes = cause.RequestedBytes;
        FreeBytes = cause.FreeBytes;
    }

    private DeviceMemoryException(Device device, long requestedBytes, long freeBytes, string remedy)
        : base($"{ByteSize.Format(requestedBytes)} of device memory are needed, {ByteSize.Format(freeBytes)} of {ByteSize.Format(device.TotalBytes)} "
            + $"are free on {device.Name}: {ByteSize.Format(Math.Max(requestedBytes - freeBytes, 0))} are missing; {remedy}")
    {
        RequestedBytes = requestedBytes;
        FreeBytes = freeBytes;
    }

    /// <summary>What was asked for.</summary>
    public long RequestedBytes { get; }

    /// <summary>What was free then; it can be more, in pieces that are too small.</summary>
    public long FreeBytes { get; }
}
