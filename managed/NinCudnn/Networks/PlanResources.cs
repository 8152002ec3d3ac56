using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Networks;

/// <summary>What plans share and somebody else owns. It must outlive the plans.</summary>
/// <param name="Stream">Where the work is queued.</param>
/// <param name="Parameters">The network's parameters.</param>
/// <param name="StepInput">The step's state and sample indices.</param>
/// <param name="Loss">The running sums that batches are added to.</param>
/// <param name="Arena">Where the plan's tensors are placed.</param>
/// <param name="Labels">One int32 per sample of the data set.</param>
/// <param name="Images">The data set that batches are made from; null when the caller writes <see cref="ExecutionPlan.Input"/>.</param>
public sealed record PlanResources(
    DeviceStream Stream, ParameterStore Parameters, StepInput StepInput, RunningLoss Loss, DeviceArena Arena,
    DeviceMemory Labels, DeviceDataset? Images = null)
{
    /// <summary>
    /// A <see cref="LossScalerState"/> in device memory, by which steps that are not finite are skipped. Training in float16 needs it; in other
    /// types all steps count without it.
    /// </summary>
    public DeviceMemory? LossScaler { get; init; }

    /// <summary>Where the parameters' moving average is kept; plans with <see cref="PlanOptions.EmaDecay"/> need it.</summary>
    public ParameterStore? Average { get; init; }

    /// <summary>Chooses convolution methods by measurement; without it the libraries' heuristics do.</summary>
    public ConvolutionTuner? Tuner { get; init; }
}
