using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class StepInputTests
{
    [Fact]
    public void Send_ManyInARow_KeepsEachStepsDataApart()
    {
        // Nothing waits between the sends: each step's copy must read what was sent for it, and no later one.
        const int Steps = 50, Batch = 7;
        using var fixture = new OperatorFixture();
        using var input = new StepInput(fixture.Stream, Batch);
        DeviceMemory states = fixture.Output(Steps * 16), indices = fixture.Output(Steps * Batch * sizeof(int));
        int[] sent = new int[Batch];
        for (int step = 0; step < Steps; step++)
        {
            for (int i = 0; i < Batch; i++)
                sent[i] = step * 100 + i;
            input.Send(new StepState(step, step * (1L << 33), 2 * step), sent);
            fixture.Stream.Copy(input.State, states.Slice(step * 16, 16));
            fixture.Stream.Copy(input.Indices, indices.Slice(step * Batch * sizeof(int), Batch * sizeof(int)));
            sent.AsSpan().Clear(); // the caller's memory is free again
        }

        Assert.Equal(Enumerable.Range(0, Steps).Select(step => new StepState(step, step * (1L << 33), 2 * step)), fixture.Download<StepState>(states));
        Assert.Equal(Enumerable.Range(0, Steps * Batch).Select(i => i / Batch * 100 + i % Batch), fixture.Download<int>(indices));
    }

    [Fact]
    public void Send_FewerIndices_LeavesTheRest()
    {
        using var fixture = new OperatorFixture();
        using var input = new StepInput(fixture.Stream, 3);
        input.Send(new StepState(1, 1), [10, 11, 12]);
        input.Send(new StepState(1, 2), [20]);
        input.Send(new StepState(1, 3), []);
        Assert.Equal([20, 11, 12], fixture.Download<int>(input.Indices));
        Assert.Equal([new StepState(1, 3)], fixture.Download<StepState>(input.State));
    }

    [Fact]
    public void Send_TooManyIndices_Throws()
    {
        using var fixture = new OperatorFixture();
        using var input = new StepInput(fixture.Stream, 3);
        var error = Assert.Throws<ArgumentException>(() => input.Send(default, [1, 2, 3, 4]));
        Assert.Equal("4 indices, room for 3", error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Create_NoRoom_Throws(int maxBatch)
    {
        using var fixture = new OperatorFixture();
        Assert.Throws<ArgumentOutOfRangeException>(() => new StepInput(fixture.Stream, maxBatch));
    }

    [Fact]
    public void Dispose_Twice_IsSafe()
    {
        using var fixture = new OperatorFixture();
        var input = new StepInput(fixture.Stream, 3);
        input.Send(default, [1]);
        input.Dispose();
        input.Dispose();
        Assert.Throws<ObjectDisposedException>(() => input.Send(default, [1]));
    }
}
