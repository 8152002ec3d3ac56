using System.Text.Json.Serialization;

namespace NinCudnn.Cli.Output;

// The events of `nin train --json` and metrics.jsonl, one JSON object a line; docs/json.md describes the fields.

internal sealed record StartEvent(
    string Event, string Version, string Device, string Provider, string DeviceReason, string Recipe, string Architecture, string Dataset,
    int ImageSize, int BatchSize, int Epochs, double LearningRate, string Schedule, double Momentum, bool Nesterov, double WeightDecay,
    string Initialization, double OutputScale, double OutputBias, bool NormalizeInput, double? DropoutRate,
    double LabelSmoothing, double? ClipNorm, double? EmaDecay, double HorizontalFlip, int CropPadding, double ErasingProbability, string Precision, string? PrecisionReason, ulong Seed,
    int TrainSamples, int TestSamples, int StepsPerEpoch, long Parameters, long DeviceBytes,
    string TrainPlacement, string TestPlacement, string? PlacementReason, string RunDirectory,
    long Step, IReadOnlyList<string> Changes);

internal sealed record ProgressEvent(
    string Event, int Epoch, long Step, int StepInEpoch, double TrainLoss, double TrainAccuracy, double SamplesPerSecond, long SkippedSteps = 0);

internal sealed record DeathEvent(string Event, ulong Seed, int Epoch, long Step, long Since, double TrainLoss, string Advice);

internal sealed record EpochEvent(
    string Event, int Epoch, long Step, double TrainLoss, double TrainAccuracy, double TestLoss, double TestAccuracy,
    double SamplesPerSecond, double Seconds);

internal sealed record EndEvent(
    string Event, int Epoch, long Step, long SkippedSteps, double? TrainLoss, double? TrainAccuracy, double? TestLoss, double? TestAccuracy,
    double SamplesPerSecond, double Seconds, string Device, bool Stopped, string Model, string RunDirectory, bool Dead = false,
    IReadOnlyList<string>? NeverPredicted = null, long? FirstNonfiniteStep = null);

internal sealed record EvaluationEvent(
    string Event, string Model, string Dataset, int Samples, double Loss, double Accuracy, double SamplesPerSecond, string Device,
    string Placement, string? PlacementReason, IReadOnlyList<ClassEntry> Classes, IReadOnlyList<ConfusionEntry> Confusions);

internal sealed record ClassEntry(string Name, long Samples, long Predicted, long Correct, double? Precision, double? Recall, double? F1);

internal sealed record ConfusionEntry(string Actual, string Predicted, long Count);

internal sealed record PredictionEvent(string Event, string Image, IReadOnlyList<PredictedClass> Predictions);

internal sealed record PredictedClass(string Class, int Label, float Probability);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)] // a loss may be "NaN"
[JsonSerializable(typeof(StartEvent))]
[JsonSerializable(typeof(ProgressEvent))]
[JsonSerializable(typeof(DeathEvent))]
[JsonSerializable(typeof(EpochEvent))]
[JsonSerializable(typeof(EndEvent))]
[JsonSerializable(typeof(EvaluationEvent))]
[JsonSerializable(typeof(PredictionEvent))]
internal sealed partial class JsonEventsContext : JsonSerializerContext;
