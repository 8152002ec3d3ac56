using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class RunningLossTests
{
    [Fact]
    public void EndRead_SumsOnTheDevice_AreReturned()
    {
        using var fixture = new OperatorFixture();
        using var loss = new RunningLoss(fixture.Stream);
        loss.Reset();
        Add(fixture, loss, [1, 2, 4], [1, 0, 1]);
        Add(fixture, loss, [8], [1]);
        loss.BeginRead();

        LossSummary summary = loss.EndRead();

        Assert.Equal(new LossSummary(15, 3, 4), summary);
        Assert.Equal((15.0 / 4, 0.75), (summary.Loss, summary.Accuracy));
        Assert.True(loss.IsRead);
    }

    [Fact]
    public void BeginRead_LaterWork_IsNotInTheCopy()
    {
        using var fixture = new OperatorFixture();
        using var loss = new RunningLoss(fixture.Stream);
        loss.Reset();
        Add(fixture, loss, [1], [1]);
        loss.BeginRead();
        Add(fixture, loss, [2], [0]);
        Assert.Equal(new LossSummary(1, 1, 1), loss.EndRead());

        loss.BeginRead();
        Assert.Equal(new LossSummary(3, 1, 2), loss.EndRead());
        loss.Reset();
        loss.BeginRead();
        Assert.Equal(new LossSummary(0, 0, 0), loss.EndRead());
    }

    [Fact]
    public void Dispose_Twice_IsSafe()
    {
        using var fixture = new OperatorFixture();
        var loss = new RunningLoss(fixture.Stream);
        loss.Reset();
        loss.BeginRead(); // on its way
        loss.Dispose();
        loss.Dispose();
        Assert.Throws<ObjectDisposedException>(loss.Reset);
        Assert.Throws<ObjectDisposedException>(loss.BeginRead);
    }

    private static void Add(OperatorFixture fixture, RunningLoss loss, float[] losses, byte[] correct) =>
        new SoftmaxCrossEntropy(fixture.Stream, losses.Length, 2).Accumulate(fixture.Upload<float>(losses), fixture.Upload<byte>(correct), loss.Sums);
}
