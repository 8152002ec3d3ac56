using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>How long a run's loss has been that of a network whose class scores are all equal.</summary>
/// <param name="Steps">Steps that it has been there.</param>
/// <param name="StepInEpoch">The step of the epoch behind which it was last looked at.</param>
/// <param name="Sums">The epoch's sums there.</param>
public readonly record struct LossPlateau(long Steps, int StepInEpoch, LossSummary Sums);

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

    /// <summary>How long the loss has been there.</summary>
    public LossPlateau Plateau { get; set; }

    /// <summary>Begins an epoch.</summary>
    public void BeginEpoch() => Plateau = new LossPlateau(Plateau.Steps, 0, default);

    /// <summary>Takes the epoch's sums as they are behind a step.</summary>
    /// <returns>Whether the loss still is, or is not, where that of a dead network is; null if there was nothing new.</returns>
    public bool? Add(in LossSummary sums, int stepInEpoch)
    {
        LossPlateau before = Plateau;
        long samples = sums.Samples - before.Sums.Samples;
        int steps = stepInEpoch - before.StepInEpoch;
        double loss = (sums.LossSum - before.Sums.LossSum) / samples;
        Plateau = new LossPlateau(before.Steps, stepInEpoch, sums);
        if (steps == 0 || samples == 0)
            return null;
        bool isThere = classes > 1 && Math.Abs(loss - _loss) <= Tolerance * _loss; // the only class there is is always right
        Plateau = Plateau with { Steps = isThere ? before.Steps + steps : 0 };
        return isThere;
    }

    /// <summary>Whether it has been there for so long that the gradients should be looked at.</summary>
    public bool IsSuspicious => Plateau.Steps >= _steps;

    /// <summary>The network lives all the same.</summary>
    public void Acquit() => Plateau = Plateau with { Steps = 0 };
}
