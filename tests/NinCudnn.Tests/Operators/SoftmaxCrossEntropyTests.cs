using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class SoftmaxCrossEntropyTests
{
    // native/kernels/loss.cu states 2⁻²⁰ for a probability. A loss adds the logarithm's 2⁻²² and that of a sum whose relative
    // error is the exponentials' 2⁻²² + |x|·2⁻²³ with |x| ≤ 8 here: below 2⁻¹⁹ in all.
    private static readonly Tolerance _probability = Tolerance.Absolute(Math.Pow(2, -20), "stated by the kernel for a probability");
    private static readonly Tolerance _loss = Tolerance.Of(Math.Pow(2, -19), Math.Pow(2, -22), "the kernel's exponentials and logarithm, and float32");

    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(7, 3, 0)]
    [InlineData(5, 33, 0)] // more classes than a warp has lanes
    [InlineData(130, 10, 0)]
    [InlineData(1, 1, 0.1)]
    [InlineData(5, 33, 0.1)]
    [InlineData(130, 10, 0.75)]
    public void Run_RandomLogits_EqualsTheFormula(int n, int classes, double labelSmoothing)
    {
        using var fixture = new OperatorFixture();
        float[] logits = TestNumbers.Uniform((long)n * classes, -4, 4, 1);
        int[] labels = [.. TestNumbers.Bytes(n + 5, 2).Select(value => value % classes)], indices = [.. Enumerable.Range(0, n).Select(i => i * 3 % (n + 5))];
        const float LossScale = 8;
        var loss = new SoftmaxCrossEntropy(fixture.Stream, n, classes, labelSmoothing: labelSmoothing);
        LossMemory memory = Run(fixture, loss, logits, labels, indices, classes, LossScale);

        var expectedLoss = new float[n];
        var expectedGradient = new float[logits.Length];
        var expectedCorrect = new byte[n];
        for (int i = 0; i < n; i++)
        {
            double[] row = [.. logits.Skip(i * classes).Take(classes)];
            double sum = row.Sum(Math.Exp);
            int label = labels[indices[i]];
            double[] target = [.. row.Select((_, c) => (c == label ? 1 - labelSmoothing : 0) + labelSmoothing / classes)];
            expectedLoss[i] = (float)-row.Zip(target).Sum(pair => pair.Second * Math.Log(Math.Exp(pair.First) / sum));
            expectedCorrect[i] = (byte)(Array.IndexOf(row, row.Max()) == label ? 1 : 0);
            for (int c = 0; c < classes; c++)
                expectedGradient[i * classes + c] = (float)((Math.Exp(row[c]) / sum - target[c]) * LossScale / n);
        }
        Comparison.Check<float>(memory.Loss, expectedLoss, [n], _loss, "loss");
        Comparison.Check<float>(
            memory.Gradient, expectedGradient, [n, classes],
            Tolerance.Of(LossScale / n * Math.Pow(2, -20), Math.Pow(2, -22), "a probability's error times the scale, and float32"), "dz");
        Assert.Equal(expectedCorrect, memory.Correct);
    }

    [Theory]
    [InlineData(10)] // the number of classes
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(int.MinValue)]
    public void Run_LabelOutsideTheClasses_GivesNanForThatSampleOnly(int label)
    {
        using var fixture = new OperatorFixture();
        var loss = new SoftmaxCrossEntropy(fixture.Stream, 3, 10);
        LossMemory memory = Run(fixture, loss, TestNumbers.Uniform(30, -1, 1, 3), [0, label, 9], [0, 1, 2], 10);
        CheckOnlySecondIsNan(memory);
    }

    [Theory]
    [InlineData(3)] // the number of labels
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void Run_IndexOutsideTheLabels_GivesNanForThatSampleOnly(int index)
    {
        using var fixture = new OperatorFixture();
        var loss = new SoftmaxCrossEntropy(fixture.Stream, 3, 10);
        LossMemory memory = Run(fixture, loss, TestNumbers.Uniform(30, -1, 1, 3), [4, 5, 6], [0, index, 2], 10);
        CheckOnlySecondIsNan(memory);
    }

    [Fact]
    public void Run_WithoutGradient_WritesNone()
    {
        using var fixture = new OperatorFixture();
        var loss = new SoftmaxCrossEntropy(fixture.Stream, 2, 3);
        DeviceMemory logits = fixture.Upload<float>([0, 1, 2, 3, 4, 5]), sampleLoss = fixture.Output(2 * sizeof(float)), correct = fixture.Output(2);
        loss.Run(
            logits, fixture.Upload<int>([2, 0]), fixture.Upload<int>([0, 1]), fixture.Upload<StepState>([default]), sampleLoss, correct, default);

        Assert.Equal([1, 0], fixture.Download<byte>(correct));
        Assert.All(fixture.Download<float>(sampleLoss), value => Assert.True(value > 0));
    }

    [Fact]
    public void Run_EqualLogits_CountsTheFirstAsTheAnswer()
    {
        using var fixture = new OperatorFixture();
        var loss = new SoftmaxCrossEntropy(fixture.Stream, 2, 4);
        LossMemory memory = Run(fixture, loss, new float[8], [0, 3], [0, 1], 4);

        Assert.Equal([1, 0], memory.Correct);
        Comparison.Check<float>(memory.Loss, [(float)Math.Log(4), (float)Math.Log(4)], [2], _loss, "loss of equal logits");
    }

    [Fact]
    public void Accumulate_SeveralBatches_AddsLossCorrectAndCount()
    {
        using var fixture = new OperatorFixture();
        var loss = new SoftmaxCrossEntropy(fixture.Stream, 70, 3); // more samples than a warp has lanes
        float[] losses = TestNumbers.Integers(70, 100, 1);
        byte[] correct = [.. TestNumbers.Bytes(70, 2).Select(value => (byte)(value % 2))];
        DeviceMemory sampleLoss = fixture.Upload<float>(losses), sampleCorrect = fixture.Upload<byte>(correct), sums = fixture.Upload<double>([0.5, 2, 3]);

        loss.Accumulate(sampleLoss, sampleCorrect, sums);
        loss.Accumulate(sampleLoss, sampleCorrect, sums);

        Assert.Equal([0.5 + 2 * losses.Sum(value => (double)value), 2 + 2 * correct.Count(value => value == 1), 3 + 2 * 70], fixture.Download<double>(sums));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(6, 10)]
    [InlineData(3, 77)]
    public void Probabilities_RandomLogits_EqualTheFormulaAndSumToOne(int n, int classes)
    {
        using var fixture = new OperatorFixture();
        float[] logits = TestNumbers.Uniform((long)n * classes, -4, 4, 5);
        DeviceMemory probabilities = fixture.Output((long)n * classes * sizeof(float));
        new SoftmaxCrossEntropy(fixture.Stream, n, classes).Probabilities(fixture.Upload<float>(logits), probabilities);

        float[] actual = fixture.Download<float>(probabilities), expected = new float[logits.Length];
        for (int i = 0; i < n; i++)
        {
            double sum = logits.Skip(i * classes).Take(classes).Sum(value => Math.Exp(value));
            for (int c = 0; c < classes; c++)
                expected[i * classes + c] = (float)(Math.Exp(logits[i * classes + c]) / sum);
            // The exponentials' errors cancel in the sum: what is left is each quotient's rounding and that of the divisor's sum.
            Assert.Equal(1, actual.Skip(i * classes).Take(classes).Sum(value => (double)value), tolerance: Math.Pow(2, -21));
        }
        Comparison.Check<float>(actual, expected, [n, classes], _probability, "probabilities");
    }

    [Fact]
    public void Calls_OneByteTooShort_AreRefused()
    {
        using var fixture = new OperatorFixture();
        var loss = new SoftmaxCrossEntropy(fixture.Stream, 5, 3);
        DeviceMemory logits = fixture.Output(60), indices = fixture.Output(20), state = fixture.Output(16), labels = fixture.Output(4);
        DeviceMemory sampleLoss = fixture.Output(20), correct = fixture.Output(5), gradient = fixture.Output(60);
        OperatorFixture.CheckShortOperands(
            o => loss.Run(o[0], o[1], o[2], o[3], o[4], o[5], o[6]), logits, labels, indices, state, sampleLoss, correct, gradient);
        OperatorFixture.CheckShortOperands(o => loss.Accumulate(o[0], o[1], o[2]), sampleLoss, correct, fixture.Output(24));
        OperatorFixture.CheckShortOperands(o => loss.Probabilities(o[0], o[1]), logits, gradient);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(3, 0)]
    [InlineData(-1, 3)]
    public void Create_NoSamplesOrClasses_Throws(int n, int classes)
    {
        using var fixture = new OperatorFixture();
        Assert.Throws<ArgumentOutOfRangeException>(() => new SoftmaxCrossEntropy(fixture.Stream, n, classes));
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Create_LabelSmoothingOutsideItsRange_Throws(double labelSmoothing)
    {
        using var fixture = new OperatorFixture();
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new SoftmaxCrossEntropy(fixture.Stream, 1, 2, labelSmoothing: labelSmoothing));
        Assert.Contains("the label smoothing must be at least 0 and below 1", error.Message, StringComparison.Ordinal);
    }

    private static void CheckOnlySecondIsNan(LossMemory memory)
    {
        Assert.Equal([false, true, false], memory.Loss.Select(float.IsNaN));
        Assert.Equal(0, memory.Correct[1]);
        Assert.Equal(Enumerable.Range(0, 30).Select(i => i / 10 == 1), memory.Gradient.Select(float.IsNaN));
    }

    private static LossMemory Run(
        OperatorFixture fixture, SoftmaxCrossEntropy loss, float[] logits, int[] labels, int[] indices, int classes, float lossScale = 1)
    {
        int n = indices.Length;
        DeviceMemory sampleLoss = fixture.Output(n * sizeof(float)), correct = fixture.Output(n), gradient = fixture.Output((long)n * classes * sizeof(float));
        loss.Run(
            fixture.Upload<float>(logits), fixture.Upload<int>(labels), fixture.Upload<int>(indices),
            fixture.Upload<StepState>([new StepState(0, 0, lossScale)]), sampleLoss, correct, gradient);
        return new LossMemory(fixture.Download<float>(sampleLoss), fixture.Download<byte>(correct), fixture.Download<float>(gradient));
    }

    private sealed record LossMemory(float[] Loss, byte[] Correct, float[] Gradient);
}
