using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>
/// How far a run is. Order of samples, dropout, augmentation and learning rate are functions of seed and step, so no more is needed to go on
/// but the tensors.
/// </summary>
/// <param name="Step">Steps done in the run.</param>
/// <param name="Epoch">The epoch at hand, from 1; one more than the recipe has when all are done.</param>
/// <param name="StepInEpoch">Steps done in the epoch at hand; when these are all of them, its evaluation is to come.</param>
/// <param name="EpochLoss">Loss and accuracy of the epoch's steps so far.</param>
/// <param name="Epochs">What the epochs before gave.</param>
/// <param name="EpochTime">Time spent in the epoch's steps so far.</param>
/// <param name="TrainingTime">Time spent in the steps of all epochs before.</param>
/// <param name="Elapsed">Time since the run's start, not counting that in which it was interrupted.</param>
/// <param name="Plateau">How long the loss has been that of a dead network.</param>
/// <param name="Death">How the network died; null if it lives.</param>
public sealed record TrainingPosition(
    long Step, int Epoch, int StepInEpoch, LossSummary EpochLoss, IReadOnlyList<EpochResult> Epochs, TimeSpan EpochTime, TimeSpan TrainingTime, TimeSpan Elapsed,
    LossPlateau Plateau = default, NetworkDeath? Death = null)
{
    /// <summary>The finished epoch with the highest accuracy on the test set, of several the first; null if none is finished.</summary>
    public EpochResult? BestEpoch => Epochs.MaxBy(epoch => (epoch.Test.Correct, -epoch.Epoch));

    /// <summary>Refuses a position that no run can have.</summary>
    /// <exception cref="ArgumentException">The message says why.</exception>
    internal void Validate()
    {
        if (Step < 0 || Epoch < 1 || StepInEpoch < 0 || StepInEpoch > Step || Epochs.Count != Epoch - 1)
            throw new ArgumentException($"step {Step} can't be step {StepInEpoch} of epoch {Epoch} with {Epochs.Count} epochs done");
        if (Plateau.Steps < 0 || Plateau.Steps > Step)
            throw new ArgumentException($"the loss can't have stayed for {Plateau.Steps} of {Step} steps");
        if (EpochTime < TimeSpan.Zero || TrainingTime < TimeSpan.Zero || Elapsed < TimeSpan.Zero)
            throw new ArgumentException($"a run can't have taken {Elapsed}, {TrainingTime} and {EpochTime} of it for training");
    }

    /// <summary>As the other, with what is known of the data.</summary>
    /// <exception cref="ArgumentException">The message says why.</exception>
    internal void Validate(int stepsPerEpoch)
    {
        Validate();
        if (StepInEpoch > stepsPerEpoch || Step != (Epoch - 1L) * stepsPerEpoch + StepInEpoch)
            throw new ArgumentException($"step {Step} can't be step {StepInEpoch} of epoch {Epoch} with {stepsPerEpoch} steps an epoch");
    }
}
