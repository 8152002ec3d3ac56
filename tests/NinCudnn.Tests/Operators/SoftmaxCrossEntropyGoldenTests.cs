using NinCudnn.Devices;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class SoftmaxCrossEntropyGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "softmax_cross_entropy", MemberType = typeof(GoldenSet))]
    public void SoftmaxCrossEntropy_Golden_MatchesPyTorch(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] shape = item.Shape("logits");
        int n = shape[0], classes = shape[1];
        float[] logits = item.Singles("logits");
        int[] labels = [.. item.Int64s("labels").Select(label => (int)label)];
        // The data set holds the batch backwards, so that labels are really looked up through the indices.
        int[] dataset = [.. labels.Reverse()], indices = [.. Enumerable.Range(0, n).Select(i => n - 1 - i)];

        using var fixture = new OperatorFixture();
        var loss = new SoftmaxCrossEntropy(fixture.Stream, n, classes);
        DeviceMemory sampleLoss = fixture.Output(n * sizeof(float)), sampleCorrect = fixture.Output(n);
        DeviceMemory dlogits = fixture.Output((long)n * classes * sizeof(float)), sums = fixture.Upload<double>([0, 0, 0]);
        loss.Run(
            fixture.Upload<float>(logits), fixture.Upload<int>(dataset), fixture.Upload<int>(indices),
            fixture.Upload<StepState>([new StepState(0, 0)]), sampleLoss, sampleCorrect, dlogits);
        loss.Accumulate(sampleLoss, sampleCorrect, sums);

        double[] totals = fixture.Download<double>(sums);
        item.Check("loss", [(float)(totals[0] / totals[2])]);
        item.Check("dlogits", fixture.Download<float>(dlogits));
        int correct = Enumerable.Range(0, n).Count(i => logits.AsSpan(i * classes, classes) is var row && row.IndexOf(Max(row)) == labels[i]);
        Assert.Equal([correct, n], totals[1..]);
    }

    private static float Max(ReadOnlySpan<float> values)
    {
        float max = float.NegativeInfinity;
        foreach (float value in values)
            max = Math.Max(max, value);
        return max;
    }
}
