using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// Runs a data set through plans of one kind, batch by batch: one plan for whole batches, one for the rest. Owns the plans, and what the data
/// set takes of the device.
/// </summary>
internal sealed class BatchPlans : IDisposable
{
    private readonly BatchSource _source;
    private readonly ExecutionPlan _whole;
    private readonly ExecutionPlan? _rest;

    /// <param name="architecture">The network.</param>
    /// <param name="options">What the plans are compiled for; of its batch as many samples are taken as there are.</param>
    /// <param name="resources">What the plans share; images and labels come from the data set.</param>
    /// <param name="dataset">The images and labels.</param>
    /// <param name="placement">Where they lie; not <see cref="DataPlacement.Auto"/>.</param>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public BatchPlans(Architecture architecture, PlanOptions options, PlanResources resources, ImageDataset dataset, DataPlacement placement)
    {
        _source = BatchSource.Create(placement, resources.Stream, resources.StepInput, dataset, options.Batch);
        try
        {
            resources = resources with { Images = _source.Images, Labels = _source.Images.Labels };
            _whole = ExecutionPlan.Compile(architecture, options with { Batch = _source.BatchSize }, resources);
            if (dataset.Count % _source.BatchSize is var rest and > 0)
                _rest = ExecutionPlan.Compile(architecture, options with { Batch = rest }, resources);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Batches in one pass, the partial last one included.</summary>
    public int BatchCount => _source.BatchCount;

    /// <summary>Samples in the first so many batches.</summary>
    public long SamplesIn(int batches) => _source.SamplesIn(batches);

    /// <summary>Begins a pass; one that was not finished is given up.</summary>
    /// <param name="order">The order of samples; null for the data set's own.</param>
    /// <param name="first">The batch to begin with; those before it are left out.</param>
    public void Begin(EpochOrder? order = null, int first = 0) => _source.Begin(order, first);

    /// <summary>Queues one batch of a pass.</summary>
    /// <param name="index">The batch's position in the pass, one more than that of the batch before.</param>
    /// <param name="state">What the kernels read of this step.</param>
    /// <returns>The plan that ran.</returns>
    public ExecutionPlan Run(int index, in StepState state)
    {
        ExecutionPlan plan = Send(index, state);
        plan.Run();
        return plan;
    }

    /// <summary>Runs one batch of a pass as <see cref="ExecutionPlan.RunChecked"/> does.</summary>
    public NumericFault? RunChecked(int index, in StepState state, bool ignoresGradients) => Send(index, state).RunChecked(ignoresGradients);

    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _whole?.Dispose();
        _rest?.Dispose();
        _source.Dispose();
    }

    private ExecutionPlan Send(int index, in StepState state)
    {
        _source.Send(state, index);
        return _rest is null || index < BatchCount - 1 ? _whole : _rest;
    }
}
