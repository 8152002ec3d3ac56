using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// Runs a data set through plans of one kind, batch by batch: one plan for whole batches, one for the rest. Owns the plans.
/// </summary>
internal sealed class BatchPlans : IDisposable
{
    private readonly int _sampleCount;
    private readonly int _batch;
    private readonly StepInput _stepInput;
    private readonly ExecutionPlan _whole;
    private readonly ExecutionPlan? _rest;

    public BatchPlans(Architecture architecture, PlanOptions options, PlanResources resources, int sampleCount)
    {
        _sampleCount = sampleCount;
        _batch = Math.Min(options.Batch, sampleCount);
        _stepInput = resources.StepInput;
        _whole = ExecutionPlan.Compile(architecture, options with { Batch = _batch }, resources);
        try
        {
            if (sampleCount % _batch is var rest and > 0)
                _rest = ExecutionPlan.Compile(architecture, options with { Batch = rest }, resources);
        }
        catch
        {
            _whole.Dispose();
            throw;
        }
    }

    /// <summary>Batches in one pass, the partial last one included.</summary>
    public int BatchCount => (_sampleCount + _batch - 1) / _batch;

    /// <summary>Samples in the first so many batches.</summary>
    public long SamplesIn(int batches) => Math.Min((long)batches * _batch, _sampleCount);

    /// <summary>Queues one batch of a pass.</summary>
    /// <param name="index">The batch's position in the pass.</param>
    /// <param name="order">The samples in the pass's order.</param>
    /// <param name="state">What the kernels read of this step.</param>
    /// <returns>The plan that ran.</returns>
    public ExecutionPlan Run(int index, ReadOnlySpan<int> order, in StepState state)
    {
        int start = index * _batch, count = Math.Min(_batch, _sampleCount - start);
        _stepInput.Send(state, order.Slice(start, count));
        ExecutionPlan plan = count == _batch ? _whole : _rest!;
        plan.Run();
        return plan;
    }

    public void Dispose()
    {
        _whole.Dispose();
        _rest?.Dispose();
    }
}
