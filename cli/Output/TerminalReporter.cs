using System.Globalization;
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

    public override void While(string what, Action action) => console.Status().Start(what, _ => action());

    public override void Note(string message) => Terminal.WriteLine(console, message);

    public override void Started(TrainingStart start)
    {
        _start = start;
        _task!.MaxValue = (double)start.StepsPerEpoch * start.Recipe.Epochs;
        Grid grid = new Grid { Expand = true }.AddColumn(new GridColumn().NoWrap()).AddColumn();
        foreach (var (label, value) in ReportText.Start(start, run))
            grid.AddRow(new Text(label), new Text(value));
        console.Write(grid);
    }

    public override void Progressed(TrainingProgress progress)
    {
        _task!.Value = progress.Step;
        _task.Description = Markup.Escape($"epoch {progress.Epoch}/{_start!.Recipe.Epochs}: {ReportText.Progress(progress, _start!)}");
    }

    public override void Died(NetworkDeath death) => Terminal.WriteLine(console, ReportText.Death(death, run));

    public override void Evaluating(int epoch, double share) =>
        _task!.Description = string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}/{_start!.Recipe.Epochs}: evaluating, {share:P0}");

    public override void EpochEnded(EpochResult epoch)
    {
        _task!.Value = epoch.Step;
        Terminal.WriteLine(console, ReportText.Epoch(epoch, _start!.Recipe.Epochs));
    }

    public override void Ended(TrainingResult result, IReadOnlyList<string> neverPredicted) =>
        console.WriteLine(ReportText.End(result, neverPredicted, _start!.Device, run));
}
