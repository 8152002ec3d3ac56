namespace NinCudnn.Training;

/// <summary>What a run does about a step whose loss or gradients are not finite. Such a step changes nothing in any case.</summary>
public enum NonFiniteAction
{
    /// <summary>It ends with a <see cref="TrainingDivergedException"/>.</summary>
    Stop,

    /// <summary>It goes on, and counts the step; <see cref="Trainer.MaxSkippedInARow"/> of them in a row end it all the same.</summary>
    Skip,
}
