using NinCudnn.Cli.Runs;
using NinCudnn.Devices;
using NinCudnn.Training;

namespace NinCudnn.Cli.Output;

/// <summary>The sentences that the plain and the live report share.</summary>
internal static class ReportText
{
    private const int MaxNames = 10; // in a line

    public static (string Label, string Value)[] Start(TrainingStart start, RunInfo run)
    {
        TrainingRecipe recipe = start.Recipe;
        string schedule = recipe.Schedule is ConstantSchedule ? "" : $" {RecipeNames.Of(recipe.Schedule)}";
        return
        [
            ("device", $"{start.Device} ({start.DeviceReason})"),
            ("network", FormattableString.Invariant(
                $"{run.Model.Architecture.Name}, {start.Parameters:N0} parameters, {recipe.ImageSize}×{recipe.ImageSize} input, {ByteSize.Format(start.DeviceBytes)} for tensors")),
            ("compute", $"{run.Precision}"),
            ("data", FormattableString.Invariant($"{run.Dataset}: {start.TrainSamples:N0} training and {start.TestSamples:N0} test images")),
            .. Streaming(start.TrainPlacement, start.TestPlacement, start.PlacementReason) is { } streaming ? [("stream", streaming)] : Array.Empty<(string, string)>(),
            ("recipe", FormattableString.Invariant(
                $"{recipe.Name}: {Count(recipe.Epochs, "epoch")} of {Count(start.StepsPerEpoch, "step")}, batch {recipe.BatchSize}, learning rate {recipe.LearningRate}{schedule}, momentum {recipe.Sgd.Momentum}, seed {run.Seed}")),
            .. run.Resumed is { } resumed ? Resumed(start, resumed) : [],
        ];
    }

    private static IEnumerable<(string Label, string Value)> Resumed(TrainingStart start, ResumedRun resumed) =>
    [
        ("resume", FormattableString.Invariant(
            $"behind step {start.Step} of {(long)start.StepsPerEpoch * start.Recipe.Epochs}, from {Path.GetRelativePath(resumed.Directory, resumed.CheckpointPath)}")),
        .. resumed.Changes.Select(change => ("changed", change)),
    ];

    /// <summary>What streams and why; null where all lies on the device.</summary>
    /// <param name="train">Where the training set lies, null if there is none.</param>
    /// <param name="test">Where the test set lies.</param>
    /// <param name="reason">Why something streams, null if that was asked for.</param>
    public static string? Streaming(DataPlacement? train, DataPlacement test, string? reason)
    {
        string? which = (train, test) switch
        {
            (DataPlacement.Stream, DataPlacement.Stream) => "training and test images",
            (DataPlacement.Stream, _) => "training images",
            (_, DataPlacement.Stream) => "test images",
            _ => null,
        };
        return which is null ? null : $"{which} from host memory, {(reason is null ? "as asked for" : $"since {reason}")}";
    }

    public static string Of(DataPlacement placement) => placement.ToString().ToLowerInvariant();

    /// <summary>At most 80 characters long in all but extreme cases, the usual width of a terminal.</summary>
    public static string Epoch(EpochResult epoch, int epochs) =>
        $"epoch {epoch.Epoch}/{epochs}: {Figures(epoch)}, {Rate(epoch.SamplesPerSecond)}";

    public static string Progress(TrainingProgress progress, TrainingStart start) => FormattableString.Invariant(
        $"loss {progress.Loss.Loss:0.0000}, acc {progress.Loss.Accuracy:0.0000}, {Rate(progress.SamplesPerSecond)}, {Duration(Left(progress, start))} left{(progress.SkippedSteps > 0 ? $", {progress.SkippedSteps} skipped" : "")}");

    /// <summary>What to do about a run that has come to infinities or NaN, to be put behind what is said of it.</summary>
    public static string DivergenceAdvice(TrainingDivergedException diverged)
    {
        string command = diverged.LastCheckpoint is { } checkpoint
            ? $"nin train --resume {Path.GetDirectoryName(Path.GetDirectoryName(checkpoint))}"
            : "nin train";
        string option = diverged.Fault is null ? "--debug-numerics finds the operator" : "--on-nonfinite skip leaves such steps out";
        return $"; {command} {option}; in a new run a lower --lr or --clip-norm may help";
    }

    public static string Death(NetworkDeath death, RunInfo run) => FormattableString.Invariant(
        $"epoch {death.Epoch}, step {death.Step}: the network is dead: since step {death.Since} the loss is ln({run.Model.Architecture.Classes}) = {death.Loss:0.0000} for every image, and no gradient is left; {DeathAdvice(run)}");

    /// <summary>What has helped, see docs/numerics.md.</summary>
    public static string DeathAdvice(RunInfo run) => run.RestartsLeft > 0 ? $"the run begins again with seed {run.Seed + 1}" : FormattableString.Invariant(
        $"try another --seed (this was {run.Seed}), --output-bias 1, --init he with --output-scale 0.3, or a lower --lr");

    public static string End(TrainingResult result, IReadOnlyList<string> neverPredicted, string device, RunInfo run)
    {
        string figures = result.LastEpoch is { } last ? Figures(last) : "no epoch was finished";
        bool canGoOn = result.IsStopped && Directory.Exists(RunDirectory.CheckpointsIn(run.Directory.Path));
        return
            $"""
            {(result.IsStopped ? $"stopped after {Count(result.Step, "step")}; " : "")}{figures}
            {Rate(result.SamplesPerSecond)} on {device}, {Duration(result.Elapsed)} in all{(result.SkippedSteps > 0 ? $", {Skipped(result.SkippedSteps, result.FirstNonFiniteStep)}" : "")}{(result.Death is null ? "" : ", the network is dead")}
            {(NeverPredicted(neverPredicted, result.Death is not null) is { } never ? $"{never}\n" : "")}files in {run.Directory.Path}{(canGoOn ? $"; to go on: nin train --resume {run.Directory.Path}" : "")}
            """;
    }

    /// <summary>Steps that were left out, and where that began for another reason than fp16's loss scale.</summary>
    public static string Skipped(long steps, long? firstNonFinite) =>
        FormattableString.Invariant($"{Count(steps, "step")} skipped{(firstNonFinite is null ? "" : $" (loss or gradients not finite at step {firstNonFinite} first)")}");

    /// <summary>Names the classes that are never predicted; none of a dead network, which has one answer for all images.</summary>
    /// <returns>Null if there is nothing to say.</returns>
    public static string? NeverPredicted(IReadOnlyList<string> names, bool isDead) => names.Count == 0 || isDead
        ? null
        : $"never predicted: {string.Join(", ", names.Take(MaxNames))}{(names.Count > MaxNames ? $" and {names.Count - MaxNames} more" : "")}";

    public static string Rate(double samplesPerSecond) => samplesPerSecond < 100
        ? FormattableString.Invariant($"{samplesPerSecond:0.0} samples/s")
        : FormattableString.Invariant($"{samplesPerSecond:0} samples/s");

    public static string Duration(TimeSpan time) =>
        time.TotalHours >= 1 ? $"{(int)time.TotalHours}h{time.Minutes:00}m" : time.TotalMinutes >= 1 ? $"{time.Minutes}m{time.Seconds:00}s" : $"{time.TotalSeconds:0}s";

    private static string Figures(EpochResult epoch) => FormattableString.Invariant(
        $"loss {epoch.Train.Loss:0.0000}, train acc {epoch.Train.Accuracy:0.0000}, test acc {epoch.Test.Accuracy:0.0000}");

    private static string Count(long count, string noun) => FormattableString.Invariant($"{count} {noun}{(count == 1 ? "" : "s")}");

    /// <summary>The time that is left at the speed so far.</summary>
    private static TimeSpan Left(TrainingProgress progress, TrainingStart start)
    {
        long samples = (long)start.TrainSamples * (start.Recipe.Epochs - progress.Epoch + 1) - progress.Loss.Samples;
        return TimeSpan.FromSeconds(samples / Math.Max(progress.SamplesPerSecond, 1e-9));
    }
}
