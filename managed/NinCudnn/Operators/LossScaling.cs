using System.Runtime.InteropServices;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>Dynamic loss scaling's state, as the kernels keep it in device memory (native/kernels/loss_scaler.h).</summary>
/// <param name="Scale">The scale of the next step, a power of two.</param>
/// <param name="GoodSteps">Good steps since the scale last changed.</param>
/// <param name="SkippedSteps">Steps that were skipped in all.</param>
/// <param name="FoundNonFinite">Not 0 while the step at hand has an infinite gradient, or NaN.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct LossScalerState(float Scale, int GoodSteps, int SkippedSteps, int FoundNonFinite)
{
    /// <summary>torch.amp.GradScaler's: a scale of 65536.</summary>
    public static LossScalerState Initial { get; } = new(65536, 0, 0, 0);
}

/// <summary>
/// Dynamic loss scaling for float16, decided on the device by torch.amp.GradScaler's rule: a step with infinite or NaN gradients is
/// skipped and halves the scale, <see cref="GrowthInterval"/> good ones in a row double it. Every call only queues work on the
/// operator's stream.
/// </summary>
public sealed unsafe class LossScaling
{
    /// <summary>Good steps in a row after which the scale doubles.</summary>
    public const int GrowthInterval = 2000;

    private readonly DeviceStream _stream;
    private readonly long _count;
    private readonly int _growthInterval;
    private readonly CUfunction _begin;
    private readonly CUfunction _check;
    private readonly CUfunction _end;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="count">Parameters.</param>
    /// <param name="growthInterval">Good steps in a row after which the scale doubles.</param>
    public LossScaling(DeviceStream stream, long count, int growthInterval = GrowthInterval)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(growthInterval);
        _stream = stream;
        _count = count;
        _growthInterval = growthInterval;
        KernelModule kernels = stream.Device.Kernels("loss_scaling");
        _begin = kernels.Function("loss_scaling_begin");
        _check = kernels.Function("loss_scaling_check_f16");
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

    /// <summary>Queues what comes between the gradients and the optimiser: looks for infinities and NaN, and decides.</summary>
    /// <param name="gradient">count float16.</param>
    /// <param name="scaler">A <see cref="LossScalerState"/> in device memory, updated.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory; its scale becomes 0 where the step is to be skipped.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void End(DeviceMemory gradient, DeviceMemory scaler, DeviceMemory state)
    {
        void* gradientPointer = gradient.Require(_count * DataType.Float16.Bytes());
        void* scalerPointer = scaler.Require(sizeof(LossScalerState)), statePointer = state.Require(sizeof(StepState));
        long count = _count;
        int growthInterval = _growthInterval;
        void** checkArguments = stackalloc void*[] { &gradientPointer, &scalerPointer, &count };
        KernelLaunch.Run(_check, KernelLaunch.Blocks(_stream.Device, count), KernelLaunch.BlockSize, checkArguments, _stream);
        void** endArguments = stackalloc void*[] { &scalerPointer, &statePointer, &growthInterval };
        KernelLaunch.Run(_end, 1, KernelLaunch.WarpSize, endArguments, _stream);
    }
}
