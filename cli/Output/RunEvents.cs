using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Cli.Output;

/// <summary>Makes the events of a run.</summary>
internal static class RunEvents
{
    public static StartEvent Start(TrainingStart start, RunInfo run)
    {
        TrainingRecipe recipe = start.Recipe;
        Augmentation augmentation = recipe.Augmentation ?? Augmentation.None;
        return new StartEvent(
            "start", AppVersion.Text, start.Device, run.Provider, start.DeviceReason, recipe.Name, run.Model.Architecture.Name, run.Dataset,
            recipe.ImageSize, recipe.BatchSize, recipe.Epochs, recipe.LearningRate, RecipeNames.Of(recipe.Schedule),
            recipe.Sgd.Momentum, recipe.Sgd.Nesterov, recipe.Sgd.WeightDecay,
            RecipeNames.Of(recipe.Initialization), recipe.Initialization.OutputScale, recipe.Initialization.OutputBias, recipe.NormalizeInput,
            run.Model.Architecture.Layers.OfType<DropoutLayer>().FirstOrDefault()?.Rate,
            recipe.LabelSmoothing, recipe.ClipNorm, recipe.EmaDecay, augmentation.HorizontalFlip, augmentation.CropPadding, augmentation.ErasingProbability,
            RecipeNames.Of(recipe.Precision), run.Precision.Reason, run.Seed,
            start.TrainSamples, start.TestSamples, start.StepsPerEpoch, start.Parameters, start.DeviceBytes,
            ReportText.Of(start.TrainPlacement), ReportText.Of(start.TestPlacement), start.PlacementReason, run.Directory.Path,
            start.Step, run.Resumed?.Changes ?? []);
    }

    public static DeathEvent Death(NetworkDeath death, RunInfo run) =>
        new("dead", run.Seed, death.Epoch, death.Step, death.Since, death.Loss, ReportText.DeathAdvice(run));

    public static EndEvent End(TrainingResult result, IReadOnlyList<string> neverPredicted, string device, RunInfo run)
    {
        EpochResult? last = result.LastEpoch;
        return new EndEvent(
            "end", last?.Epoch ?? 0, result.Step, result.SkippedSteps, last?.Train.Loss, last?.Train.Accuracy, last?.Test.Loss, last?.Test.Accuracy,
            result.SamplesPerSecond, result.Elapsed.TotalSeconds, device, result.IsStopped, run.Directory.ModelPath, run.Directory.Path,
            result.Death is not null, neverPredicted, result.FirstNonFiniteStep);
    }
}
