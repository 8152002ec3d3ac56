using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>What a run is about to do.</summary>
/// <param name="Recipe">How it trains.</param>
/// <param name="Device">The device's name.</param>
/// <param name="DeviceReason">Why that device.</param>
/// <param name="TrainSamples">Images in the training set.</param>
/// <param name="TestSamples">Images in the test set.</param>
/// <param name="StepsPerEpoch">Steps in an epoch, the partial last one included.</param>
/// <param name="Parameters">The network's parameters.</param>
/// <param name="DeviceBytes">Device memory that the plans' tensors take.</param>
/// <param name="TrainPlacement">Where the training set lies: resident or streaming.</param>
/// <param name="TestPlacement">Where the test set lies: resident or streaming.</param>
/// <param name="PlacementReason">Why data streams, where that was not asked for; else null.</param>
/// <param name="Step">Steps done before: 0, or where an interrupted run goes on.</param>
public sealed record TrainingStart(
    TrainingRecipe Recipe, string Device, string DeviceReason, int TrainSamples, int TestSamples, int StepsPerEpoch, long Parameters, long DeviceBytes,
    DataPlacement TrainPlacement, DataPlacement TestPlacement, string? PlacementReason, long Step);

/// <summary>How far a run has come. Loss and accuracy are means over the epoch so far.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Step">Steps done in the run.</param>
/// <param name="StepInEpoch">Steps done in the epoch.</param>
/// <param name="Loss">Loss and accuracy of the epoch so far.</param>
/// <param name="SamplesPerSecond">Training speed in the epoch so far.</param>
/// <param name="SkippedSteps">Those of the run's steps that changed nothing, since their loss or gradients were not finite.</param>
public sealed record TrainingProgress(int Epoch, long Step, int StepInEpoch, LossSummary Loss, double SamplesPerSecond, long SkippedSteps);

/// <summary>
/// A network that has died: its loss has stayed at ln(classes), which is that of class scores that are all equal, and no gradient is left that
/// could change it. The usual cause is a last rectifier that is off for every class and image.
/// </summary>
/// <param name="Epoch">The epoch in which it was recognised, from 1.</param>
/// <param name="Step">Steps done then.</param>
/// <param name="Since">The first step, from 1, with that loss, as far as it was looked at.</param>
/// <param name="Loss">The loss.</param>
public sealed record NetworkDeath(int Epoch, long Step, long Since, double Loss);

/// <summary>What an epoch gave.</summary>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Step">Steps done in the run.</param>
/// <param name="Train">Loss and accuracy over the epoch's training batches, as they were trained on.</param>
/// <param name="Test">Loss and accuracy over the test set after the epoch.</param>
/// <param name="SamplesPerSecond">Training speed, evaluation not counted.</param>
/// <param name="Elapsed">Time since the run's start, not counting that in which it was interrupted.</param>
public sealed record EpochResult(int Epoch, long Step, LossSummary Train, LossSummary Test, double SamplesPerSecond, TimeSpan Elapsed);

/// <summary>How a run ended.</summary>
/// <param name="Epochs">The epochs that were finished.</param>
/// <param name="IsStopped">Whether it was stopped before its last epoch.</param>
/// <param name="Step">Steps done.</param>
/// <param name="SkippedSteps">Those of them that changed nothing, since their loss or gradients were not finite.</param>
/// <param name="SamplesPerSecond">Training speed over the whole run, evaluation not counted.</param>
/// <param name="Elapsed">Time from start to end, not counting that in which it was interrupted.</param>
/// <param name="Death">How the network died; null if it lives.</param>
/// <param name="FirstNonFiniteStep">
/// The first of the skipped steps, from 1, that float16's loss scale was not the reason of: its loss was not finite, or its gradients were without
/// a scale. Null if there was none.
/// </param>
public sealed record TrainingResult(
    IReadOnlyList<EpochResult> Epochs, bool IsStopped, long Step, long SkippedSteps, double SamplesPerSecond, TimeSpan Elapsed, NetworkDeath? Death,
    long? FirstNonFiniteStep = null)
{
    /// <summary>The last finished epoch, if there is one.</summary>
    public EpochResult? LastEpoch => Epochs.Count > 0 ? Epochs[^1] : null;
}

/// <summary>Is told how a run goes, on the thread that trains. What an observer does not care for, it need not implement.</summary>
public interface ITrainingObserver
{
    /// <summary>Before the first step.</summary>
    void Started(TrainingStart start)
    {
    }

    /// <summary>After a number of steps.</summary>
    void Progressed(TrainingProgress progress)
    {
    }

    /// <summary>When it is recognised that the network has died. The run goes on unless it is stopped.</summary>
    void Died(NetworkDeath death)
    {
    }

    /// <summary>After a number of batches of the evaluation that ends an epoch.</summary>
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="share">The share queued, 0 to 1.</param>
    void Evaluating(int epoch, double share)
    {
    }

    /// <summary>During the evaluation that ends an epoch: what it gave for some test samples, which come in order.</summary>
    /// <param name="epoch">The epoch, from 1.</param>
    /// <param name="first">The position in the test set of the first sample.</param>
    /// <param name="logits">(n, classes), the class scores of n samples. Valid only during the call.</param>
    void TestLogits(int epoch, int first, ReadOnlySpan<float> logits)
    {
    }

    /// <summary>After an epoch and its evaluation.</summary>
    void EpochEnded(EpochResult epoch)
    {
    }
}
