namespace NinCudnn.Training;

/// <summary>
/// Where and when a trainer writes checkpoints: before the first step, at the end of every epoch, when it is stopped, and in between if
/// <see cref="EverySteps"/> says so.
/// </summary>
/// <param name="Directory">Where they are.</param>
public sealed record CheckpointSettings(CheckpointDirectory Directory)
{
    /// <summary>The newest so many are kept, and the one of the best epoch.</summary>
    public int Keep { get; init; } = 3;

    /// <summary>Steps of the run between two checkpoints within epochs; null for none.</summary>
    public int? EverySteps { get; init; }

    /// <summary>What the program wants to find in the checkpoints again, by keys of its own.</summary>
    public IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();

    internal void Validate()
    {
        Setting.Require(Keep >= 1, "the number of checkpoints to keep", Keep, "at least 1");
        Setting.Require(EverySteps is null or >= 1, "the number of steps between checkpoints", EverySteps ?? 0, "at least 1");
    }
}
