using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class BatchPrefetchTests
{
    private const int Slots = 3;
    private static readonly TimeSpan _hang = TimeSpan.FromMinutes(1);

    [Fact]
    public void Take_WholePasses_GivesEveryBatchInItsSlot()
    {
        int[] contents = new int[Slots];
        using var prefetch = new BatchPrefetch(Slots, (slot, batch) => contents[slot] = batch);
        for (int pass = 0; pass < 3; pass++)
        {
            prefetch.Halt();
            prefetch.Start(10);
            for (int batch = 0; batch < 10; batch++)
            {
                int slot = prefetch.Take(batch);
                Assert.Equal((batch % Slots, batch), (slot, contents[slot]));
                prefetch.Release();
            }
        }
    }

    [Fact]
    public void Fill_SlotsNotReleased_AreNotFilledAgain()
    {
        int filled = 0;
        using var ahead = new SemaphoreSlim(0);
        using var prefetch = new BatchPrefetch(Slots, (_, _) =>
        {
            filled++;
            ahead.Release();
        });
        prefetch.Halt();
        prefetch.Start(100);
        for (int taken = 0; taken < 20; taken++)
        {
            for (int i = taken == 0 ? Slots : 1; i > 0; i--)
                Assert.True(ahead.Wait(_hang));
            Assert.Equal(taken + Slots, Volatile.Read(ref filled)); // as far ahead as there are slots, and no further
            prefetch.Take(taken);
            Assert.False(ahead.Wait(1)); // taken, but not released
            prefetch.Release();
        }
    }

    [Fact]
    public void Take_FillingFailed_ThrowsItsExceptionBehindWhatWasFilled()
    {
        using var prefetch = new BatchPrefetch(Slots, (_, batch) => Fail(batch));
        for (int pass = 0; pass < 2; pass++) // a new pass begins anew
        {
            prefetch.Halt();
            prefetch.Start(5);
            for (int batch = 0; batch < 2; batch++)
            {
                prefetch.Take(batch);
                prefetch.Release();
            }
            for (int again = 0; again < 2; again++)
            {
                var error = Assert.Throws<InvalidDataException>(() => prefetch.Take(2));
                Assert.Equal("batch 2 can't be read", error.Message);
                Assert.Contains(nameof(Fail), error.StackTrace, StringComparison.Ordinal); // where it happened
            }
        }

        static void Fail(int batch)
        {
            if (batch == 2)
                throw new InvalidDataException($"batch {batch} can't be read");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void Take_AnotherThanTheNext_IsRefused(int batch)
    {
        using var prefetch = new BatchPrefetch(Slots, (_, _) => { });
        prefetch.Halt();
        prefetch.Start(5);
        Assert.Throws<InvalidOperationException>(() => prefetch.Take(batch));
    }

    [Fact]
    public void Take_BehindTheLast_IsRefused()
    {
        using var prefetch = new BatchPrefetch(Slots, (_, _) => { });
        Assert.Throws<InvalidOperationException>(() => prefetch.Take(0));
        prefetch.Halt();
        prefetch.Start(1);
        prefetch.Take(0);
        Assert.Throws<InvalidOperationException>(() => prefetch.Take(1));
    }

    [Fact]
    public void Halt_WhileFilling_WaitsForItAndFillsNoMore()
    {
        using var begun = new SemaphoreSlim(0);
        using var goOn = new SemaphoreSlim(0);
        int filled = 0;
        using var prefetch = new BatchPrefetch(Slots, (_, _) =>
        {
            begun.Release();
            Assert.True(goOn.Wait(_hang));
            Volatile.Write(ref filled, filled + 1);
        });
        prefetch.Halt();
        prefetch.Start(5);
        Assert.True(begun.Wait(_hang));
        var halt = new Thread(prefetch.Halt);
        halt.Start();
        Assert.False(halt.Join(20));

        goOn.Release();

        Assert.True(halt.Join(_hang));
        Assert.Equal(1, Volatile.Read(ref filled));
        Assert.False(begun.Wait(20));
    }

    [Fact]
    public void Dispose_SlotsFilledOrWaitedFor_EndsTheThread()
    {
        Thread? thread = null;
        var prefetch = new BatchPrefetch(Slots, (_, _) => thread = Thread.CurrentThread);
        prefetch.Halt();
        prefetch.Start(100);
        prefetch.Take(0);

        prefetch.Dispose();
        prefetch.Dispose();

        Assert.False(thread!.IsAlive);
    }

    [Fact]
    public void Passes_AfterTheFirst_AllocateNothing()
    {
        const int Batches = 200;
        long[] bytes = new long[Batches]; // of the thread that fills
        using var prefetch = new BatchPrefetch(Slots, (_, batch) => bytes[batch] = GC.GetAllocatedBytesForCurrentThread());
        Pass();
        long filling = bytes[^1], taking = GC.GetAllocatedBytesForCurrentThread();

        Pass();

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - taking);
        Assert.Equal(0, bytes[^1] - filling);

        void Pass()
        {
            prefetch.Halt();
            prefetch.Start(Batches);
            for (int batch = 0; batch < Batches; batch++)
            {
                prefetch.Take(batch);
                prefetch.Release();
            }
        }
    }
}
