using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public class EpochOrderTests
{
    // From a Python program that follows the type's remarks.
    [Theory]
    [InlineData(0UL, 0, new[] { 1, 7, 6, 2, 5, 9, 0, 4, 8, 3 })]
    [InlineData(0UL, 1, new[] { 4, 0, 7, 5, 3, 6, 1, 2, 9, 8 })]
    [InlineData(42UL, 0, new[] { 2, 4, 0, 1, 6, 9, 3, 5, 8, 7 })]
    [InlineData(ulong.MaxValue, -1, new[] { 5, 3, 1, 6, 2, 4, 0 })]
    public void Fill_SmallSet_GivesDocumentedOrder(ulong seed, int epoch, int[] expected)
    {
        var order = new int[expected.Length];
        new EpochOrder(seed, epoch).Fill(order);

        Assert.Equal(expected, order);
    }

    [Fact]
    public void Fill_WholeTrainingSet_IsTheDocumentedPermutation()
    {
        var order = new int[60000];
        new EpochOrder(42, 3).Fill(order);

        Assert.Equal([32358, 53403, 28732, 15332, 27890, 45135, 23559, 56959], order[..8]);
        Assert.Equal([57608, 21949, 58690], order[^3..]);
        Assert.Equal(Enumerable.Range(0, order.Length), order.Order());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Fill_TinySet_IsAPermutation(int count)
    {
        var order = new int[count];
        new EpochOrder(5, 0).Fill(order);

        Assert.Equal(Enumerable.Range(0, count), order.Order());
    }

    [Fact]
    public void Fill_ManyEpochs_PutsEverySampleEverywhere()
    {
        // 10,000 epochs of 4 samples: each of the 16 counts is binomial with mean 2500 and standard deviation 43; five deviations allowed.
        var counts = new int[4, 4];
        var order = new int[4];
        for (var epoch = 0; epoch < 10000; epoch++)
        {
            new EpochOrder(1, epoch).Fill(order);
            for (var position = 0; position < 4; position++)
                counts[position, order[position]]++;
        }

        Assert.All(counts.Cast<int>(), count => Assert.InRange(count, 2500 - 217, 2500 + 217));
    }

    [Fact]
    public void Fill_Repeated_AllocatesNothing()
    {
        var order = new int[1000];
        new EpochOrder(1, 0).Fill(order);

        var before = GC.GetAllocatedBytesForCurrentThread();
        new EpochOrder(1, 1).Fill(order);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }
}
