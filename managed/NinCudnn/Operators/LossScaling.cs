using System.Runtime.InteropServices;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>Where a step has an infinity or NaN.</summary>
[Flags]
public enum NonFinite
{
    /// <summary>Nowhere.</summary>
    None = 0,

    /// <summary>In a parameter's gradient.</summary>
    Gradient = 1,

    /// <summary>In a sample's loss.</summary>
    Loss = 2,
}

/// <summary>The state of <see cref="LossScaling"/>, as the kernels keep it in device memory (native/kernels/loss_scaler.h).</summary>
/// <param name="Scale">The scale of the next step, a power of two.</param>
/// <param name="GoodSteps">Good steps since the scale last changed.</param>
/// <param name="SkippedSteps">Steps that were skipped in all.</param>
/// <param name="Found">What the step at hand has that is not finite.</param>
/// <param name="SkippedInARow">Steps that were skipped since the last good one.</param>
/// <param name="FirstFound">What was found in the first step that no smaller scale would have mended; none where there was no such step.</param>
/// <param name="FirstStep">The number of that step, see <see cref="StepState.Step"/>.</param>
/// <param name="Halts">Unless 0, the steps behind that one are skipped too, and change nothing of this.</param>
[StructLayout(LayoutKind.Sequential, Pack = sizeof(int))]
public readonly record struct LossScalerState(
    float Scale, int GoodSteps, int SkippedSteps, NonFinite Found, int SkippedInARow = 0, NonFinite FirstFound = NonFinite.None, long FirstStep = 0,
    int Halts = 0)
{
    /// <summary>What a run begins with: in float16 torch.amp.GradScaler's scale of 65536, else 1, which is none.</summary>
    /// <param name="type">Element type of the gradients.</param>
    public static LossScalerState Initial(DataType type) => new(type == DataType.Float16 ? 65536 : 1, 0, 0, NonFinite.None);
}

/// <summary>
/// Lets no step count whose loss or gradients are not finite, decided on the device: the optimiser skips it. In float16 gradients are computed at
/// a scale, by torch.amp.GradScaler's rule: a step that is skipped halves it, <see cref="GrowthInterval"/> good ones in a row double it; other
/// types have enough exponents without. Every call only queues work on the operator's stream.
/// </summary>
public sealed unsafe class LossScaling
{
    /// <summary>Good steps in a row after which float16's scale doubles.</summary>
    public const int GrowthInterval = 2000;

    private readonly DeviceStream _stream;
    private readonly long _count;
    private readonly DataType _type;
    private readonly int _growthInterval;
    private readonly CUfunction _begin;
    private readonly CUfunction _check;
    private readonly CUfunction _checkLoss;
    private readonly CUfunction _end;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="count">Parameters.</param>
    /// <param name="type">Element type of the gradients.</param>
    /// <param name="growthInterval">Good steps in a row after which float16's scale doubles.</param>
    public LossScaling(DeviceStream stream, long count, DataType type = DataType.Float32, int growthInterval = GrowthInterval)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(growthInterval);
        _stream = stream;
        _count = count;
        _type = type;
        _growthInterval = type == DataType.Float16 ? growthInterval : int.MaxValue;
        KernelModule kernels = stream.Device.Kernels("loss_scaling");
        _begin = kernels.Function("loss_scaling_begin");
        _check = kernels.Function($"loss_scaling_check_{type.Suffix()}");
        _checkLoss = kernels.Function($"loss_scaling_check_{DataType.Float32.Suffix()}");
        _end = kernels.Function("loss_scaling_end");
    }

    /// <summary>Queues what comes before the loss: the step's scale becomes the scaler's.</summary>
    /// <param name="scaler">A <see cref="LossScalerState"/> in device memory.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory, updated.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Begin(DeviceMemory scaler, DeviceMemory state)
    {
        void* scalerPointer = scaler.Require(sizeof(LossScalerState)), statePointer = state.Require(sizeof(StepState));
        void** arguments = stackalloc void*[] { &scalerPointer, &statePointer };
        KernelLaunch.Run(_begin, 1, KernelLaunch.WarpSize, arguments, _stream);
    }

    /// <summary>Queues looking for infinities and NaN in the loss.</summary>
    /// <param name="sampleLoss">Float32, one for each sample.</param>
    /// <param name="scaler">A <see cref="LossScalerState"/> in device memory, updated.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void CheckLoss(DeviceMemory sampleLoss, DeviceMemory scaler) =>
        Check(_checkLoss, sampleLoss, sampleLoss.Bytes / sizeof(float), scaler, NonFinite.Loss);

    /// <summary>Queues what comes between the gradients and the optimiser: looks for infinities and NaN, and decides.</summary>
    /// <param name="gradient">count elements.</param>
    /// <param name="scaler">A <see cref="LossScalerState"/> in device memory, updated.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory; its scale becomes 0 where the step is to be skipped.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void End(DeviceMemory gradient, DeviceMemory scaler, DeviceMemory state)
    {
        _ = gradient.Require(_count * _type.Bytes());
        Check(_check, gradient, _count, scaler, NonFinite.Gradient);
        void* scalerPointer = scaler.Require(sizeof(LossScalerState)), statePointer = state.Require(sizeof(StepState));
        int growthInterval = _growthInterval;
        void** arguments = stackalloc void*[] { &scalerPointer, &statePointer, &growthInterval };
        KernelLaunch.Run(_end, 1, KernelLaunch.WarpSize, arguments, _stream);
    }

    private void Check(CUfunction kernel, DeviceMemory values, long count, DeviceMemory scaler, NonFinite place)
    {
        void* valuesPointer = values.Require(0), scalerPointer = scaler.Require(sizeof(LossScalerState));
        int bits = (int)place;
        void** arguments = stackalloc void*[] { &valuesPointer, &scalerPointer, &count, &bits };
        KernelLaunch.Run(kernel, KernelLaunch.Blocks(_stream.Device, count), KernelLaunch.BlockSize, arguments, _stream);
    }
}
