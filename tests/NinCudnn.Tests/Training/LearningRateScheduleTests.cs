using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class LearningRateScheduleTests
{
    // torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1, total_steps=10, three_phase=False), by its documented formula:
    // the phases end at pct_start·total_steps − 1 and total_steps − 1; between a and b a share s of the way is
    // b + (a − b)/2·(1 + cos(π·s)), computed with 30 digits.
    [Theory]
    [InlineData(10, 0, 0.04)]
    [InlineData(10, 1, 0.52)]
    [InlineData(10, 2, 1.0)]
    [InlineData(10, 3, 0.9504846320)]
    [InlineData(10, 5, 0.6112620219)]
    [InlineData(10, 8, 0.0495193680)]
    [InlineData(10, 9, 4e-6)]
    public void OneCycle_Defaults_AreTorchs(long totalSteps, long step, double expected) =>
        Assert.Equal(expected, new OneCycleSchedule().Factor(step, totalSteps), tolerance: 1e-9);

    [Theory]
    [InlineData(0, 1.0)]
    [InlineData(49, 1.0)]
    [InlineData(50, 0.1)]
    [InlineData(74, 0.1)]
    [InlineData(75, 0.01)]
    [InlineData(99, 0.01)]
    public void Step_Defaults_DropAtAHalfAndThreeQuarters(long step, double expected) =>
        Assert.Equal(expected, new StepSchedule().Factor(step, 100), tolerance: 1e-15);

    [Fact]
    public void Step_OwnTimes_AreUsed() =>
        Assert.Equal([1, 0.5, 0.5, 0.25], Enumerable.Range(0, 4).Select(step => new StepSchedule([0.25, 0.75], 0.5).Factor(step, 4)));

    // torch.optim.lr_scheduler.CosineAnnealingLR(T_max=4, eta_min=0.1) at rate 1, by its documented formula.
    [Theory]
    [InlineData(0, 1.0)]
    [InlineData(1, 0.8681980515)]
    [InlineData(2, 0.55)]
    [InlineData(4, 0.1)]
    public void Cosine_IsTorchs(long step, double expected) => Assert.Equal(expected, new CosineSchedule(0.1).Factor(step, 5), tolerance: 1e-9);

    [Fact]
    public void Cosine_OneStep_HasTheWholeRate() => Assert.Equal(1, new CosineSchedule().Factor(0, 1));

    [Fact]
    public void WarmUp_RisesThenFollowsTheOther()
    {
        var schedule = new WarmUpSchedule(new StepSchedule([0.5], 0.1), Share: 0.4);
        Assert.Equal([0.25, 0.5, 0.75, 1, 1, 1, 1, 0.1, 0.1, 0.1], Enumerable.Range(0, 10).Select(step => schedule.Factor(step, 10)));
        Assert.Equal(0.04, new WarmUpSchedule(new OneCycleSchedule(), 0.1).Factor(0, 10), tolerance: 1e-12); // to the other's first rate, not to 1
        Assert.Equal(1, new WarmUpSchedule(new ConstantSchedule(), 0).Factor(0, 10));
    }

    public static TheoryData<LearningRateSchedule> Unusable =>
        [new StepSchedule([0.5, 0.4]), new StepSchedule([1.5]), new StepSchedule(Decay: 2), new CosineSchedule(-1), new WarmUpSchedule(new ConstantSchedule(), 1), new WarmUpSchedule(new CosineSchedule(2))];

    [Theory]
    [MemberData(nameof(Unusable))]
    public void Validate_Unusable_IsRefused(LearningRateSchedule schedule) => Assert.Throws<ArgumentException>(schedule.Validate);

    // max_lr=1, total_steps=8, pct_start=0.25, div_factor=10, final_div_factor=100.
    [Theory]
    [InlineData(0, 0.1)]
    [InlineData(1, 1.0)]
    [InlineData(4, 0.5005)]
    [InlineData(7, 0.001)]
    public void OneCycle_OtherSettings_AreTorchs(long step, double expected) =>
        Assert.Equal(expected, new OneCycleSchedule(0.25, 10, 100).Factor(step, 8), tolerance: 1e-12);

    [Theory]
    [InlineData(0.3, 1)]
    [InlineData(0.3, 2)]
    [InlineData(0.3, 3)]
    [InlineData(0.1, 10)] // the peak falls on step 0
    [InlineData(0.0, 7)]
    [InlineData(1.0, 7)]
    [InlineData(1.0, 1)]
    [InlineData(0.5, 2)]
    [InlineData(0.3, 4690)]
    public void OneCycle_AnyLength_RisesToOneAndFalls(double warmUpShare, long totalSteps)
    {
        var schedule = new OneCycleSchedule(warmUpShare);
        double[] factors = [.. Enumerable.Range(0, (int)totalSteps).Select(step => schedule.Factor(step, totalSteps))];

        Assert.All(factors, factor => Assert.InRange(factor, 1 / 25.0 / 1e4, 1));
        int peak = Array.IndexOf(factors, factors.Max());
        for (int i = 1; i < factors.Length; i++)
            Assert.True(i <= peak ? factors[i] > factors[i - 1] : factors[i] < factors[i - 1], $"step {i}");
    }

    [Fact]
    public void Constant_AnyStep_IsOne()
    {
        Assert.Equal(1, new ConstantSchedule().Factor(0, 1));
        Assert.Equal(1, new ConstantSchedule().Factor(4689, 4690));
    }
}
