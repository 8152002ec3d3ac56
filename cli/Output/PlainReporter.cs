using NinCudnn.Training;

namespace NinCudnn.Cli.Output;

/// <summary>Plain lines, for logs and pipes.</summary>
internal sealed class PlainReporter(TextWriter output, RunInfo run) : RunReporter
{
    private const int LinesPerEpoch = 10;

    private TrainingStart? _start;
    private int _lastLine;

    public override void Started(TrainingStart start)
    {
        _start = start;
        foreach (var (label, value) in ReportText.Start(start, run))
            output.WriteLine($"{label,-9}{value}");
    }

    public override void Progressed(TrainingProgress progress)
    {
        // One line for each tenth of an epoch that the step has completed.
        int steps = _start!.StepsPerEpoch;
        int interval = Math.Max(steps / LinesPerEpoch, 1);
        if (progress.StepInEpoch / interval == _lastLine)
            return;
        _lastLine = progress.StepInEpoch / interval;
        output.WriteLine(
            $"epoch {progress.Epoch}/{_start.Recipe.Epochs}, step {progress.StepInEpoch}/{steps}: {ReportText.Progress(progress, _start)}");
    }

    public override void Died(NetworkDeath death) => output.WriteLine(ReportText.Death(death, run));

    public override void EpochEnded(EpochResult epoch)
    {
        _lastLine = 0;
        output.WriteLine(ReportText.Epoch(epoch, _start!.Recipe.Epochs));
    }

    public override void Ended(TrainingResult result, IReadOnlyList<string> neverPredicted) =>
        output.WriteLine(ReportText.End(result, neverPredicted, _start!.Device, run));
}
