using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>
/// Suspects a network of having died where the loss of every sample has been ln(classes) for many steps, as it is if all class scores are equal.
/// A network that has not learnt yet comes near that value, but not as near, sample by sample.
/// </summary>
/// <param name="classes">The number of classes.</param>
/// <param name="momentum">The optimiser's momentum, which still moves the parameters when there are no more gradients.</param>
internal sealed class DeathWatch(int classes, double momentum)
{
    internal const int MinSteps = 50;
    private const double Tolerance = 1e-6; // relative; the kernel's logarithm is right to 2e-7
    private const double MomentumLives = 5; // by then the movement is below e⁻⁵ of what it was

    private readonly double _loss = Math.Log(classes);
    private readonly long _steps = Math.Max(MinSteps, (long)Math.Round(MomentumLives / (1 - momentum)));
    private LossSummary _sums;
    private int _stepInEpoch;
    private long _count;

    /// <summary>Steps that the loss has been there.</summary>
    public long Count => _count;

    /// <summary>Begins in an epoch.</summary>
    /// <param name="sums">Its sums so far.</param>
    /// <param name="stepInEpoch">Its steps so far.</param>
    public void BeginEpoch(in LossSummary sums = default, int stepInEpoch = 0) => (_sums, _stepInEpoch) = (sums, stepInEpoch);

    /// <summary>Takes the epoch's sums as they are behind a step.</summary>
    /// <returns>Whether the loss still is, or is not, where that of a dead network is; null if there was nothing new.</returns>
    public bool? Add(in LossSummary sums, int stepInEpoch)
    {
        long samples = sums.Samples - _sums.Samples;
        int steps = stepInEpoch - _stepInEpoch;
        double loss = (sums.LossSum - _sums.LossSum) / samples;
        (_sums, _stepInEpoch) = (sums, stepInEpoch);
        if (steps == 0 || samples == 0)
            return null;
        bool isThere = classes > 1 && Math.Abs(loss - _loss) <= Tolerance * _loss; // the only class there is is always right
        _count = isThere ? _count + steps : 0;
        return isThere;
    }

    /// <summary>Whether it has been there for so long that the gradients should be looked at.</summary>
    public bool IsSuspicious => _count >= _steps;

    /// <summary>The network lives all the same.</summary>
    public void Acquit() => _count = 0;
}
