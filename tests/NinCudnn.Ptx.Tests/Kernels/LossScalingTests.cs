using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class LossScalingTests
{
    public static TheoryData<DataType, uint, uint> TypesAndLaunches => TestData.TypesAndLaunches();

    internal static KernelCase Begin(uint blocks, uint blockSize, LossScalerState scaler) =>
        new KernelCase("loss_scaling", "loss_scaling_begin", blocks, blockSize)
            .Input("scaler", Elements.From(scaler)).Update("state", Elements.From(new StepState(0.1f, 7)));

    internal static KernelCase Check(DataType type, uint blocks, uint blockSize, float[] values, NonFinite found = NonFinite.None) =>
        new KernelCase("loss_scaling", $"loss_scaling_check_{Elements.Suffix(type)}", blocks, blockSize)
            .Input("values", Elements.From(type, values)).Update("scaler", Elements.From(new LossScalerState(8, 3, 2, found)))
            .Value((long)values.Length).Value((int)NonFinite.Gradient);

    internal static KernelCase End(uint blocks, uint blockSize, LossScalerState scaler, int growthInterval) =>
        new KernelCase("loss_scaling", "loss_scaling_end", blocks, blockSize)
            .Update("scaler", Elements.From(scaler)).Update("state", Elements.From(new StepState(0.1f, 7, scaler.Scale))).Value(growthInterval);

    [Theory]
    [InlineData(1, 32)]
    [InlineData(3, 64)]
    public void Begin_AnyLaunch_CopiesTheScale(uint blocks, uint blockSize)
    {
        Elements state = Begin(blocks, blockSize, new LossScalerState(1024, 1, 2, NonFinite.None)).CheckSameBits()["state"];
        Assert.Equal(Elements.From(new StepState(0.1f, 7, 1024)).Bytes, state.Bytes);
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void Check_Values_FindsInfinitiesAndNan(DataType type, uint blocks, uint blockSize)
    {
        foreach (int count in (int[])[0, 1, 33, 300])
        {
            float[] good = TestData.Numbers(count, 1);
            Expect(good, NonFinite.None, NonFinite.None);
            Expect(good, NonFinite.Gradient, NonFinite.Gradient); // what was found stays
            if (count == 0)
                continue;
            foreach (float bad in (float[])[float.PositiveInfinity, float.NegativeInfinity, float.NaN])
            {
                foreach (int place in (int[])[0, count / 2, count - 1])
                {
                    float[] values = [.. good];
                    values[place] = bad;
                    Expect(values, NonFinite.None, NonFinite.Gradient);
                    Expect(values, NonFinite.Loss, NonFinite.Gradient | NonFinite.Loss);
                }
            }
        }

        void Expect(float[] values, NonFinite before, NonFinite after)
        {
            Elements scaler = Check(type, blocks, blockSize, values, before).CheckSameBits()["scaler"];
            Assert.Equal(Elements.From(new LossScalerState(8, 3, 2, after)).Bytes, scaler.Bytes);
        }
    }

    [Theory]
    [InlineData(1024, 5, NonFinite.None, 2000, 1024, 6, 1024)] // a good step
    [InlineData(1024, 1999, NonFinite.None, 2000, 2048, 0, 1024)] // the last of many: the step at hand keeps its scale
    [InlineData(16777216, 1999, NonFinite.None, 2000, 16777216, 0, 16777216)] // the largest scale
    [InlineData(1024, 5, NonFinite.Gradient, 2000, 512, 0, 0)] // a bad step
    [InlineData(2, 5, NonFinite.Gradient, 2000, 1, 0, 0)]
    [InlineData(1, 5, NonFinite.Gradient, 2000, 1, 0, 0)] // the smallest scale
    [InlineData(1024, 5, NonFinite.Loss | NonFinite.Gradient, 2000, 512, 0, 0)]
    public void End_Step_ChangesTheScale(
        float scale, int goodSteps, NonFinite found, int growthInterval, float expectedScale, int expectedGoodSteps, float expectedStateScale)
    {
        bool isBad = found != NonFinite.None, isOverflow = found == NonFinite.Gradient && scale > 1;
        IReadOnlyDictionary<string, Elements> results = End(2, 64, new LossScalerState(scale, goodSteps, 4, found, 3), growthInterval).CheckSameBits();
        var expected = new LossScalerState(
            expectedScale, expectedGoodSteps, isBad ? 5 : 4, NonFinite.None, isBad ? 4 : 0, isOverflow ? NonFinite.None : found, isBad && !isOverflow ? 7 : 0);
        Assert.Equal(Elements.From(expected).Bytes, results["scaler"].Bytes);
        Assert.Equal(Elements.From(new StepState(0.1f, 7, expectedStateScale)).Bytes, results["state"].Bytes);
    }

    [Fact]
    public void End_AnotherBadStep_LeavesWhatTheFirstWas()
    {
        var before = new LossScalerState(1, 0, 1, NonFinite.Gradient, 0, NonFinite.Loss, 5_000_000_000);
        Elements scaler = End(1, 32, before, 2000).CheckSameBits()["scaler"];
        Assert.Equal(Elements.From(before with { SkippedSteps = 2, Found = NonFinite.None, SkippedInARow = 1 }).Bytes, scaler.Bytes);
    }

    [Theory]
    [InlineData(NonFinite.None)]
    [InlineData(NonFinite.Loss)]
    public void End_BehindAHalt_SkipsAndChangesNothing(NonFinite found)
    {
        var before = new LossScalerState(1024, 9, 1, found, 1, NonFinite.Loss, 5_000_000_000, Halts: 1);
        IReadOnlyDictionary<string, Elements> results = End(2, 64, before, growthInterval: 10).CheckSameBits();
        Assert.Equal(Elements.From(before with { Found = NonFinite.None }).Bytes, results["scaler"].Bytes);
        Assert.Equal(Elements.From(new StepState(0.1f, 7, 0)).Bytes, results["state"].Bytes);
    }

    [Fact]
    public void End_TheStepThatHalts_IsTakenDown()
    {
        Elements scaler = End(1, 32, new LossScalerState(1, 9, 0, NonFinite.Gradient, Halts: 1), growthInterval: 10).CheckSameBits()["scaler"];
        Assert.Equal(Elements.From(new LossScalerState(1, 0, 1, NonFinite.None, 1, NonFinite.Gradient, 7, Halts: 1)).Bytes, scaler.Bytes);
    }
}
