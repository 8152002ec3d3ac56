using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>Settings of stochastic gradient descent, as in torch.optim.SGD (dampening 0).</summary>
/// <param name="Momentum">Factor on the momentum buffer; 0 keeps none.</param>
/// <param name="WeightDecay">Factor of the parameter added to its gradient.</param>
/// <param name="Nesterov">Whether the step looks ahead along the momentum.</param>
public readonly record struct SgdSettings(double Momentum = 0, double WeightDecay = 0, bool Nesterov = false);

/// <summary>
/// One SGD step over all parameters, which lie one behind the other, in one launch:
/// g = gradient · gradientFactor / lossScale + weightDecay·p; buf = momentum·buf + g; p −= rate · (nesterov ? g + momentum·buf : buf).
/// Parameters and momentum are float32; gradients of another type come with a copy of the parameters in that type, which the
/// step renews. Where it keeps an average of the parameters, average = d·average + (1 − d)·p follows, with
/// d = min(averageDecay, (1 + step) / (10 + step)), by which the average forgets the first parameters. A loss scale of 0 skips all.
/// </summary>
public sealed unsafe class SgdStep
{
    private readonly DeviceStream _stream;
    private readonly CUfunction _step;
    private readonly long _count;
    private readonly SgdSettings _settings;
    private readonly DataType _type;
    private readonly float? _averageDecay;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="count">Parameters.</param>
    /// <param name="settings">Momentum and weight decay.</param>
    /// <param name="type">Element type of the gradients.</param>
    /// <param name="averageDecay">The share of the average that a step keeps: 0 ≤ averageDecay &lt; 1; null for no average.</param>
    /// <exception cref="ArgumentException">Nesterov's step needs a momentum.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The average's decay is outside its range.</exception>
    public SgdStep(DeviceStream stream, long count, SgdSettings settings, DataType type = DataType.Float32, double? averageDecay = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (averageDecay is not (null or (>= 0 and < 1)))
            throw new ArgumentOutOfRangeException(nameof(averageDecay), averageDecay, "the average's decay must be at least 0 and below 1");
        if (settings is { Nesterov: true, Momentum: 0 })
            throw new ArgumentException("Nesterov's step needs a momentum above 0");
        _stream = stream;
        _count = count;
        _settings = settings;
        _type = type;
        _averageDecay = (float?)averageDecay;
        _step = stream.Device.Kernels("optimizer").Function($"sgd_step_{type.Suffix()}");
    }

    /// <summary>Queues the step.</summary>
    /// <param name="gradient">count elements.</param>
    /// <param name="state">The step's <see cref="StepState"/> in device memory: rate and loss scale.</param>
    /// <param name="parameter">count float32, updated.</param>
    /// <param name="momentumBuffer">count float32, updated, zero before the first step; empty when the momentum is 0.</param>
    /// <param name="computeParameter">count elements of the gradients' type, overwritten by the new parameters; empty for float32.</param>
    /// <param name="gradientFactor">One float32 that gradients are multiplied by, see <see cref="GradientClipping"/>; empty for 1.</param>
    /// <param name="average">count float32, updated, the first parameters before the first step; empty when there is no average.</param>
    /// <param name="computeAverage">count elements of the gradients' type, overwritten by the new average; empty as the two others are.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Run(
        DeviceMemory gradient, DeviceMemory state, DeviceMemory parameter, DeviceMemory momentumBuffer, DeviceMemory computeParameter = default,
        DeviceMemory gradientFactor = default, DeviceMemory average = default, DeviceMemory computeAverage = default)
    {
        long bytes = _count * sizeof(float), computeBytes = _count * _type.Bytes();
        void* gradientPointer = gradient.Require(computeBytes);
        void* statePointer = state.Require(sizeof(StepState));
        void* factorPointer = gradientFactor == default ? null : gradientFactor.Require(sizeof(float));
        void* parameterPointer = parameter.Require(bytes);
        void* momentumPointer = _settings.Momentum == 0 ? null : momentumBuffer.Require(bytes);
        void* computePointer = _type == DataType.Float32 ? null : computeParameter.Require(computeBytes);
        void* averagePointer = _averageDecay is null ? null : average.Require(bytes);
        void* computeAveragePointer = _averageDecay is null || _type == DataType.Float32 ? null : computeAverage.Require(computeBytes);
        long count = _count;
        float momentum = (float)_settings.Momentum, weightDecay = (float)_settings.WeightDecay, averageDecay = _averageDecay ?? 0;
        int nesterov = _settings.Nesterov ? 1 : 0;
        int n = 0;
        void** arguments = stackalloc void*[13];
        arguments[n++] = &gradientPointer;
        arguments[n++] = &statePointer;
        arguments[n++] = &factorPointer;
        arguments[n++] = &parameterPointer;
        arguments[n++] = &momentumPointer;
        if (_type != DataType.Float32)
            arguments[n++] = &computePointer;
        arguments[n++] = &averagePointer;
        if (_type != DataType.Float32)
            arguments[n++] = &computeAveragePointer;
        arguments[n++] = &count;
        arguments[n++] = &momentum;
        arguments[n++] = &weightDecay;
        arguments[n++] = &nesterov;
        arguments[n] = &averageDecay;
        KernelLaunch.Run(_step, KernelLaunch.Blocks(_stream.Device, count), KernelLaunch.BlockSize, arguments, _stream);
    }
}
