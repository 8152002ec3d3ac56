using NinCudnn.Operators;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

/// <summary>softmax_forward and softmax_cross_entropy, with each result that .approx instructions may give.</summary>
public class SoftmaxTests
{
    private const float GradientScale = 1 / 7f;
    private const float LossScale = 256;

    private static readonly Tolerance _probabilities =
        Tolerance.Absolute(Math.ScaleB(1, -20), "the bound at the head of native/kernels/loss.cu") with { NanEqualsNan = true };

    // With up to 1000 classes: a term's relative error is 2^-22 + |x| 2^-23, |x| being at most ln 1000 on average over the
    // terms' weights; 37 additions have 2^-24 each; the logarithm 2^-22 relative. Together below 2^-18. The subtractions
    // of the loss round by 2^-24 of its size.
    private static readonly Tolerance _loss =
        Tolerance.Of(Math.ScaleB(1, -18), Math.ScaleB(1, -22), "approximated terms, 37 additions, one logarithm") with { NanEqualsNan = true };

    public static TheoryData<DataType, uint, uint> TypesAndLaunches => TestData.TypesAndLaunches();

    internal static Elements Logits(DataType type, int n, int classes) => Elements.From(type, TestData.Numbers(n * classes, classes, 4));

    internal static KernelCase Forward(DataType type, uint blocks, uint blockSize, Elements logits, int n, int classes, int misalignment = 0) =>
        new KernelCase("loss", $"softmax_forward_{Elements.Suffix(type)}", blocks, blockSize)
            .Input("logits", logits, misalignment)
            .Output("probabilities", ElementType.Float32, logits.Count)
            .Value(n).Value(classes);

    internal enum Gradient
    {
        Apart,
        InPlace,
        None,
    }

    internal static KernelCase CrossEntropy(DataType type, uint blocks, uint blockSize, Elements logits, int n, int classes,
        int[] labels, int[] indices, Gradient gradient = Gradient.Apart, float labelSmoothing = 0)
    {
        var test = new KernelCase("loss", $"softmax_cross_entropy_{Elements.Suffix(type)}", blocks, blockSize);
        test = gradient == Gradient.InPlace ? test.Update("logits", logits) : test.Input("logits", logits);
        test = test
            .Input("labels", Elements.From(labels))
            .Input("indices", Elements.From(indices))
            .Input("state", Elements.From(new StepState(0.1f, 5, LossScale)))
            .Output("sample_loss", ElementType.Float32, n)
            .Output("sample_correct", ElementType.Byte, n);
        test = gradient switch
        {
            Gradient.Apart => test.Output("dlogits", logits.Type, logits.Count, misalignment: 1),
            Gradient.InPlace => test.Same("logits"),
            _ => test.Null(),
        };
        return test.Value(labels.Length).Value(n).Value(classes).Value(GradientScale).Value(labelSmoothing);
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SoftmaxForward_AnyShape_IsWithinItsBound(DataType type, uint blocks, uint blockSize)
    {
        foreach (var (n, classes) in ((int, int)[])[(0, 10), (1, 1), (1, 10), (7, 33), (130, 10), (3, 1000), (5, 31), (4, 0)])
        {
            Elements logits = Logits(type, n, classes);
            KernelCase test = Forward(type, blocks, blockSize, logits, n, classes, misalignment: 1);
            double[] expected = Probabilities(logits, classes);
            CheckAll(test,
                (results, what) => Comparison.Check<double>(results["probabilities"].Numbers(), expected, [n, classes], _probabilities, what));
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SoftmaxForward_SpecialLogits_GivesWhatTheFormulaGives(DataType type, uint blocks, uint blockSize)
    {
        const int Classes = 40;
        foreach (float special in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity, -0f, 60000])
        {
            float[] numbers = TestData.Numbers(3 * Classes, 9);
            numbers[Classes + 35] = special;
            Elements logits = Elements.From(type, numbers);
            double[] expected = Probabilities(logits, Classes);
            CheckAll(Forward(type, blocks, blockSize, logits, 3, Classes),
                (results, what) => Comparison.Check<double>(results["probabilities"].Numbers(), expected, [3, Classes], _probabilities, what));
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SoftmaxCrossEntropy_AnyShape_IsWithinItsBound(DataType type, uint blocks, uint blockSize)
    {
        foreach (var (n, classes) in ((int, int)[])[(0, 10), (1, 1), (1, 10), (7, 33), (130, 10), (3, 1000), (5, 31), (4, 0)])
        {
            Elements logits = Logits(type, n, classes);
            // More labels than samples, each sample takes one of them.
            int[] labels = [.. Enumerable.Range(0, n + 9).Select(i => classes == 0 ? 0 : i * 7 % classes)];
            int[] indices = [.. Enumerable.Range(0, n).Select(i => (i * 5 + 3) % labels.Length)];
            foreach (Gradient gradient in Enum.GetValues<Gradient>())
                CheckCrossEntropy(type, blocks, blockSize, logits, n, classes, labels, indices, gradient);
            foreach (float labelSmoothing in (float[])[0.1f, 0.9f])
                CheckCrossEntropy(type, blocks, blockSize, logits, n, classes, labels, indices, Gradient.InPlace, labelSmoothing);
        }
    }

    [Theory]
    [InlineData(0, false)] // the infinite logit is no target
    [InlineData(0.1f, true)]
    public void SoftmaxCrossEntropy_ImpossibleOtherClass_CountsOnlyWithSmoothing(float labelSmoothing, bool isInfinite)
    {
        Elements logits = Elements.From([1, 2, float.NegativeInfinity]);
        CheckAll(CrossEntropy(DataType.Float32, 1, 32, logits, 1, 3, [0], [0], labelSmoothing: labelSmoothing), (results, _) =>
        {
            Assert.Equal(isInfinite, double.IsPositiveInfinity(results["sample_loss"].Number(0)));
            Assert.All(results["dlogits"].Numbers(), value => Assert.True(double.IsFinite(value)));
        });
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SoftmaxCrossEntropy_BadIndexOrLabelOrNan_GivesNanSample(DataType type, uint blocks, uint blockSize)
    {
        const int N = 8, Classes = 40;
        float[] numbers = TestData.Numbers(N * Classes, 11);
        numbers[7 * Classes + 39] = float.NaN;
        int[] labels = [3, Classes, -1, int.MinValue, int.MaxValue, 39];
        int[] indices = [0, 1, 2, 3, 4, labels.Length, -1, 5];
        Elements loss = CheckCrossEntropy(type, blocks, blockSize, Elements.From(type, numbers), N, Classes, labels, indices, Gradient.Apart);
        for (int r = 0; r < N; r++)
            Assert.Equal(r > 0, double.IsNaN(loss.Number(r)));
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SoftmaxCrossEntropy_EqualLogits_PredictTheFirst(DataType type, uint blocks, uint blockSize)
    {
        const int Classes = 70;
        Elements logits = Elements.From(type, [.. Enumerable.Repeat(0.5f, 2 * Classes)]);
        KernelCase test = CrossEntropy(type, blocks, blockSize, logits, 2, Classes, [0, 1], [0, 1]);
        CheckAll(test, (results, _) => Assert.Equal([1.0, 0.0], results["sample_correct"].Numbers()));
    }

    private static Elements CheckCrossEntropy(
        DataType type, uint blocks, uint blockSize, Elements logits, int n, int classes, int[] labels, int[] indices, Gradient gradient,
        float labelSmoothing = 0)
    {
        var (losses, correct, gradients) = Reference(logits, n, classes, labels, indices, labelSmoothing);
        // The probability's error, scaled, and one rounding to the gradient's type; below its normal range half a spacing.
        (double rounding, double spacing) = type switch
        {
            DataType.Float32 => (Math.ScaleB(1, -22), 0),
            DataType.Float16 => (Math.ScaleB(1, -11), Math.ScaleB(1, -25)),
            _ => (Math.ScaleB(1, -8), 0.0),
        };
        double absolute = GradientScale * LossScale * Math.ScaleB(1, -20) + spacing;
        Tolerance tolerance = Tolerance.Of(absolute, rounding, "the probability's bound, scaled, and one rounding") with { NanEqualsNan = true };
        string gradientName = gradient == Gradient.InPlace ? "logits" : "dlogits";

        Elements? interpretedLoss = null;
        CheckAll(CrossEntropy(type, blocks, blockSize, logits, n, classes, labels, indices, gradient, labelSmoothing), (results, what) =>
        {
            interpretedLoss ??= results["sample_loss"];
            Comparison.Check<double>(results["sample_loss"].Numbers(), losses, [n], _loss, what);
            Assert.Equal(correct, results["sample_correct"].Numbers());
            if (gradient != Gradient.None)
                Comparison.Check<double>(results[gradientName].Numbers(), gradients, [n, classes], tolerance, what);
        });
        return interpretedLoss!;
    }

    // The interpreter with exact approximations and with the worst ones, then the host provider.
    private static void CheckAll(KernelCase test, Action<IReadOnlyDictionary<string, Elements>, string> check)
    {
        check(test.Interpret(), $"{test}, the interpreter");
        foreach (int approximation in (int[])[1, -1])
            check(test.InterpretApproximately(approximation), $"{test}, the interpreter with approximation {approximation}");
        check(test.RunOnHost(), $"{test}, the host provider");
    }

    private static double[] Probabilities(Elements logits, int classes)
    {
        var probabilities = new double[logits.Count];
        for (int first = 0; first < logits.Count; first += classes)
        {
            double max = RowMaximum(logits, first, classes), sum = 0;
            for (int c = 0; c < classes; c++)
                sum += probabilities[first + c] = Math.Exp(logits.Number(first + c) - max);
            for (int c = 0; c < classes; c++)
                probabilities[first + c] /= sum;
        }
        return probabilities;
    }

    private static double RowMaximum(Elements logits, int first, int classes)
    {
        double max = double.NegativeInfinity;
        for (int c = 0; c < classes; c++)
            max = Math.Max(max, logits.Number(first + c)); // NaN if any is
        return max;
    }

    private static (double[] Losses, double[] Correct, double[] Gradients) Reference(
        Elements logits, int n, int classes, int[] labels, int[] indices, double labelSmoothing)
    {
        var (losses, correct) = (new double[n], new double[n]);
        double[] gradients = classes == 0 ? [] : Probabilities(logits, classes);
        for (int r = 0; r < n; r++)
        {
            int first = r * classes, label = indices[r] >= 0 && indices[r] < labels.Length ? labels[indices[r]] : classes;
            bool isValid = label >= 0 && label < classes;
            double max = RowMaximum(logits, first, classes);
            double labelProbability = isValid ? gradients[first + label] : double.NaN;
            // The probability may underflow; the logit's distance does not.
            double sum = Enumerable.Range(first, classes).Sum(i => Math.Exp(logits.Number(i) - max));
            double mean = Enumerable.Range(first, classes).Select(logits.Number).DefaultIfEmpty().Average();
            losses[r] = isValid
                ? Math.Log(sum) - ((1 - labelSmoothing) * (logits.Number(first + label) - max) + labelSmoothing * (mean - max))
                : labelProbability;
            int best = Enumerable.Range(0, classes).FirstOrDefault(c => logits.Number(first + c) == max, classes);
            correct[r] = isValid && best == label ? 1 : 0;
            for (int c = 0; c < classes; c++)
            {
                double target = (c == label ? 1 - labelSmoothing : 0) + labelSmoothing / classes;
                gradients[first + c] = isValid ? (gradients[first + c] - target) * GradientScale * LossScale : double.NaN;
            }
        }
        return (losses, correct, gradients);
    }
}
