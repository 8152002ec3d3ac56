namespace NinCudnn.Training;

/// <summary>How the learning rate changes over a run, as a factor on the recipe's rate.</summary>
public abstract record LearningRateSchedule
{
    /// <summary>The factor in a step.</summary>
    /// <param name="step">The step, from 0.</param>
    /// <param name="totalSteps">Steps in the whole run.</param>
    public abstract double Factor(long step, long totalSteps);

    /// <summary>Refuses settings that make no schedule.</summary>
    /// <exception cref="ArgumentException">A setting is out of range; the message names it.</exception>
    public virtual void Validate()
    {
    }
}

/// <summary>The same rate throughout.</summary>
public sealed record ConstantSchedule : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(long step, long totalSteps) => 1;
}

/// <summary>
/// One cycle: from 1/<paramref name="StartDivisor"/> up to 1 during the first <paramref name="WarmUpShare"/> of the steps,
/// then down to 1/(<paramref name="StartDivisor"/>·<paramref name="EndDivisor"/>), both along a half cosine wave.
/// Smith, Topin, "Super-Convergence", 2018; the defaults are those of torch.optim.lr_scheduler.OneCycleLR.
/// </summary>
/// <param name="WarmUpShare">Share of the steps with a rising rate, between 0 and 1.</param>
/// <param name="StartDivisor">Peak rate over first rate.</param>
/// <param name="EndDivisor">First rate over last rate.</param>
public sealed record OneCycleSchedule(double WarmUpShare = 0.3, double StartDivisor = 25, double EndDivisor = 1e4) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(long step, long totalSteps)
    {
        double start = 1 / StartDivisor, end = start / EndDivisor;
        double lastStep = Math.Max(totalSteps - 1, 1), peakStep = WarmUpShare * totalSteps - 1;
        // With the peak on step 0 there is nothing to rise along.
        return step <= peakStep && peakStep > 0
            ? Anneal(start, 1, step / peakStep)
            : Anneal(1, end, (step - peakStep) / (lastStep - peakStep));
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        Setting.Require(WarmUpShare is >= 0 and <= 1, "the one-cycle schedule's share of rising steps", WarmUpShare, "between 0 and 1");
        Setting.Require(StartDivisor >= 1 && double.IsFinite(StartDivisor), "the one-cycle schedule's start divisor", StartDivisor, "a finite number of at least 1");
        Setting.Require(EndDivisor >= 1 && double.IsFinite(EndDivisor), "the one-cycle schedule's end divisor", EndDivisor, "a finite number of at least 1");
    }

    private static double Anneal(double from, double to, double share) =>
        to + (from - to) / 2 * (1 + Math.Cos(Math.PI * Math.Clamp(share, 0, 1)));
}
