using System.Globalization;
using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>
/// A run has come to numbers that are infinite or NaN. No checkpoint and no model has them: those written before are as they were, and
/// <see cref="Trainer.Restore"/> goes back to one.
/// </summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(string what, int epoch, long step, string? lastCheckpoint)
        : base($"{what}{(lastCheckpoint is null ? "" : $"; the last checkpoint is {lastCheckpoint}")}")
    {
        Epoch = epoch;
        Step = step;
        LastCheckpoint = lastCheckpoint;
    }

    internal TrainingDivergedException(NumericFault fault, int epoch, long step, string? lastCheckpoint)
        : this(string.Create(CultureInfo.InvariantCulture, $"step {step} (epoch {epoch}): {fault}"), epoch, step, lastCheckpoint) => Fault = fault;

    /// <summary>The epoch of the first such step, from 1.</summary>
    public int Epoch { get; }

    /// <summary>The run's first such step, from 1.</summary>
    public long Step { get; }

    /// <summary>The path of the last checkpoint before it; null if there is none.</summary>
    public string? LastCheckpoint { get; }

    /// <summary>
    /// The operator that was the first to compute such a number. Null where it could not be found, as when the step did not come to such a number
    /// a second time, or when steps were skipped; <see cref="Trainer.DebugNumerics"/> finds it there too.
    /// </summary>
    public NumericFault? Fault { get; }
}
