using NinCudnn.Training;
using Spectre.Console;

namespace NinCudnn.Cli.Output;

/// <summary>A live progress bar, with a line for each epoch above it.</summary>
internal sealed class TerminalReporter(IAnsiConsole console, RunInfo run) : RunReporter
{
    private TrainingStart? _start;
    private ProgressTask? _task;

    public override TrainingResult Around(Func<TrainingResult> train) => console.Progress()
        .AutoClear(true)
        .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn())
        .Start(context =>
        {
            _task = context.AddTask("starting");
            return train();
        });

    public override void Started(TrainingStart start)
    {
        _start = start;
        _task!.MaxValue = (double)start.StepsPerEpoch * start.Recipe.Epochs;
        console.WriteLine(ReportText.Start(start, run));
    }

    public override void Progressed(TrainingProgress progress)
    {
        _task!.Value = progress.Step;
        string left = ReportText.Duration(ReportText.Left(progress, _start!));
        _task.Description = Markup.Escape($"epoch {progress.Epoch}/{_start!.Recipe.Epochs}: {ReportText.Progress(progress)}, {left} left");
    }

    public override void EpochEnded(EpochResult epoch)
    {
        _task!.Value = epoch.Step;
        console.WriteLine(ReportText.Epoch(epoch, _start!.Recipe.Epochs));
    }

    public override void Ended(TrainingResult result) => console.WriteLine(ReportText.End(result, _start!.Device, run));
}
