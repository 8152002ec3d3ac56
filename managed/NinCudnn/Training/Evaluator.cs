using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>Measures loss and accuracy of a network over a data set. Owns device memory; one thread at a time may use it.</summary>
public sealed class Evaluator : IDisposable
{
    private readonly StepInput _stepInput;
    private readonly RunningLoss _loss;
    private readonly BatchPlans _plans;
    private readonly Func<LogitsReader> _createReader;
    private LogitsReader? _reader; // made when logits are first asked for

    /// <summary>Places the data set and compiles the plans.</summary>
    /// <param name="stream">The stream that work is queued on.</param>
    /// <param name="model">The network and how its input is made.</param>
    /// <param name="parameters">The network's parameters; evaluated as they are at each call.</param>
    /// <param name="arena">Scratch memory, which may be shared with plans that don't run at the same time.</param>
    /// <param name="dataset">The images and labels.</param>
    /// <param name="batchSize">Samples per batch.</param>
    /// <param name="execution">How it is carried out; the defaults when null.</param>
    /// <exception cref="ArgumentException">The data set does not fit the network.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public Evaluator(
        DeviceStream stream, ModelDescription model, ParameterStore parameters, DeviceArena arena, ImageDataset dataset, int batchSize,
        ExecutionSettings? execution = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(dataset);
        model.CheckFits(dataset);
        execution ??= new ExecutionSettings();
        batchSize = Math.Min(batchSize, dataset.Count);
        try
        {
            _stepInput = new StepInput(stream, batchSize);
            _loss = new RunningLoss(stream);
            var options = new PlanOptions
            {
                Batch = batchSize,
                Height = model.ImageSize,
                Width = model.ImageSize,
                Mode = PlanMode.Evaluation,
                Normalization = model.Normalization,
                Operators = execution.Operators(parameters.Precision),
            };
            var resources = new PlanResources(stream, parameters, _stepInput, _loss, arena, Labels: default)
            {
                Tuner = execution.CreateTuner(stream),
            };
            (DataPlacement[] placements, PlacementReason) = DataRoom.Place(execution.DataPlacement, model.Architecture, options, resources, dataset);
            Placement = placements[0];
            _plans = new BatchPlans(model.Architecture, options, resources, dataset, Placement);
            int batchElements = batchSize * model.Architecture.Classes;
            _createReader = () => new LogitsReader(stream, batchElements, parameters.Precision.DataType());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where the data set lies: resident or streaming.</summary>
    public DataPlacement Placement { get; }

    /// <summary>Why the data set streams, where that was not asked for; else null.</summary>
    public string? PlacementReason { get; }

    /// <summary>Runs the whole data set and waits for the result.</summary>
    /// <param name="progress">Is told the share done, 0 to 1, as batches are queued.</param>
    /// <param name="logits">Receives the class scores of every sample, in the data set's order.</param>
    /// <param name="stop">Ends the evaluation early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    /// <exception cref="Interop.NativeException">A native call failed.</exception>
    public LossSummary Evaluate(Action<double>? progress = null, LogitsReceiver? logits = null, CancellationToken stop = default)
    {
        LogitsReader? reader = logits is null ? null : _reader ??= _createReader();
        reader?.Reset();
        _loss.Reset();
        _plans.Begin();
        for (int i = 0; i < _plans.BatchCount; i++)
        {
            stop.ThrowIfCancellationRequested();
            ExecutionPlan plan = _plans.Run(i, default);
            reader?.Read(plan.Logits, (int)_plans.SamplesIn(i), logits!);
            progress?.Invoke((i + 1.0) / _plans.BatchCount);
        }
        reader?.Finish(logits!);
        _loss.BeginRead();
        return _loss.EndRead();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _reader?.Dispose();
        _plans?.Dispose();
        _loss?.Dispose();
        _stepInput?.Dispose();
    }
}
