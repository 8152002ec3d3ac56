using NinCudnn.Networks;
using NinCudnn.Numerics;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class ArenaPlannerTests
{
    [Fact]
    public void Place_OneAfterTheOther_ShareTheirBytes()
    {
        PlanTensor[] tensors = [Tensor(1000, 0, 1), Tensor(500, 2, 3), Tensor(700, 4, 5)];
        Assert.Equal(1000, ArenaPlanner.Place(tensors));
        Assert.All(tensors, tensor => Assert.Equal(0, tensor.Offset));
    }

    [Fact]
    public void Place_AtTheSameTime_LieSideBySide()
    {
        PlanTensor[] tensors = [Tensor(256, 0, 3), Tensor(512, 1, 2), Tensor(768, 2, 4)];
        Assert.Equal(256 + 512 + 768, ArenaPlanner.Place(tensors));
    }

    [Fact]
    public void Place_SharedStep_CountsAsOverlap()
    {
        // The second is written in the step that reads the first.
        PlanTensor[] tensors = [Tensor(256, 0, 1), Tensor(256, 1, 2)];
        Assert.Equal(512, ArenaPlanner.Place(tensors));
    }

    [Fact]
    public void Place_AChain_NeedsTwoAtATime()
    {
        // As in a forward pass: each tensor is read once, by the step that writes the next.
        PlanTensor[] tensors = [.. Enumerable.Range(0, 20).Select(i => Tensor(1024, i, i + 1))];
        Assert.Equal(2 * 1024, ArenaPlanner.Place(tensors));
    }

    [Fact]
    public void Place_AGap_IsFilled()
    {
        // The large ones leave a hole of 512 bytes in the steps 3 and 4.
        PlanTensor[] tensors = [Tensor(2048, 0, 9), Tensor(512, 0, 2), Tensor(1024, 0, 9), Tensor(512, 3, 4)];
        Assert.Equal(2048 + 1024 + 512, ArenaPlanner.Place(tensors));
    }

    [Fact]
    public void Place_UnusedAndEmptyTensors_PushNobodyAway()
    {
        PlanTensor unused = new("unused", 50), empty = Tensor(0, 0, 9), used = Tensor(40, 0, 9);
        Assert.Equal(50, ArenaPlanner.Place([unused, empty, used]));
        Assert.Equal(0, used.Offset);
        Assert.Equal(0, ArenaPlanner.Place([]));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Place_RandomLifetimes_NeverOverlapInTimeAndSpace(int seed)
    {
        var random = new SplitMix64((ulong)seed);
        for (int round = 0; round < 40; round++)
        {
            int steps = 1 + Next(30);
            PlanTensor[] tensors = [.. Enumerable.Range(0, 1 + Next(60)).Select(_ => Random(steps))];
            long total = ArenaPlanner.Place(tensors);

            string what = $"seed {seed}, round {round}";
            for (int i = 0; i < tensors.Length; i++)
            {
                Assert.Equal(0, tensors[i].Offset % ArenaPlanner.Alignment);
                Assert.InRange(tensors[i].Offset, 0, total - tensors[i].Bytes);
                for (int j = 0; j < i; j++)
                    Assert.False(OverlapInTime(tensors[i], tensors[j]) && OverlapInSpace(tensors[i], tensors[j]), $"{what}: tensors {i} and {j} overlap");
            }
            long inOneStep = Enumerable.Range(0, steps).Max(step => tensors.Where(t => t.FirstStep <= step && step <= t.LastStep).Sum(t => t.Bytes));
            Assert.InRange(total, inOneStep, tensors.Sum(tensor => Aligned(tensor.Bytes)));
        }

        int Next(int bound) => (int)(random.NextUInt64() % (ulong)bound);

        PlanTensor Random(int steps)
        {
            int first = Next(steps);
            return Tensor(1 + Next(10_000), first, first + Next(steps - first));
        }
    }

    // In its own words, not the planner's.
    private static bool OverlapInTime(PlanTensor a, PlanTensor b) => Math.Max(a.FirstStep, b.FirstStep) <= Math.Min(a.LastStep, b.LastStep);

    private static bool OverlapInSpace(PlanTensor a, PlanTensor b) => Math.Max(a.Offset, b.Offset) < Math.Min(a.Offset + a.Bytes, b.Offset + b.Bytes);

    private static long Aligned(long bytes) => (bytes + ArenaPlanner.Alignment - 1) / ArenaPlanner.Alignment * ArenaPlanner.Alignment;

    private static PlanTensor Tensor(long bytes, int firstStep, int lastStep) => new($"{bytes}", bytes) { FirstStep = firstStep, LastStep = lastStep };
}
