using System.Runtime.InteropServices;
using System.Text.Json;
using NinCudnn.Cli.Output;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>Keeps a run's <c>run.json</c>: written when it starts, and again when it has ended in whatever way.</summary>
internal sealed class RunRecorder(RunInfo run, Trainer trainer, ExecutionSettings execution, ImageDataset trainSet) : ITrainingObserver
{
    private readonly Device _device = trainer.Device; // also when the trainer is no more
    private RunDocument? _document;

    /// <summary>What the run said when it started; null before.</summary>
    public TrainingStart? Start { get; private set; }

    public void Started(TrainingStart start)
    {
        Start = start;
        RunDocument document = Describe(start);
        Save(run.Resumed is null && run.Deaths.Count == 0 ? document : GoOn(document));
    }

    /// <summary>The run has ended, with the model saved.</summary>
    public RunDocument Ended(TrainingResult result, IReadOnlyList<string> neverPredicted)
    {
        Save(_document! with
        {
            Status = result.IsStopped ? RunDocument.Stopped : RunDocument.Finished,
            Ended = DateTimeOffset.Now,
            End = RunEvents.End(result, neverPredicted, _device.Name, run),
        });
        return _document!;
    }

    /// <summary>The run failed. Must not fail itself: what the run failed by is told.</summary>
    public static void Failed(RunDirectory directory, Exception reason)
    {
        try
        {
            if (File.Exists(RunDocument.PathIn(directory.Path)) && RunDocument.Load(directory.Path) is { Status: RunDocument.Running } document)
                (document with { Status = RunDocument.Failed, Ended = DateTimeOffset.Now, Failure = reason.Message }).Save(directory.Path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
        }
    }

    /// <summary>The document of the run as it goes on, or begins again; what it was before stays where there is something that says it.</summary>
    private RunDocument GoOn(RunDocument document)
    {
        RunDocument? before = File.Exists(RunDocument.PathIn(run.Directory.Path)) ? RunDocument.Load(run.Directory.Path) : null;
        IReadOnlyList<RunResume> resumes = before?.Resumes ?? [];
        if (run.Resumed is { } resumed)
        {
            if (before is not null)
                resumed.Compare(before, document);
            resumes =
            [
                .. resumes,
                new RunResume(document.Started, document.Start.Step, Path.GetFileName(resumed.CheckpointPath), document.CommandLine, resumed.Changes),
            ];
        }
        return document with
        {
            Started = before?.Started ?? document.Started,
            CommandLine = before?.CommandLine ?? document.CommandLine,
            Start = document.Start with { Changes = run.Resumed?.Changes ?? [] },
            Resumes = resumes,
        };
    }

    private void Save(RunDocument document)
    {
        _document = document;
        document.Save(run.Directory.Path);
    }

    private RunDocument Describe(TrainingStart start) => new(
        RunDocument.CurrentFormat, RunDocument.Running, DateTimeOffset.Now, null, null, run.CommandLine,
        RunEvents.Start(start, run), JsonElement.Parse(RecipeJson.Write(start.Recipe)), JsonElement.Parse(ArchitectureJson.Write(run.Model.Architecture)),
        new RunExecution(
            execution.Algorithms.ToString().ToLowerInvariant(), execution.Deterministic, execution.WorkspaceLimit, ReportText.Of(execution.DataPlacement)),
        new RunVersions(
            AppVersion.Text, RuntimeInformation.FrameworkDescription, RuntimeInformation.OSDescription, Version(NativeLibraryNames.Cuda),
            Version(NativeLibraryNames.Cudnn), Version(NativeLibraryNames.Cublas), Version(NativeLibraryNames.CublasLt), OneDnn.Version()),
        new RunDevice(_device.Name, run.Provider, _device.TotalBytes, _device.MultiprocessorCount, _device.ComputeCapability.ToString()),
        new RunData(
            run.Dataset, trainSet.Height, trainSet.Width, trainSet.Channels, trainSet.ClassNames, Split(trainer.TrainSet), Split(trainer.TestSet)),
        End: null, Resumes: [], Deaths: run.Deaths);

    private static RunSplit Split(DatasetIdentity dataset) => new(dataset.Samples, dataset.ImagesSha1, dataset.LabelsSha1);

    private string Version(string library) => _device.Selection.Libraries.First(loaded => loaded.Name == library).Version;
}
