using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Data;

/// <summary>A data set held whole in device memory, as bytes. Owns device memory.</summary>
public sealed class DeviceDataset : IDisposable
{
    private readonly DeviceBuffer<byte> _images;
    private readonly DeviceBuffer<int> _labels;

    /// <summary>Copies a data set to the device.</summary>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    public DeviceDataset(Device device, ImageDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(dataset);
        Shape = new TensorShape(dataset.Count, dataset.Channels, dataset.Height, dataset.Width);
        try
        {
            _images = device.Allocate<byte>(dataset.Images);
            _labels = device.Allocate<int>([.. dataset.Labels]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Makes room for images whose labels do not matter; all labels are 0.</summary>
    /// <exception cref="DeviceMemoryException">The device does not have that much free memory.</exception>
    internal DeviceDataset(Device device, TensorShape shape)
    {
        Shape = shape;
        try
        {
            _images = device.Allocate<byte>(shape.Count);
            _labels = device.Allocate<int>(new int[shape.N]);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>N images of C channels, H×W pixels.</summary>
    public TensorShape Shape { get; }

    /// <summary>The pixels (N, H, W, C).</summary>
    public DeviceMemory Images => _images.Memory;

    /// <summary>One int32 per image.</summary>
    public DeviceMemory Labels => _labels.Memory;

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _images?.Dispose();
        _labels?.Dispose();
    }
}
