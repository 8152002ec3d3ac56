namespace NinCudnn.Training;

/// <summary>More images wait for a prediction than a <see cref="BatchingPredictor"/> lets wait. Nothing was done; later there may be room.</summary>
public sealed class PredictionQueueFullException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="capacity">The images that may wait.</param>
    public PredictionQueueFullException(int capacity)
        : base($"{capacity} images wait already, and no more may")
    {
    }
}
