using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace NinCudnn.Training;

/// <summary>How the learning rate changes over a run, as a factor on the recipe's rate.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(ConstantSchedule), "constant")]
[JsonDerivedType(typeof(StepSchedule), "step")]
[JsonDerivedType(typeof(CosineSchedule), "cosine")]
[JsonDerivedType(typeof(OneCycleSchedule), "one_cycle")]
[JsonDerivedType(typeof(WarmUpSchedule), "warm_up")]
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

/// <summary>The rate drops by a factor at given times. The defaults drop it to a tenth at a half and at three quarters of the run.</summary>
/// <param name="At">Shares of the steps, between 0 and 1, ascending; null for the defaults.</param>
/// <param name="Decay">The factor.</param>
public sealed record StepSchedule(ImmutableArray<double>? At = null, double Decay = 0.1) : LearningRateSchedule
{
    private static readonly ImmutableArray<double> _usual = [0.5, 0.75];

    /// <inheritdoc/>
    public override double Factor(long step, long totalSteps)
    {
        double factor = 1;
        foreach (double share in At ?? _usual)
        {
            if (step >= share * totalSteps)
                factor *= Decay;
        }
        return factor;
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        Setting.Require(Decay is >= 0 and <= 1, "the step schedule's decay", Decay, "between 0 and 1");
        double last = 0;
        foreach (double share in At ?? _usual)
        {
            Setting.Require(share >= last && share <= 1, "the step schedule's time", share, "between 0 and 1, and not before the one before");
            last = share;
        }
    }
}

/// <summary>
/// From 1 down to <paramref name="End"/> along a half cosine wave. Loshchilov, Hutter, "SGDR", 2016, without restarts;
/// torch.optim.lr_scheduler.CosineAnnealingLR with T_max = steps − 1.
/// </summary>
/// <param name="End">The last factor, between 0 and 1.</param>
public sealed record CosineSchedule(double End = 0) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(long step, long totalSteps) =>
        End + (1 - End) / 2 * (1 + Math.Cos(Math.PI * Math.Clamp(step / Math.Max(totalSteps - 1.0, 1), 0, 1)));

    /// <inheritdoc/>
    public override void Validate() => Setting.Require(End is >= 0 and <= 1, "the cosine schedule's end", End, "between 0 and 1");
}

/// <summary>Another schedule behind a rate that rises in equal steps: (i + 1)/n of that schedule's first rate in step i of n.</summary>
/// <param name="After">The schedule for the rest of the run.</param>
/// <param name="Share">The share of the steps with a rising rate, at least 0 and below 1.</param>
public sealed record WarmUpSchedule(LearningRateSchedule After, double Share = 0.05) : LearningRateSchedule
{
    /// <inheritdoc/>
    public override double Factor(long step, long totalSteps)
    {
        long rising = (long)(Share * totalSteps);
        return step < rising ? (step + 1.0) / rising * After.Factor(0, totalSteps - rising) : After.Factor(step - rising, totalSteps - rising);
    }

    /// <inheritdoc/>
    public override void Validate()
    {
        Setting.Require(Share is >= 0 and < 1, "the warm-up's share of the steps", Share, "at least 0 and below 1");
        ArgumentNullException.ThrowIfNull(After);
        After.Validate();
    }
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
