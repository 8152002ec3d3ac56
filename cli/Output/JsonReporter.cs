using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NinCudnn.Training;

namespace NinCudnn.Cli.Output;

/// <summary>Writes one JSON object a line: to standard output for programs, and to the run's metrics.jsonl.</summary>
internal sealed class JsonReporter(TextWriter output, RunInfo run) : RunReporter
{
    private string _device = "";

    /// <summary>Whether there is a <c>start</c> already, from where the run goes on.</summary>
    public bool HasStart { get; init; }

    public override void Started(TrainingStart start)
    {
        _device = start.Device;
        if (!HasStart)
            Write(RunEvents.Start(start, run), JsonEventsContext.Default.StartEvent);
    }

    public override void Progressed(TrainingProgress progress) => Write(
        new ProgressEvent(
            "progress", progress.Epoch, progress.Step, progress.StepInEpoch, progress.Loss.Loss, progress.Loss.Accuracy, progress.SamplesPerSecond,
            progress.SkippedSteps),
        JsonEventsContext.Default.ProgressEvent);

    public override void Died(NetworkDeath death) => Write(RunEvents.Death(death, run), JsonEventsContext.Default.DeathEvent);

    public override void EpochEnded(EpochResult epoch) => Write(
        new EpochEvent(
            "epoch", epoch.Epoch, epoch.Step, epoch.Train.Loss, epoch.Train.Accuracy, epoch.Test.Loss, epoch.Test.Accuracy,
            epoch.SamplesPerSecond, epoch.Elapsed.TotalSeconds),
        JsonEventsContext.Default.EpochEvent);

    public override void Ended(TrainingResult result, IReadOnlyList<string> neverPredicted) =>
        Write(RunEvents.End(result, neverPredicted, _device, run), JsonEventsContext.Default.EndEvent);

    private void Write<T>(T value, JsonTypeInfo<T> type)
    {
        output.WriteLine(JsonSerializer.Serialize(value, type));
        output.Flush();
    }
}
