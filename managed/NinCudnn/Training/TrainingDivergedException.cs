using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>
/// A run has come to numbers that are infinite or NaN. No checkpoint and no model has them: those written before are as they were, and
/// <see cref="Trainer.Restore"/> goes back to one.
/// </summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(string what, int epoch, long step, string? lastCheckpoint, NumericFault? fault = null)
        : base($"{what}{(lastCheckpoint is null ? "" : $"; the last checkpoint is {lastCheckpoint}")}")
    {
        Epoch = epoch;
        Step = step;
        LastCheckpoint = lastCheckpoint;
        Fault = fault;
    }

    /// <summary>The epoch of the first such step, from 1.</summary>
    public int Epoch { get; }

    /// <summary>The run's first such step, from 1.</summary>
    public long Step { get; }

    /// <summary>The path of the last checkpoint before it; null if there is none.</summary>
    public string? LastCheckpoint { get; }

    /// <summary>The operator that was the first to compute such a number; null without <see cref="Trainer.DebugNumerics"/>.</summary>
    public NumericFault? Fault { get; }
}
