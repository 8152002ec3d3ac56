using NinCudnn.Training;

namespace NinCudnn.Cli.Output;

/// <summary>The sentences that the plain and the live report share.</summary>
internal static class ReportText
{
    public static string Start(TrainingStart start, RunInfo run) => FormattableString.Invariant(
        $"""
        device     {start.Device} ({start.DeviceReason})
        network    {run.Model.Architecture.Name}, {start.Parameters:N0} parameters, {start.Recipe.ImageSize}×{start.Recipe.ImageSize} input, {Devices.ByteSize.Format(start.DeviceBytes)} for tensors
        data       {run.Dataset}: {start.TrainSamples:N0} training and {start.TestSamples:N0} test images
        recipe     {start.Recipe.Name}: {start.Recipe.Epochs} epochs of {start.StepsPerEpoch} steps, batch {start.Recipe.BatchSize}, learning rate {start.Recipe.LearningRate}, momentum {start.Recipe.Sgd.Momentum}, seed {run.Seed}
        """);

    public static string Epoch(EpochResult epoch, int epochs) => FormattableString.Invariant(
        $"epoch {epoch.Epoch}/{epochs}: train loss {epoch.Train.Loss:0.0000}, train accuracy {epoch.Train.Accuracy:0.0000}, test accuracy {epoch.Test.Accuracy:0.0000} ({epoch.SamplesPerSecond:0.0} samples/s)");

    public static string Progress(TrainingProgress progress) => FormattableString.Invariant(
        $"loss {progress.Loss.Loss:0.0000}, accuracy {progress.Loss.Accuracy:0.0000}, {progress.SamplesPerSecond:0.0} samples/s");

    public static string End(TrainingResult result, string device, RunInfo run)
    {
        string figures = result.LastEpoch is { } last
            ? FormattableString.Invariant($"loss {last.Train.Loss:0.0000}, train accuracy {last.Train.Accuracy:0.0000}, test accuracy {last.Test.Accuracy:0.0000}")
            : "no epoch was finished";
        return FormattableString.Invariant(
            $"""
            {(result.IsStopped ? $"stopped after {result.Step} steps; " : "")}{figures}
            {result.SamplesPerSecond:0.0} samples/s on {device}, {Duration(result.Elapsed)} in all
            files in {run.Directory.Path}
            """);
    }

    public static string Duration(TimeSpan time) =>
        time.TotalHours >= 1 ? $"{(int)time.TotalHours}h{time.Minutes:00}m" : time.TotalMinutes >= 1 ? $"{time.Minutes}m{time.Seconds:00}s" : $"{time.TotalSeconds:0}s";

    /// <summary>The time that is left at the speed so far.</summary>
    public static TimeSpan Left(TrainingProgress progress, TrainingStart start)
    {
        long samples = (long)start.TrainSamples * (start.Recipe.Epochs - progress.Epoch + 1) - progress.Loss.Samples;
        return TimeSpan.FromSeconds(samples / Math.Max(progress.SamplesPerSecond, 1e-9));
    }
}
