using System.Diagnostics;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// Trains a network on a data set. The same seed, recipe, data, device and thread count give the same numbers to the last bit, wherever the
/// data lies. Owns device memory; one thread at a time may use it.
/// </summary>
public sealed class Trainer : IDisposable
{
    private const int ProgressReportsPerEpoch = 100;

    private readonly TrainingRecipe _recipe;
    private readonly ulong _seed;
    private readonly int _trainSamples;
    private readonly int _testSamples;
    private readonly DataPlacement _trainPlacement;
    private readonly string? _placementReason;
    private readonly DeviceStream _stream;
    private readonly DeviceArena _arena;
    private readonly StepInput _stepInput;
    private readonly RunningLoss _loss;
    private readonly DeviceBuffer<LossScalerState>? _lossScaler; // float16 only
    private readonly ParameterStore? _average;
    private readonly BatchPlans _plans;
    private readonly Evaluator _evaluator;

    /// <summary>Draws the first parameters, places the data and compiles the plans.</summary>
    /// <param name="device">Where to train.</param>
    /// <param name="architecture">The network.</param>
    /// <param name="recipe">How to train it.</param>
    /// <param name="trainSet">What to learn from.</param>
    /// <param name="testSet">What to measure on after each epoch.</param>
    /// <param name="seed">Determines first parameters, order of samples, dropout and augmentation.</param>
    /// <param name="execution">How it is carried out; the defaults when null.</param>
    /// <exception cref="ArgumentException">Network, recipe and data do not fit together.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public Trainer(
        Device device, Architecture architecture, TrainingRecipe recipe, ImageDataset trainSet, ImageDataset testSet, ulong seed = 0,
        ExecutionSettings? execution = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(architecture);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(trainSet);
        ArgumentNullException.ThrowIfNull(testSet);
        recipe.Validate();
        execution ??= new ExecutionSettings();
        _recipe = recipe;
        _seed = seed;
        _trainSamples = trainSet.Count;
        _testSamples = testSet.Count;
        if (recipe.DropoutRate is { } rate)
            architecture = architecture with { Layers = [.. architecture.Layers.Select(layer => layer is DropoutLayer ? new DropoutLayer(rate) : layer)] };
        Normalization normalization = recipe.NormalizeInput ? PixelStatistics.Measure(trainSet) : Normalization.None(trainSet.Channels);
        Model = new ModelDescription(architecture, recipe.ImageSize, normalization, trainSet.ClassNames);
        Model.CheckFits(trainSet);
        Model.CheckFits(testSet);

        Device = device;
        try
        {
            _stream = device.CreateStream();
            _arena = new DeviceArena(device);
            Parameters = new ParameterStore(device, architecture, recipe.Precision);
            Parameters.Initialize(recipe.Initialization, seed);
            if (recipe.EmaDecay is not null)
            {
                _average = new ParameterStore(device, architecture, recipe.Precision);
                _average.Initialize(recipe.Initialization, seed);
            }
            int batch = Math.Min(recipe.BatchSize, Math.Max(trainSet.Count, testSet.Count));
            _stepInput = new StepInput(_stream, batch);
            _loss = new RunningLoss(_stream);
            var options = new PlanOptions
            {
                Batch = batch,
                Height = recipe.ImageSize,
                Width = recipe.ImageSize,
                Normalization = normalization,
                Augmentation = recipe.Augmentation,
                Sgd = recipe.Sgd,
                ClipNorm = recipe.ClipNorm,
                EmaDecay = recipe.EmaDecay,
                LabelSmoothing = recipe.LabelSmoothing,
                Seed = seed,
                Operators = execution.Operators(recipe.Precision),
            };
            if (recipe.Precision == Precision.Float16)
            {
                _lossScaler = device.Allocate<LossScalerState>(1);
                _lossScaler.Upload([LossScalerState.Initial]);
            }
            var resources = new PlanResources(_stream, Parameters, _stepInput, _loss, _arena, Labels: default)
            {
                LossScaler = _lossScaler?.Memory,
                Average = _average,
                Tuner = execution.CreateTuner(_stream),
            };
            (DataPlacement[] placements, _placementReason) =
                DataRoom.Place(execution.DataPlacement, architecture, options, resources, trainSet, testSet);
            _trainPlacement = placements[0];
            _plans = new BatchPlans(architecture, options, resources, trainSet, _trainPlacement);
            _evaluator = new Evaluator(
                _stream, Model, ModelParameters, _arena, testSet, recipe.BatchSize, execution with { DataPlacement = placements[1] });
        }
        catch
        {
            Dispose(); // what was made before: the caller may want to try again with a smaller batch
            throw;
        }
    }

    /// <summary>The device.</summary>
    public Device Device { get; }

    /// <summary>The network and how its input is made.</summary>
    public ModelDescription Model { get; }

    /// <summary>The parameters that are trained.</summary>
    public ParameterStore Parameters { get; }

    /// <summary>The parameters that are evaluated and make the model: the moving average where the recipe has one, else those that are trained.</summary>
    public ParameterStore ModelParameters => _average ?? Parameters;

    /// <summary>Waits for the device and copies the model as it is now: to <see cref="ModelFile.Save">save</see> it, or to <see cref="Predictor.Load">use</see> it.</summary>
    public ModelFile DownloadModel() => new(Model, ModelParameters.DownloadValues());

    /// <summary>Trains to the recipe's end, or until stopped; then the step at hand is finished first.</summary>
    /// <param name="observer">Is told how it goes.</param>
    /// <param name="stop">Ends the run early.</param>
    /// <exception cref="Interop.NativeException">A native call failed.</exception>
    public TrainingResult Train(ITrainingObserver? observer = null, CancellationToken stop = default)
    {
        int stepsPerEpoch = _plans.BatchCount;
        observer?.Started(new TrainingStart(
            _recipe, Device.Name, Device.Selection.Reason, _trainSamples, _testSamples, stepsPerEpoch, Parameters.Count, _arena.Bytes,
            _trainPlacement, _evaluator.Placement, _placementReason));

        List<EpochResult> epochs = [];
        var total = Stopwatch.StartNew();
        long step = 0, trainedSamples = 0;
        var trainingTime = TimeSpan.Zero;
        for (int epoch = 1; epoch <= _recipe.Epochs && !stop.IsCancellationRequested; epoch++)
        {
            long epochStart = Stopwatch.GetTimestamp();
            int steps = TrainEpoch(epoch, step, observer, stop);
            LossSummary train = ReadLoss();
            TimeSpan epochTime = Stopwatch.GetElapsedTime(epochStart);
            step += steps;
            trainedSamples += _plans.SamplesIn(steps);
            trainingTime += epochTime;
            if (steps < stepsPerEpoch)
                break;

            LossSummary test;
            try
            {
                int ended = epoch;
                test = observer is null
                    ? _evaluator.Evaluate(stop: stop)
                    : _evaluator.Evaluate(
                        share => observer.Evaluating(ended, share), (first, logits) => observer.TestLogits(ended, first, logits), stop);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            var result = new EpochResult(epoch, step, train, test, _trainSamples / epochTime.TotalSeconds, total.Elapsed);
            epochs.Add(result);
            observer?.EpochEnded(result);
        }
        return new TrainingResult(
            epochs, epochs.Count < _recipe.Epochs, step, SkippedSteps(), trainedSamples / Math.Max(trainingTime.TotalSeconds, 1e-9), total.Elapsed);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _evaluator?.Dispose();
        _plans?.Dispose();
        _lossScaler?.Dispose();
        _loss?.Dispose();
        _stepInput?.Dispose();
        _average?.Dispose();
        Parameters?.Dispose();
        _arena?.Dispose();
        _stream?.Dispose();
    }

    /// <summary>Queues an epoch's steps, reporting what is known without stopping the device.</summary>
    /// <returns>The steps queued.</returns>
    private int TrainEpoch(int epoch, long firstStep, ITrainingObserver? observer, CancellationToken stop)
    {
        int stepsPerEpoch = _plans.BatchCount;
        long totalSteps = (long)stepsPerEpoch * _recipe.Epochs;
        int reportInterval = Math.Max(stepsPerEpoch / ProgressReportsPerEpoch, 1);
        long start = Stopwatch.GetTimestamp();
        _plans.Begin(new EpochOrder(_seed, epoch - 1));
        _loss.Reset();
        int reading = 0; // the number of steps behind the sums that are on their way, 0 if none are
        for (int i = 0; i < stepsPerEpoch; i++)
        {
            if (stop.IsCancellationRequested)
                return i;
            long step = firstStep + i;
            double rate = _recipe.LearningRate * _recipe.Schedule.Factor(step, totalSteps);
            _plans.Run(i, new StepState((float)rate, step));

            if (observer is not null && (i + 1) % reportInterval == 0)
            {
                Report(); // of the interval before: usually it has arrived long ago
                _loss.BeginRead();
                reading = i + 1;
            }
        }
        Report();
        return stepsPerEpoch;

        void Report()
        {
            if (reading == 0)
                return;
            LossSummary loss = _loss.EndRead();
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            observer!.Progressed(new TrainingProgress(epoch, firstStep + reading, reading, loss, loss.Samples / seconds));
            reading = 0;
        }
    }

    private long SkippedSteps()
    {
        if (_lossScaler is null)
            return 0;
        var state = new LossScalerState[1];
        _lossScaler.Download(state);
        return state[0].SkippedSteps;
    }

    private LossSummary ReadLoss()
    {
        _loss.BeginRead();
        return _loss.EndRead();
    }
}
