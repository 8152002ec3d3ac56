using System.Runtime.InteropServices;
using System.Text.Json;
using NinCudnn.Cli.Output;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Numerics;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>Keeps a run's <c>run.json</c>: written when it starts, and again when it has ended in whatever way.</summary>
internal sealed class RunRecorder(RunInfo run, Device device, ExecutionSettings execution, ImageDataset trainSet, ImageDataset testSet) : ITrainingObserver
{
    private RunDocument? _document;

    /// <summary>What the run said when it started; null before.</summary>
    public TrainingStart? Start { get; private set; }

    public void Started(TrainingStart start)
    {
        Start = start;
        Save(Describe(start));
    }

    /// <summary>The run has ended, with the model saved.</summary>
    public RunDocument Ended(TrainingResult result)
    {
        Save(_document! with
        {
            Status = result.IsStopped ? RunDocument.Stopped : RunDocument.Finished,
            Ended = DateTimeOffset.Now,
            End = RunEvents.End(result, device.Name, run),
        });
        return _document!;
    }

    /// <summary>The run failed. Must not fail itself: what the run failed by is told.</summary>
    public void Failed(Exception reason)
    {
        try
        {
            if (_document is not null)
                Save(_document with { Status = RunDocument.Failed, Ended = DateTimeOffset.Now, Failure = reason.Message });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
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
        new RunDevice(device.Name, run.Provider, device.TotalBytes, device.MultiprocessorCount, device.ComputeCapability.ToString()),
        new RunData(
            run.Dataset, trainSet.Height, trainSet.Width, trainSet.Channels, trainSet.ClassNames, Split(trainSet), Split(testSet)),
        End: null);

    /// <summary>With the names of the pixels (N, H, W, C), and of the labels as little-endian numbers of 16 bits.</summary>
    private static RunSplit Split(ImageDataset dataset) =>
        new(dataset.Count, GitBlob.Hash(dataset.Images), GitBlob.Hash(MemoryMarshal.AsBytes(dataset.Labels)));

    private string Version(string library) => device.Selection.Libraries.First(loaded => loaded.Name == library).Version;
}
