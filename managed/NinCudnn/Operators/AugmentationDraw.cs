using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// Draws on the device how each sample of a batch is changed; <see cref="ImageInput"/> changes it. What is drawn follows from seed, step
/// and the sample's position in the batch alone, see <see cref="ImageAugmentation.Draw"/>.
/// </summary>
public sealed unsafe class AugmentationDraw
{
    /// <summary>The largest padding of a crop, in pixels.</summary>
    public const int MaxCropPadding = 4096;

    private readonly DeviceStream _stream;
    private readonly CUfunction _draw;
    private readonly Augmentation _augmentation;
    private readonly TensorShape _output;
    private readonly ulong _seed;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="output">The batch as the network gets it.</param>
    /// <param name="augmentation">The kinds of changes.</param>
    /// <param name="seed">The run's seed.</param>
    /// <exception cref="ArgumentOutOfRangeException">A probability or the padding is outside its range.</exception>
    public AugmentationDraw(DeviceStream stream, TensorShape output, Augmentation augmentation, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(augmentation);
        if (!(augmentation is { HorizontalFlip: >= 0 and <= 1, ErasingProbability: >= 0 and <= 1, CropPadding: >= 0 and <= MaxCropPadding }))
            throw new ArgumentOutOfRangeException(nameof(augmentation), augmentation, $"probabilities must be 0 to 1, the padding 0 to {MaxCropPadding}");
        _stream = stream;
        _output = output;
        _augmentation = augmentation;
        _seed = seed;
        _draw = stream.Device.Kernels("augmentation").Function("augmentation_draw");
    }

    /// <summary>Device memory that the batch's changes take, in bytes: one <see cref="ImageAugmentation"/> per sample.</summary>
    public long Bytes => (long)_output.N * sizeof(ImageAugmentation);

    /// <summary>Queues drawing a batch's changes.</summary>
    /// <param name="state">The step's <see cref="StepState"/> in device memory.</param>
    /// <param name="augmentations">N <see cref="ImageAugmentation"/>, overwritten.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Run(DeviceMemory state, DeviceMemory augmentations)
    {
        void* statePointer = state.Require(sizeof(StepState));
        void* augmentationsPointer = augmentations.Require(Bytes);
        ulong seed = _seed;
        int n = _output.N, cropPadding = _augmentation.CropPadding, outHeight = _output.H, outWidth = _output.W;
        ulong flipThreshold = ImageAugmentation.Threshold(_augmentation.HorizontalFlip);
        ulong eraseThreshold = ImageAugmentation.Threshold(_augmentation.ErasingProbability);
        void** arguments = stackalloc void*[]
        {
            &statePointer, &augmentationsPointer, &seed, &n, &cropPadding, &outHeight, &outWidth, &flipThreshold, &eraseThreshold,
        };
        KernelLaunch.Run(_draw, KernelLaunch.Blocks(_stream.Device, n), KernelLaunch.BlockSize, arguments, _stream);
    }
}
