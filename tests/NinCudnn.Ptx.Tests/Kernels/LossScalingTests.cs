using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class LossScalingTests
{
    internal static KernelCase Begin(uint blocks, uint blockSize, LossScalerState scaler) =>
        new KernelCase("loss_scaling", "loss_scaling_begin", blocks, blockSize)
            .Input("scaler", Elements.From(scaler)).Update("state", Elements.From(new StepState(0.1f, 7)));

    internal static KernelCase Check(uint blocks, uint blockSize, float[] gradient, int found = 0) =>
        new KernelCase("loss_scaling", "loss_scaling_check_f16", blocks, blockSize)
            .Input("gradient", Elements.From(DataType.Float16, gradient)).Update("scaler", Elements.From(new LossScalerState(8, 3, 2, found)))
            .Value((long)gradient.Length);

    internal static KernelCase End(uint blocks, uint blockSize, LossScalerState scaler, int growthInterval) =>
        new KernelCase("loss_scaling", "loss_scaling_end", blocks, blockSize)
            .Update("scaler", Elements.From(scaler)).Update("state", Elements.From(new StepState(0.1f, 7, scaler.Scale))).Value(growthInterval);

    [Theory]
    [InlineData(1, 32)]
    [InlineData(3, 64)]
    public void Begin_AnyLaunch_CopiesTheScale(uint blocks, uint blockSize)
    {
        Elements state = Begin(blocks, blockSize, new LossScalerState(1024, 1, 2, 0)).CheckSameBits()["state"];
        Assert.Equal(Elements.From(new StepState(0.1f, 7, 1024)).Bytes, state.Bytes);
    }

    [Theory]
    [InlineData(1, 32)]
    [InlineData(2, 64)]
    public void Check_Gradient_FindsInfinitiesAndNan(uint blocks, uint blockSize)
    {
        foreach (int count in (int[])[0, 1, 33, 300])
        {
            float[] good = TestData.Numbers(count, 1);
            Expect(good, 0, 0);
            Expect(good, 1, 1); // what was found stays
            if (count == 0)
                continue;
            foreach (float bad in (float[])[float.PositiveInfinity, float.NegativeInfinity, float.NaN])
            {
                foreach (int place in (int[])[0, count / 2, count - 1])
                {
                    float[] gradient = [.. good];
                    gradient[place] = bad;
                    Expect(gradient, 0, 1);
                }
            }
        }

        void Expect(float[] gradient, int before, int after)
        {
            Elements scaler = Check(blocks, blockSize, gradient, before).CheckSameBits()["scaler"];
            Assert.Equal(Elements.From(new LossScalerState(8, 3, 2, after)).Bytes, scaler.Bytes);
        }
    }

    [Theory]
    [InlineData(1024, 5, 0, 2000, 1024, 6, 1024)] // a good step
    [InlineData(1024, 1999, 0, 2000, 2048, 0, 1024)] // the last of many: the step at hand keeps its scale
    [InlineData(16777216, 1999, 0, 2000, 16777216, 0, 16777216)] // the largest scale
    [InlineData(1024, 5, 1, 2000, 512, 0, 0)] // a bad step
    [InlineData(2, 5, 1, 2000, 1, 0, 0)]
    [InlineData(1, 5, 1, 2000, 1, 0, 0)] // the smallest scale
    public void End_Step_ChangesTheScale(
        float scale, int goodSteps, int found, int growthInterval, float expectedScale, int expectedGoodSteps, float expectedStateScale)
    {
        IReadOnlyDictionary<string, Elements> results = End(2, 64, new LossScalerState(scale, goodSteps, 4, found), growthInterval).CheckSameBits();
        Assert.Equal(Elements.From(new LossScalerState(expectedScale, expectedGoodSteps, 4 + found, 0)).Bytes, results["scaler"].Bytes);
        Assert.Equal(Elements.From(new StepState(0.1f, 7, expectedStateScale)).Bytes, results["state"].Bytes);
    }
}
