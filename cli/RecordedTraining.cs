using NinCudnn.Cli.Output;
using NinCudnn.Cli.Reports;
using NinCudnn.Cli.Runs;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Formats;
using NinCudnn.Training;
using Spectre.Console;

namespace NinCudnn.Cli;

/// <summary>How a run came to its end.</summary>
/// <param name="IsFinished">Whether it was trained to its last epoch.</param>
/// <param name="Death">How its network died, where it is to begin again; else null.</param>
internal readonly record struct RunOutcome(bool IsFinished, NetworkDeath? Death);

/// <summary>A training that is told on standard output and recorded in a run's directory.</summary>
/// <param name="trainer">Trains; disposed of before the report is written, which needs the device's memory.</param>
/// <param name="run">The run.</param>
/// <param name="execution">How the trainer carries it out.</param>
/// <param name="trainSet">What it learns from.</param>
/// <param name="testSet">What it is measured on.</param>
/// <param name="reporter">Tells people or programs how it goes.</param>
/// <param name="isLive">Whether a live display is on the terminal.</param>
internal sealed class RecordedTraining(
    Trainer trainer, RunInfo run, ExecutionSettings execution, ImageDataset trainSet, ImageDataset testSet, RunReporter reporter, bool isLive)
{
    private readonly RunHistory _history = new(run.Directory.Before);
    private readonly TestPredictions _predictions = new(testSet);

    public bool WritesReport { get; init; }

    public bool WritesTensorBoard { get; init; }

    /// <summary>Trains, and writes everything down; of a network that has died where the run may begin again, nothing more.</summary>
    /// <param name="stop">Ends the run early.</param>
    /// <returns>How it came to its end.</returns>
    public RunOutcome Run(CancellationToken stop)
    {
        var recorder = new RunRecorder(run, trainer, execution, trainSet);
        var metrics = new JsonReporter(run.Directory.Metrics, run) { HasStart = run.Directory.Before.HasStart };
        TrainingResult result;
        ModelFile model;
        try
        {
            using TensorBoardLog? tensorBoard = WritesTensorBoard
                ? new TensorBoardLog(EventFileWriter.Create(run.Directory.Path), trainer.ModelParameters.DownloadValues, _predictions, Note)
                : null;
            List<ITrainingObserver> observers = [recorder, reporter, metrics, _history, _predictions];
            if (tensorBoard is not null)
                observers.Add(tensorBoard);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            if (run.RestartsLeft > 0)
                observers.Add(new StopAtDeath(end));
            result = reporter.Around(() => trainer.Train(new Observers([.. observers]), end.Token));
            if (run.RestartsLeft > 0 && result.Death is { } death && !stop.IsCancellationRequested)
                return new RunOutcome(false, death);
            model = trainer.DownloadModel();
            model.Save(run.Directory.ModelPath);
            if (_predictions.IsEmpty && !result.IsStopped)
                trainer.Evaluate(_predictions.Add, CancellationToken.None); // the run was interrupted behind its last evaluation
        }
        catch (Exception e)
        {
            recorder.Failed(e);
            throw;
        }
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
            if (isLive)
                AnsiConsole.Status().Start("writing the report", _ => Write());
            else
                Write();
        }
        catch (Exception e)
        {
            Console.Error.WriteLine($"nin: the report could not be written: {e.Message.ReplaceLineEndings(" ")}");
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
            return (LayerTime.Measure(device, run.Model.Architecture, start.Recipe, batch, execution), null);
        }
        catch (DeviceMemoryException e)
        {
            return (null, e.Message);
        }
    }

    private void Note(string message)
    {
        if (isLive)
            Terminal.WriteLine(AnsiConsole.Console, message);
        else
            Console.Error.WriteLine("nin: " + message);
    }

    private sealed class StopAtDeath(CancellationTokenSource stop) : ITrainingObserver
    {
        public void Died(NetworkDeath death) => stop.Cancel();
    }
}
