using NinCudnn.Cli.Output;
using NinCudnn.Cli.Reports;
using NinCudnn.Devices;
using NinCudnn.Formats;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>How a run came to its end.</summary>
/// <param name="IsFinished">Whether it was trained to its last epoch.</param>
/// <param name="Death">How its network died, where it is to begin again; else null.</param>
internal readonly record struct RunOutcome(bool IsFinished, NetworkDeath? Death);

/// <summary>A training that is told on standard output and recorded in a run's directory.</summary>
/// <param name="trainer">Trains; disposed of before the report is written, which needs the device's memory.</param>
/// <param name="run">The run.</param>
/// <param name="task">What it trains.</param>
/// <param name="reporter">Tells people or programs how it goes.</param>
internal sealed class RecordedTraining(Trainer trainer, RunInfo run, TrainingTask task, RunReporter reporter)
{
    private readonly RunHistory _history = new(run.Directory.Before);
    private readonly TestPredictions _predictions = new(task.TestSet);

    public bool WritesReport { get; init; }

    public bool WritesTensorBoard { get; init; }

    /// <summary>Trains, and writes everything down; of a network that has died where the run may begin again, nothing more.</summary>
    /// <param name="stop">Ends the run early.</param>
    /// <returns>How it came to its end.</returns>
    public RunOutcome Run(CancellationToken stop)
    {
        var recorder = new RunRecorder(run, trainer, task.Execution, task.TrainSet);
        var metrics = new JsonReporter(run.Directory.Metrics, run) { HasStart = run.Directory.Before.HasStart };
        TrainingResult result;
        using (TensorBoardLog? tensorBoard = CreateTensorBoardLog())
        using (var end = CancellationTokenSource.CreateLinkedTokenSource(stop))
        {
            List<ITrainingObserver> observers = [recorder, reporter, metrics, _history, _predictions];
            if (tensorBoard is not null)
                observers.Add(tensorBoard);
            if (run.RestartsLeft > 0)
                observers.Add(new StopAtDeath(end));
            result = reporter.Around(() => trainer.Train(new Observers([.. observers]), end.Token));
        }
        if (run.RestartsLeft > 0 && result.Death is { } death && !stop.IsCancellationRequested)
            return new RunOutcome(false, death);
        ModelFile model = trainer.DownloadModel();
        model.Save(run.Directory.ModelPath);
        if (_predictions.IsEmpty && !result.IsStopped)
            trainer.Evaluate(_predictions.Add, CancellationToken.None); // the run was interrupted behind its last evaluation
        metrics.Ended(result, _predictions.NeverPredicted);
        RunDocument document = recorder.Ended(result, _predictions.NeverPredicted);
        Device device = trainer.Device;
        trainer.Dispose();
        if (WritesReport && !_predictions.IsEmpty && result.LastEpoch is not null)
            Report(document, recorder.Start!, model, device, stop);
        reporter.Ended(result, _predictions.NeverPredicted);
        return new RunOutcome(!result.IsStopped, null);
    }

    /// <summary>A run that has succeeded is not to fail by its report.</summary>
    private void Report(RunDocument document, TrainingStart start, ModelFile model, Device device, CancellationToken stop)
    {
        try
        {
            reporter.While("writing the report", Write);
        }
        catch (Exception e)
        {
            reporter.Note($"the report could not be written: {e.Message.ReplaceLineEndings(" ")}");
        }

        void Write()
        {
            var (times, reason) = stop.IsCancellationRequested ? (null, "the run was stopped") : MeasureLayers(start, device);
            RunReport.Write(new ReportContent(run.Directory.Path, document, _history, model, _predictions, times, reason));
        }
    }

    private (LayerTime[]? Times, string? Reason) MeasureLayers(TrainingStart start, Device device)
    {
        try
        {
            int batch = Math.Min(start.Recipe.BatchSize, start.TrainSamples);
            return (LayerTime.Measure(device, run.Model.Architecture, start.Recipe, batch, task.Execution), null);
        }
        catch (DeviceMemoryException e)
        {
            return (null, e.Message);
        }
    }

    private TensorBoardLog? CreateTensorBoardLog() => WritesTensorBoard
        ? new TensorBoardLog(EventFileWriter.Create(run.Directory.Path), trainer.ModelParameters.DownloadValues, _predictions, reporter.Note)
        : null;

    private sealed class StopAtDeath(CancellationTokenSource stop) : ITrainingObserver
    {
        public void Died(NetworkDeath death) => stop.Cancel();
    }
}
