using System.Collections.Immutable;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>Where a plan puts a tensor or scratch area, and from which to which step it is needed.</summary>
/// <param name="Name">The layer, and what it is where it isn't the layer's output.</param>
/// <param name="Offset">Its first byte in the arena.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="FirstStep">The first step that touches it.</param>
/// <param name="LastStep">The last step that touches it.</param>
public sealed record TensorPlace(string Name, long Offset, long Bytes, int FirstStep, int LastStep);

/// <summary>What a plan takes of device memory.</summary>
/// <param name="ParameterBytes">Parameters, gradients, momentum and the moving average, which its plans share.</param>
/// <param name="ArenaBytes">The arena: every tensor placed, those that are never needed together over each other.</param>
/// <param name="Steps">The plan's steps, for example <c>0.2 Forward</c>.</param>
/// <param name="Tensors">What lies in the arena.</param>
public sealed record PlanMemory(long ParameterBytes, long ArenaBytes, ImmutableArray<string> Steps, ImmutableArray<TensorPlace> Tensors)
{
    /// <summary>Finds out what a plan would take, without placing it.</summary>
    /// <exception cref="ArgumentException">The architecture does not fit the image size.</exception>
    /// <exception cref="NotSupportedException">The device supports an operator in no way.</exception>
    public static PlanMemory Measure(Device device, Architecture architecture, PlanOptions options, Precision precision = Precision.Float32)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(architecture);
        ArgumentNullException.ThrowIfNull(options);
        using DeviceStream stream = device.CreateStream();
        using var parameters = new ParameterStore(device, architecture, precision);
        using ParameterStore? average = options.EmaDecay is null ? null : new ParameterStore(device, architecture, precision);
        using var stepInput = new StepInput(stream, options.Batch);
        using var loss = new RunningLoss(stream);
        using var arena = new DeviceArena(device);
        using DeviceBuffer<LossScalerState> lossScaler = device.Allocate<LossScalerState>(1);
        var resources = new PlanResources(stream, parameters, stepInput, loss, arena, parameters.Values) { LossScaler = lossScaler.Memory, Average = average };
        return Measure(architecture, options, resources);
    }

    /// <summary>The same for resources that are there already.</summary>
    internal static PlanMemory Measure(Architecture architecture, PlanOptions options, PlanResources resources) =>
        new PlanCompiler(architecture, options, resources).Measure();

    /// <summary>The step that needs the most bytes at once.</summary>
    public int PeakStep => Enumerable.Range(0, Steps.Length).MaxBy(step => At(step).Sum(tensor => tensor.Bytes));

    /// <summary>What the peak step needs. The arena is at least that large, and larger where tensors don't fit together without gaps.</summary>
    public long PeakBytes => At(PeakStep).Sum(tensor => tensor.Bytes);

    /// <summary>What a step needs, itself or for later steps.</summary>
    public IEnumerable<TensorPlace> At(int step) => Tensors.Where(tensor => tensor.FirstStep <= step && step <= tensor.LastStep);
}
