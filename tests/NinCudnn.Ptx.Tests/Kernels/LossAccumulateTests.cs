using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class LossAccumulateTests
{
    internal static KernelCase Case(uint blocks, uint blockSize, float[] losses, bool onlyFinite = false) =>
        new KernelCase("loss", "loss_accumulate", blocks, blockSize)
            .Input("sample_loss", Elements.From(losses))
            .Input("sample_correct", Elements.From([.. losses.Select((_, i) => (byte)(i % 3 == 0 ? 1 : 0))]))
            .Update("sums", Elements.From(1.25, 7.0, 100.0))
            .Value(losses.Length).Value(onlyFinite ? 1 : 0);

    [Theory]
    [InlineData(1, 32)]
    [InlineData(2, 100)]
    [InlineData(40, 256)]
    public void LossAccumulate_AnyCount_EqualsHost(uint blocks, uint blockSize)
    {
        foreach (int count in (int[])[0, 1, 31, 32, 33, 1000])
        {
            Elements sums = Case(blocks, blockSize, TestData.Numbers(count, count + 1)).CheckSameBits()["sums"];
            Assert.Equal(7.0 + (count + 2) / 3, sums.Number(1));
            Assert.Equal(100.0 + count, sums.Number(2));
        }
    }

    [Fact]
    public void LossAccumulate_NanLoss_MakesOnlyTheLossNan()
    {
        float[] losses = TestData.Numbers(50, 1);
        losses[40] = float.NaN;
        Elements sums = Case(1, 32, losses).CheckSameBits()["sums"];
        Assert.True(double.IsNaN(sums.Number(0)));
        Assert.Equal(150, sums.Number(2));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(1)]
    public void LossAccumulate_OnlyFinite_LeavesOthersOut(float loss)
    {
        float[] losses = [.. Enumerable.Repeat(1f, 50)];
        losses[40] = loss;
        Elements sums = Case(1, 32, losses, onlyFinite: true).CheckSameBits()["sums"];
        Assert.Equal(float.IsFinite(loss) ? (51.25, 24, 150) : (1.25, 7, 100), (sums.Number(0), sums.Number(1), sums.Number(2)));
    }
}
