using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>Per-channel statistics by which input pixels, scaled to [0, 1], are normalised: (pixel − mean) / deviation.</summary>
/// <param name="Mean">One value per channel.</param>
/// <param name="Deviation">One positive value per channel.</param>
public sealed record Normalization(IReadOnlyList<float> Mean, IReadOnlyList<float> Deviation)
{
    /// <summary>Leaves pixels in [0, 1].</summary>
    public static Normalization None(int channels) =>
        new(Enumerable.Repeat(0f, channels).ToArray(), Enumerable.Repeat(1f, channels).ToArray());
}

/// <summary>
/// Makes a batch out of a device-resident data set in one kernel: gathers the images, resizes them (Pillow's 8-bit bilinear
/// resize, bit for bit), divides by 255, normalises and casts; on the way it changes each image as <see cref="AugmentationDraw"/> has
/// drawn, where that is asked for. Owns device memory for the resize tables.
/// </summary>
public sealed unsafe class ImageInput : IDisposable
{
    private readonly DeviceStream _stream;
    private readonly CUfunction _forward;
    private readonly CUfunction _augmented;
    private readonly TensorShape _source; // N: images in the data set
    private readonly TensorShape _output;
    private readonly int _elementBytes;
    private readonly ResizeAxis _rows;
    private readonly ResizeAxis _columns;
    private readonly DeviceBuffer<int> _rowBounds;
    private readonly DeviceBuffer<int> _rowWeights;
    private readonly DeviceBuffer<int> _columnBounds;
    private readonly DeviceBuffer<int> _columnWeights;
    private readonly DeviceBuffer<float> _mean;
    private readonly DeviceBuffer<float> _inverseDeviation;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="source">The data set: N images of C channels, H×W pixels.</param>
    /// <param name="output">The batch that it makes; the same number of channels.</param>
    /// <param name="normalization">Statistics per channel.</param>
    /// <param name="type">Element type of the batch.</param>
    /// <exception cref="ArgumentException">The channels differ.</exception>
    /// <exception cref="DeviceMemoryException">The device has no memory left.</exception>
    public ImageInput(DeviceStream stream, TensorShape source, TensorShape output, Normalization normalization, DataType type = DataType.Float32)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(normalization);
        if (source.C != output.C || normalization.Mean.Count != source.C || normalization.Deviation.Count != source.C)
            throw new ArgumentException($"images have {source.C} channels, the network {output.C}, the statistics {normalization.Mean.Count} and {normalization.Deviation.Count}");
        _stream = stream;
        _source = source;
        _output = output;
        _elementBytes = type.Bytes();
        KernelModule kernels = stream.Device.Kernels("input");
        _forward = kernels.Function($"input_forward_{type.Suffix()}");
        _augmented = kernels.Function($"input_augmented_{type.Suffix()}");
        _rows = BilinearResize.Axis(source.H, output.H);
        _columns = BilinearResize.Axis(source.W, output.W);
        Device device = stream.Device;
        try
        {
            _rowBounds = device.Allocate<int>(_rows.Bounds);
            _rowWeights = device.Allocate<int>(_rows.Weights);
            _columnBounds = device.Allocate<int>(_columns.Bounds);
            _columnWeights = device.Allocate<int>(_columns.Weights);
            _mean = device.Allocate<float>(normalization.Mean.ToArray());
            _inverseDeviation = device.Allocate<float>(normalization.Deviation.Select(deviation => 1f / deviation).ToArray());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Queues making the batch.</summary>
    /// <param name="images">The data set's bytes (N, H, W, C).</param>
    /// <param name="indices">Which images: one int32 per sample of the batch. One outside the data set gives NaN.</param>
    /// <param name="y">The batch (N, H, W, C), overwritten.</param>
    /// <param name="augmentations">How each sample is changed: one <see cref="ImageAugmentation"/> each; empty leaves them as they are.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Forward(DeviceMemory images, DeviceMemory indices, DeviceMemory y, DeviceMemory augmentations = default)
    {
        bool isAugmented = augmentations != default;
        void* augmentationsPointer = isAugmented ? augmentations.Require((long)_output.N * sizeof(ImageAugmentation)) : null;
        void* imagesPointer = images.Require(_source.Count);
        void* indicesPointer = indices.Require((long)_output.N * sizeof(int));
        void* rowBounds = _rowBounds.Memory.Address.Pointer, rowWeights = _rowWeights.Memory.Address.Pointer;
        void* columnBounds = _columnBounds.Memory.Address.Pointer, columnWeights = _columnWeights.Memory.Address.Pointer;
        void* mean = _mean.Memory.Address.Pointer, inverseDeviation = _inverseDeviation.Memory.Address.Pointer;
        void* yPointer = y.Require(_output.Count * _elementBytes);
        int count = _source.N, n = _output.N, height = _source.H, width = _source.W, channels = _source.C;
        int outHeight = _output.H, outWidth = _output.W, rowTaps = _rows.Taps, columnTaps = _columns.Taps;
        void** arguments = stackalloc void*[]
        {
            &augmentationsPointer, // only the second kernel has this one
            &imagesPointer, &indicesPointer, &rowBounds, &rowWeights, &columnBounds, &columnWeights, &mean, &inverseDeviation, &yPointer,
            &count, &n, &height, &width, &channels, &outHeight, &outWidth, &rowTaps, &columnTaps,
        };
        KernelLaunch.Run(
            isAugmented ? _augmented : _forward, KernelLaunch.Blocks(_stream.Device, (long)_output.N * _output.H * KernelLaunch.BlockSize),
            KernelLaunch.BlockSize, isAugmented ? arguments : arguments + 1, _stream);
    }

    /// <summary>Frees the tables; waits for queued work that uses them.</summary>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _rowBounds?.Dispose();
        _rowWeights?.Dispose();
        _columnBounds?.Dispose();
        _columnWeights?.Dispose();
        _mean?.Dispose();
        _inverseDeviation?.Dispose();
    }
}
