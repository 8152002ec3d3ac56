using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Cli.Output;

/// <summary>Writes one JSON object a line: to standard output for programs, and to the run's metrics.jsonl.</summary>
internal sealed class JsonReporter(TextWriter output, RunInfo run) : RunReporter
{
    private string _device = "";

    public override void Started(TrainingStart start)
    {
        _device = start.Device;
        TrainingRecipe recipe = start.Recipe;
        Augmentation augmentation = recipe.Augmentation ?? Augmentation.None;
        Write(
            new StartEvent(
                "start", AppVersion.Text, start.Device, run.Provider, start.DeviceReason, recipe.Name, run.Model.Architecture.Name, run.Dataset,
                recipe.ImageSize, recipe.BatchSize, recipe.Epochs, recipe.LearningRate, RecipeNames.Of(recipe.Schedule),
                recipe.Sgd.Momentum, recipe.Sgd.Nesterov, recipe.Sgd.WeightDecay,
                RecipeNames.Of(recipe.Initialization), recipe.Initialization.OutputScale, recipe.NormalizeInput,
                run.Model.Architecture.Layers.OfType<DropoutLayer>().FirstOrDefault()?.Rate,
                recipe.LabelSmoothing, recipe.ClipNorm, recipe.EmaDecay,
                augmentation.HorizontalFlip, augmentation.CropPadding, augmentation.ErasingProbability, RecipeNames.Of(recipe.Precision), run.Precision.Reason, run.Seed,
                start.TrainSamples, start.TestSamples, start.StepsPerEpoch, start.Parameters, start.DeviceBytes, run.Directory.Path),
            JsonEventsContext.Default.StartEvent);
    }

    public override void Progressed(TrainingProgress progress) => Write(
        new ProgressEvent(
            "progress", progress.Epoch, progress.Step, progress.StepInEpoch, progress.Loss.Loss, progress.Loss.Accuracy, progress.SamplesPerSecond),
        JsonEventsContext.Default.ProgressEvent);

    public override void EpochEnded(EpochResult epoch) => Write(
        new EpochEvent(
            "epoch", epoch.Epoch, epoch.Step, epoch.Train.Loss, epoch.Train.Accuracy, epoch.Test.Loss, epoch.Test.Accuracy,
            epoch.SamplesPerSecond, epoch.Elapsed.TotalSeconds),
        JsonEventsContext.Default.EpochEvent);

    public override void Ended(TrainingResult result)
    {
        EpochResult? last = result.LastEpoch;
        Write(
            new EndEvent(
                "end", last?.Epoch ?? 0, result.Step, result.SkippedSteps, last?.Train.Loss, last?.Train.Accuracy, last?.Test.Loss, last?.Test.Accuracy,
                result.SamplesPerSecond, result.Elapsed.TotalSeconds, _device, result.IsStopped, run.Directory.ModelPath, run.Directory.Path),
            JsonEventsContext.Default.EndEvent);
    }

    private void Write<T>(T value, JsonTypeInfo<T> type)
    {
        output.WriteLine(JsonSerializer.Serialize(value, type));
        output.Flush();
    }
}
