using System.Globalization;
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
    /// <summary>Steps in a row that may be skipped, since their loss or gradients are not finite, before the run ends.</summary>
    public const int MaxSkippedInARow = 100;

    private const int ProgressReportsPerEpoch = 100;

    private readonly TrainingRecipe _recipe;
    private readonly ulong _seed;
    private readonly ExecutionSettings _execution;
    private readonly int _trainSamples;
    private readonly int _testSamples;
    private readonly DataPlacement _trainPlacement;
    private readonly string? _placementReason;
    private readonly Lazy<DatasetIdentity> _trainIdentity;
    private readonly Lazy<DatasetIdentity> _testIdentity;
    private readonly DeviceStream _stream;
    private readonly DeviceArena _arena;
    private readonly StepInput _stepInput;
    private readonly StepWatch _watch;
    private readonly DeathWatch _deathWatch;
    private readonly ParameterStore? _average;
    private readonly BatchPlans _plans;
    private readonly Evaluator _evaluator;

    // How far the run is, see TrainingPosition.
    private readonly List<EpochResult> _epochs = [];
    private readonly ResumableClock _epochClock = new();
    private readonly ResumableClock _clock = new();
    private TimeSpan _trainingTime; // of the epochs before
    private int _epoch = 1;
    private int _stepInEpoch;
    private bool _hasBegun;
    private NetworkDeath? _death;

    /// <summary>Draws the first parameters, places the data and compiles the plans.</summary>
    /// <param name="device">Where to train.</param>
    /// <param name="architecture">The network.</param>
    /// <param name="recipe">How to train it.</param>
    /// <param name="trainSet">What to learn from.</param>
    /// <param name="testSet">What to measure on after each epoch.</param>
    /// <param name="seed">Determines first parameters, order of samples, dropout and augmentation.</param>
    /// <param name="execution">How it is carried out; the defaults when null.</param>
    /// <exception cref="ArgumentException">Network, recipe and data do not fit together.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory; the message says how large a batch would fit.</exception>
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
        _execution = execution;
        _trainIdentity = new(() => DatasetIdentity.Of(trainSet));
        _testIdentity = new(() => DatasetIdentity.Of(testSet));
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
            _watch = new StepWatch(_stream, recipe.Precision.DataType());
            _deathWatch = new DeathWatch(architecture.Classes, recipe.Sgd.Momentum);
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
            var resources = new PlanResources(_stream, Parameters, _stepInput, _watch.Loss, _arena, Labels: default)
            {
                LossScaler = _watch.Scaler,
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
        catch (DeviceMemoryException e)
        {
            Dispose();
            if (WhatFits(trainSet, testSet) is { } advice)
                throw new DeviceMemoryException(e, advice);
            throw;
        }
        catch
        {
            Dispose(); // what was made before: the caller may want to try again
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
    /// <exception cref="TrainingDivergedException">It has parameters that are infinite or NaN.</exception>
    public ModelFile DownloadModel()
    {
        Dictionary<string, float[]> parameters = ModelParameters.DownloadValues();
        RequireFinite("", parameters, Step);
        return new ModelFile(Model, parameters);
    }

    /// <summary>Where and when <see cref="Train"/> writes checkpoints; null for none.</summary>
    public CheckpointSettings? Checkpoints { get; set; }

    /// <summary>What <see cref="Train"/> does about a step whose loss or gradients are not finite. To be set before <see cref="Restore"/>.</summary>
    public NonFiniteAction OnNonFinite { get; set; }

    /// <summary>
    /// Whether <see cref="Train"/> looks at what every operator computes, see <see cref="ExecutionPlan.RunChecked"/>, and ends at the first number that is
    /// infinite or NaN, whatever <see cref="OnNonFinite"/> says. That is slow, and changes no result: a run that goes on from a checkpoint before comes
    /// to the same number.
    /// </summary>
    public bool DebugNumerics { get; set; }

    /// <summary>What the training set is known by.</summary>
    public DatasetIdentity TrainSet => _trainIdentity.Value;

    /// <summary>What the test set is known by.</summary>
    public DatasetIdentity TestSet => _testIdentity.Value;

    private long Step => (_epoch - 1L) * _plans.BatchCount + _stepInEpoch;

    private StepState State(long step) =>
        new((float)(_recipe.LearningRate * _recipe.Schedule.Factor(step, (long)_plans.BatchCount * _recipe.Epochs)), step);

    /// <summary>
    /// Trains to the recipe's end, or until stopped; then the step at hand is finished first. Another call, also by another trainer that
    /// <see cref="Restore">was given a checkpoint</see>, goes on where this one stopped.
    /// </summary>
    /// <param name="observer">Is told how it goes.</param>
    /// <param name="stop">Ends the run early.</param>
    /// <exception cref="Interop.NativeException">A native call failed.</exception>
    /// <exception cref="IOException">A checkpoint couldn't be written.</exception>
    /// <exception cref="TrainingDivergedException">
    /// Loss, gradients or parameters are not finite. That is noticed when the loss is read, a hundred times an epoch, and names the step exactly;
    /// unless steps are skipped, it is run again as <see cref="ExecutionPlan.RunChecked"/> does, to name the operator too.
    /// </exception>
    public TrainingResult Train(ITrainingObserver? observer = null, CancellationToken stop = default)
    {
        Checkpoints?.Validate();
        try
        {
            return Run(observer, stop);
        }
        catch (TrainingDivergedException e) when (e.Fault is null)
        {
            if (FindFault(e.Step) is { } fault)
                throw new TrainingDivergedException(fault, e.Epoch, e.Step, e.LastCheckpoint);
            throw;
        }
    }

    private TrainingResult Run(ITrainingObserver? observer, CancellationToken stop)
    {
        observer?.Started(new TrainingStart(
            _recipe, Device.Name, Device.Selection.Reason, _trainSamples, _testSamples, _plans.BatchCount, Parameters.Count, _arena.Bytes,
            _trainPlacement, _evaluator.Placement, _placementReason, Step));
        _watch.Set(_watch.Read().Scaler with { Halts = OnNonFinite == NonFiniteAction.Stop ? 1 : 0 });

        using CheckpointWriter? writer = Checkpoints is not { } settings ? null : new CheckpointWriter(
            settings, CreateSnapshot(), (snapshot, position) => CreateCheckpoint(snapshot, position, settings.Notes), Position(), _hasBegun);
        _hasBegun = true;
        _clock.Start();
        while (_epoch <= _recipe.Epochs && !stop.IsCancellationRequested)
        {
            if (!TrainEpoch(observer, writer, stop))
                break;
            _watch.BeginRead();
            LossSummary train = EndRead(observer, writer, _stepInEpoch).Loss;
            _epochClock.Stop();
            if (EvaluateEpoch(observer, stop) is not { } test)
                break;
            EpochResult result = EndEpoch(train, test);
            observer?.EpochEnded(result);
            writer?.Begin(Position());
        }
        _clock.Stop();
        writer?.Finish(Position());
        LossScalerState state = _watch.Read().Scaler;
        StepWatch.Check(state, OnNonFinite, Step, _plans.BatchCount, LastCheckpoint);
        long samples = (_epoch - 1L) * _trainSamples + _plans.SamplesIn(_stepInEpoch);
        double trainingSeconds = (_trainingTime + _epochClock.Elapsed).TotalSeconds;
        return new TrainingResult(
            [.. _epochs], _epochs.Count < _recipe.Epochs, Step, state.SkippedSteps, samples / Math.Max(trainingSeconds, 1e-9), _clock.Elapsed,
            _death, state.FirstFound == NonFinite.None ? null : state.FirstStep + 1);
    }

    /// <summary>Measures the model as it is now on the test set.</summary>
    /// <param name="logits">Receives the class scores of every sample, in the data set's order.</param>
    /// <param name="stop">Ends the evaluation early.</param>
    /// <exception cref="OperationCanceledException">It was ended early.</exception>
    /// <exception cref="Interop.NativeException">A native call failed.</exception>
    public LossSummary Evaluate(LogitsReceiver? logits = null, CancellationToken stop = default) => _evaluator.Evaluate(null, logits, stop);

    /// <summary>
    /// Waits for the device and copies everything that the run is now: to <see cref="TrainingCheckpoint.Save">save</see> it, or for another
    /// trainer to <see cref="Restore">go on with</see>. While it trains, <see cref="CheckpointSettings"/> have this done without waiting.
    /// </summary>
    /// <param name="notes">What to add, by keys of one's own.</param>
    /// <exception cref="TrainingDivergedException">It has come to numbers that are infinite or NaN.</exception>
    public TrainingCheckpoint DownloadCheckpoint(IReadOnlyDictionary<string, string>? notes = null)
    {
        using TrainingSnapshot snapshot = CreateSnapshot();
        snapshot.Take();
        snapshot.Wait();
        return CreateCheckpoint(snapshot, Position(), notes ?? new Dictionary<string, string>());
    }

    /// <summary>
    /// Makes this the run that a checkpoint holds: <see cref="Train"/> goes on there and gives what that run would have given, to the last bit,
    /// on the same device, with the same libraries and number of threads. Where the data lies may differ, and with a constant learning rate the
    /// number of epochs.
    /// </summary>
    /// <exception cref="ArgumentException">Network, recipe, seed or execution are not the checkpoint's; the message says what differs.</exception>
    /// <exception cref="InvalidDataException">The data are not the checkpoint's.</exception>
    public void Restore(TrainingCheckpoint checkpoint)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        checkpoint.CheckFits(Model.Architecture, _recipe, _seed, _execution);
        checkpoint.CheckData(TrainSet, TestSet);
        TrainingPosition position = checkpoint.Position;
        position.Validate(_plans.BatchCount);
        if (position.Epochs.Count > _recipe.Epochs)
            throw new ArgumentException($"{position.Epochs.Count} epochs are done, the recipe has {_recipe.Epochs}");

        _stream.Synchronize(); // uploads do not wait for it
        Parameters.Load(checkpoint.Parameters);
        if (checkpoint.Momentum is { } momentum)
            Parameters.LoadMomentum(momentum);
        if (checkpoint.Average is { } average)
            _average!.Load(average);
        LossScalerState scaler = checkpoint.LossScaler ?? LossScalerState.Initial(_recipe.Precision.DataType());
        _watch.Set(OnNonFinite == NonFiniteAction.Stop ? scaler with { FirstFound = NonFinite.None, FirstStep = 0 } : scaler); // what was skipped before is past
        _watch.Loss.Set(position.EpochLoss);
        _deathWatch.Plateau = position.Plateau;
        _death = position.Death;

        _epochs.Clear();
        _epochs.AddRange(position.Epochs);
        _epochClock.Set(position.EpochTime);
        _clock.Set(position.Elapsed);
        _trainingTime = position.TrainingTime;
        _epoch = position.Epoch;
        _stepInEpoch = position.StepInEpoch;
        _hasBegun = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _evaluator?.Dispose();
        _plans?.Dispose();
        _watch?.Dispose();
        _stepInput?.Dispose();
        _average?.Dispose();
        Parameters?.Dispose();
        _arena?.Dispose();
        _stream?.Dispose();
    }

    /// <returns>Null if it can't be found out, which is not to hide what the search was made for.</returns>
    private string? WhatFits(ImageDataset trainSet, ImageDataset testSet)
    {
        try
        {
            return $"a batch of {BatchSearch.Largest(Device, Model.Architecture, _recipe, trainSet, testSet, _execution)} would fit";
        }
        catch (DeviceMemoryException)
        {
            return "not even a batch of 1 would fit";
        }
        catch (Interop.NativeException)
        {
            return null;
        }
    }

    /// <summary>Queues what is left of an epoch's steps, reporting what is known without stopping the device.</summary>
    /// <returns>Whether the epoch's steps are all queued.</returns>
    private bool TrainEpoch(ITrainingObserver? observer, CheckpointWriter? writer, CancellationToken stop)
    {
        int stepsPerEpoch = _plans.BatchCount;
        int reportInterval = Math.Max(stepsPerEpoch / ProgressReportsPerEpoch, 1);
        _epochClock.Start();
        _plans.Begin(new EpochOrder(_seed, _epoch - 1), _stepInEpoch);
        if (_stepInEpoch == 0)
        {
            _watch.Loss.Reset();
            _deathWatch.BeginEpoch();
        }
        int reading = 0; // the number of steps behind the sums that are on their way, 0 if none are
        BeginReport(); // of the step that the run goes on behind, which whoever stopped there has left to us
        while (_stepInEpoch < stepsPerEpoch)
        {
            if (stop.IsCancellationRequested)
            {
                EndEarlierReport();
                _epochClock.Stop();
                return false;
            }
            RunStep(State(Step), writer);
            _stepInEpoch++;
            BeginReport();
            if (writer is not null && writer.IsDue(Step))
            {
                EndEarlierReport();
                writer.Begin(Position());
            }
        }
        EndReport();
        return true;

        void BeginReport()
        {
            if (_stepInEpoch == 0 || _stepInEpoch % reportInterval != 0)
                return;
            EndReport(); // of the interval before: usually it has arrived long ago
            _watch.BeginRead();
            reading = _stepInEpoch;
        }

        void EndReport()
        {
            if (reading == 0)
                return;
            int step = reading;
            reading = 0;
            var (loss, state) = EndRead(observer, writer, step);
            double rate = _plans.SamplesIn(step) / _epochClock.Elapsed.TotalSeconds; // the loss leaves out what was skipped
            observer?.Progressed(new TrainingProgress(_epoch, Step - _stepInEpoch + step, step, loss, rate, state.SkippedSteps));
        }

        // So that what is told behind a checkpoint is told again by a run that goes on there, and nothing before it.
        void EndEarlierReport()
        {
            if (reading < _stepInEpoch)
                EndReport();
        }
    }

    private void RunStep(in StepState state, CheckpointWriter? writer)
    {
        if (!DebugNumerics)
        {
            _plans.Run(_stepInEpoch, state);
            return;
        }
        bool isScaled = _watch.Read().Scaler.Scale > 1; // then a smaller scale is the remedy, and comes by itself
        if (_plans.RunChecked(_stepInEpoch, state, ignoresGradients: isScaled) is { } fault)
            throw new TrainingDivergedException(fault, _epoch, Step + 1, LastCheckpoint(writer));
    }

    /// <summary>Runs the step again behind which the run has <see cref="LossScalerState.Halts">halted</see>: nothing has changed since.</summary>
    /// <param name="step">Its number, from 1.</param>
    /// <returns>Null if the run has not halted there, or it can't be found out, which is not to hide what the run ends by.</returns>
    private NumericFault? FindFault(long step)
    {
        try
        {
            LossScalerState state = _watch.Read().Scaler;
            long stepInEpoch = step - 1 - (_epoch - 1L) * _plans.BatchCount;
            if (state is { Halts: 0 } or { FirstFound: NonFinite.None } || state.FirstStep != step - 1 || stepInEpoch < 0)
                return null;
            _plans.Begin(new EpochOrder(_seed, _epoch - 1), (int)stepInEpoch);
            return _plans.RunChecked((int)stepInEpoch, State(step - 1), ignoresGradients: state.Scale > 1);
        }
        catch (Interop.NativeException)
        {
            return null;
        }
    }

    /// <returns>Null if it was stopped.</returns>
    private LossSummary? EvaluateEpoch(ITrainingObserver? observer, CancellationToken stop)
    {
        try
        {
            int ended = _epoch;
            return observer is null
                ? _evaluator.Evaluate(stop: stop)
                : _evaluator.Evaluate(
                    share => observer.Evaluating(ended, share), (first, logits) => observer.TestLogits(ended, first, logits), stop);
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private EpochResult EndEpoch(LossSummary train, LossSummary test)
    {
        TimeSpan time = _epochClock.Elapsed;
        var result = new EpochResult(_epoch, Step, train, test, _trainSamples / time.TotalSeconds, _clock.Elapsed);
        _epochs.Add(result);
        _trainingTime += time;
        _epochClock.Set(default);
        _epoch++;
        _stepInEpoch = 0;
        return result;
    }

    /// <summary>How far the run is, but for the epoch's sums, which are on the device.</summary>
    private TrainingPosition Position() =>
        new(Step, _epoch, _stepInEpoch, default, [.. _epochs], _epochClock.Elapsed, _trainingTime, _clock.Elapsed, _deathWatch.Plateau, _death);

    private TrainingSnapshot CreateSnapshot() =>
        new(_stream, Parameters, hasMomentum: _recipe.Sgd.Momentum > 0, _average, _watch);

    /// <param name="snapshot">A copy that has come.</param>
    /// <param name="position">How far the run was when it was taken.</param>
    /// <param name="notes">What to add.</param>
    /// <exception cref="TrainingDivergedException">It has what no checkpoint may have.</exception>
    private TrainingCheckpoint CreateCheckpoint(TrainingSnapshot snapshot, TrainingPosition position, IReadOnlyDictionary<string, string> notes)
    {
        StepWatch.Check(snapshot.LossScaler, OnNonFinite, position.Step, _plans.BatchCount, LastCheckpoint);
        var checkpoint = new TrainingCheckpoint
        {
            Model = Model,
            Recipe = _recipe,
            Seed = _seed,
            Execution = _execution,
            TrainSet = TrainSet,
            TestSet = TestSet,
            Position = position with { EpochLoss = position.StepInEpoch == 0 ? default : snapshot.Loss },
            LossScaler = snapshot.LossScaler with { Halts = 0 }, // the run's to decide, not its state
            Parameters = snapshot.Parameters,
            Momentum = snapshot.Momentum,
            Average = snapshot.Average,
            Notes = notes,
        };
        RequireFinite("", checkpoint.Parameters, position.Step);
        RequireFinite("the momentum of ", checkpoint.Momentum, position.Step);
        RequireFinite("the moving average of ", checkpoint.Average, position.Step);
        return checkpoint;
    }

    /// <exception cref="TrainingDivergedException">A number is infinite or NaN.</exception>
    private void RequireFinite(string kind, IReadOnlyDictionary<string, float[]>? tensors, long step)
    {
        foreach (var (name, values) in tensors ?? new Dictionary<string, float[]>())
        {
            if (Array.FindIndex(values, value => !float.IsFinite(value)) is >= 0 and var index)
            {
                int epoch = (int)((step - 1) / _plans.BatchCount) + 1;
                throw new TrainingDivergedException(
                    string.Create(CultureInfo.InvariantCulture, $"element {index} of {kind}{name} is {values[index]} behind step {step} (epoch {epoch})"),
                    epoch, step, LastCheckpoint());
            }
        }
    }

    /// <summary>The path of the last checkpoint, when the one at hand is written; null if there is none.</summary>
    private string? LastCheckpoint(CheckpointWriter? writer)
    {
        writer?.Wait();
        return LastCheckpoint();
    }

    private string? LastCheckpoint() => Checkpoints?.Directory.Files is [var newest, ..] ? newest : null;

    /// <summary>Waits for what the device has kept of its steps, and draws the conclusions.</summary>
    /// <param name="observer">Is told of the network's death.</param>
    /// <param name="writer">May have a checkpoint in hand.</param>
    /// <param name="stepInEpoch">The step of the epoch behind which it was read.</param>
    /// <exception cref="TrainingDivergedException">The run is to end.</exception>
    private (LossSummary Loss, LossScalerState Scaler) EndRead(ITrainingObserver? observer, CheckpointWriter? writer, int stepInEpoch)
    {
        var (loss, state) = _watch.EndRead();
        long step = Step - _stepInEpoch + stepInEpoch;
        StepWatch.Check(state, OnNonFinite, step, _plans.BatchCount, () => LastCheckpoint(writer));
        WatchForDeath(observer, loss, step, stepInEpoch);
        return (loss, state);
    }

    private void WatchForDeath(ITrainingObserver? observer, in LossSummary loss, long step, int stepInEpoch)
    {
        if (_deathWatch.Add(loss, stepInEpoch) == false)
            _death = null;
        if (_death is not null || !_deathWatch.IsSuspicious)
            return;
        if (Parameters.DownloadGradients().Values.Any(gradient => gradient.AsSpan().ContainsAnyExcept(0f)))
        {
            _deathWatch.Acquit();
            return;
        }
        _death = new NetworkDeath(_epoch, step, step - _deathWatch.Plateau.Steps + 1, Math.Log(Model.Architecture.Classes));
        observer?.Died(_death);
    }
}
