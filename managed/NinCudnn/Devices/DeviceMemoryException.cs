namespace NinCudnn.Devices;

/// <summary>The device does not have as much free memory as was asked for.</summary>
public sealed class DeviceMemoryException : Exception
{
    internal DeviceMemoryException(Device device, long requestedBytes)
        : base($"{ByteSize.Format(requestedBytes)} of device memory were asked for, {ByteSize.Format(device.FreeBytes)} of "
            + $"{ByteSize.Format(device.TotalBytes)} are free on {device.Name}; a smaller batch or image needs less")
    {
        RequestedBytes = requestedBytes;
    }

    /// <summary>What was asked for.</summary>
    public long RequestedBytes { get; }
}
