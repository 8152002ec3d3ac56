using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// Clipping of gradients by their global norm, decided on the device, as torch.nn.utils.clip_grad_norm_ does it: with
/// norm = √Σ (gradient[i] / lossScale)², the factor is min(1, maxNorm / (norm + 10⁻⁶)), and <see cref="SgdStep"/> multiplies by it.
/// The sum is in float64 and in a fixed order. Every call only queues work on the operator's stream.
/// </summary>
public sealed unsafe class GradientClipping
{
    // As many pieces as keep a GPU busy, none of them too short to be worth a warp.
    private const int MaxPartialSums = 1024;
    private const int MinElementsPerSum = 1024;

    private readonly DeviceStream _stream;
    private readonly CUfunction _squareSum;
    private readonly CUfunction _clipFactor;
    private readonly long _count;
    private readonly long _elementsPerSum;
    private readonly int _partialSums;
    private readonly int _elementBytes;
    private readonly float _maxNorm;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="count">Gradient elements.</param>
    /// <param name="maxNorm">The largest norm that gradients may have: finite and above 0.</param>
    /// <param name="type">Element type of the gradients.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public GradientClipping(DeviceStream stream, long count, double maxNorm, DataType type = DataType.Float32)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        if (!(maxNorm > 0 && double.IsFinite(maxNorm)))
            throw new ArgumentOutOfRangeException(nameof(maxNorm), maxNorm, "the largest norm must be finite and above 0");
        _stream = stream;
        _count = count;
        _elementsPerSum = Math.Max((count + MaxPartialSums - 1) / MaxPartialSums, MinElementsPerSum);
        _partialSums = (int)((count + _elementsPerSum - 1) / _elementsPerSum);
        _elementBytes = type.Bytes();
        _maxNorm = (float)maxNorm;
        KernelModule kernels = stream.Device.Kernels("gradient_clipping");
        _squareSum = kernels.Function($"gradient_square_sum_{type.Suffix()}");
        _clipFactor = kernels.Function("gradient_clip_factor");
    }

    /// <summary>Scratch memory that <see cref="Run"/> needs, in bytes: partial sums in float64.</summary>
    public long WorkspaceBytes => (long)_partialSums * sizeof(double);

    /// <summary>Queues finding the factor; the gradients stay as they are.</summary>
    /// <param name="gradient">count elements.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory, whose loss scale the gradients have.</param>
    /// <param name="factor">One float32, overwritten: NaN if a gradient is NaN, 0 if one is infinite.</param>
    /// <param name="workspace">At least <see cref="WorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Run(DeviceMemory gradient, DeviceMemory state, DeviceMemory factor, DeviceMemory workspace)
    {
        void* gradientPointer = gradient.Require(_count * _elementBytes);
        void* statePointer = state.Require(sizeof(StepState));
        void* factorPointer = factor.Require(sizeof(float));
        void* partialPointer = workspace.Require(WorkspaceBytes);
        long count = _count, elementsPerSum = _elementsPerSum;
        int partialSums = _partialSums;
        float maxNorm = _maxNorm;
        void** sumArguments = stackalloc void*[] { &gradientPointer, &partialPointer, &count, &elementsPerSum };
        KernelLaunch.Run(
            _squareSum, KernelLaunch.Blocks(_stream.Device, (long)partialSums * KernelLaunch.WarpSize), KernelLaunch.BlockSize, sumArguments, _stream);
        void** factorArguments = stackalloc void*[] { &partialPointer, &statePointer, &factorPointer, &partialSums, &maxNorm };
        KernelLaunch.Run(_clipFactor, 1, KernelLaunch.WarpSize, factorArguments, _stream);
    }
}
