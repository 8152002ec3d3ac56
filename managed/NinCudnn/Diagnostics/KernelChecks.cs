using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Numerics;
using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>The operators that are kernels of this library against plain loops.</summary>
internal static class KernelChecks
{
    public static IEnumerable<Check> Create(DataType type) =>
    [
        // 216 rows are several tiles and a partial one.
        OperatorChecks.Check("rectifier, odd channels", type, context => Rectify(context, new TensorShape(3, 7, 9, 8), type)),
        OperatorChecks.Check("rectifier, channels by 8", type, context => Rectify(context, new TensorShape(1, 24, 9, 8), type)),
        OperatorChecks.Check("dropout", type, context => Drop(context, type)),
        OperatorChecks.Check("softmax cross-entropy", type, context => Lose(context, type)),
        OperatorChecks.Check("image input", type, context => Read(context, type)),
        OperatorChecks.Check("image input, augmented", type, context => Augment(context, type)),
    ];

    private static string Rectify(CheckContext context, TensorShape shape, DataType type)
    {
        var source = new IntegerSource(10);
        // Bias gradients sum 216 rows of at most 1, and so stay exact in every type.
        float[] x = source.Next(shape.Count, 2), dy = source.Next(shape.Count, 1);
        double[] expectedY = [.. x.Select(value => Math.Max(value, 0.0))];
        double[] expectedDz = [.. dy.Select((value, i) => x[i] > 0 ? value : 0.0)];
        var expectedDb = new double[shape.C];
        for (int i = 0; i < expectedDz.Length; i++)
            expectedDb[i % shape.C] += expectedDz[i];

        Relu relu = context.Own(new Relu(context.Stream, shape, type));
        DeviceMemory y = context.Output(shape.Count, type), dz = context.Upload(dy, type), db = context.Output(shape.C, type);
        relu.Forward(context.Upload(x, type), y);
        context.Expect("y", y, type, expectedY, OperatorChecks.Nhwc(shape), Tolerance.Exact);
        relu.Backward(y, dz, db, context.Output(relu.BackwardWorkspaceBytes));
        context.Expect("dz", dz, type, expectedDz, OperatorChecks.Nhwc(shape), Tolerance.Exact);
        context.Expect("db", db, type, expectedDb, [shape.C], Tolerance.Exact);
        return context.Conclude($"{shape}");
    }

    private static string Drop(CheckContext context, DataType type)
    {
        const double Rate = 0.25;
        const ulong Seed = 42;
        const int Layer = 6;
        const uint StepLow = 3, StepHigh = 1;
        const long Step = ((long)StepHigh << 32) + StepLow;
        var shape = new TensorShape(1, 7, 5, 3); // 105 elements: the last group of four is partial
        float[] x = new IntegerSource(11).Next(shape.Count, 8);
        var expected = new double[x.Length];
        uint threshold = (uint)(Rate * 4294967296.0);
        for (int i = 0; i < x.Length; i++)
        {
            var (w0, w1, w2, w3) = Philox4x32.Block((uint)i / 4, Layer, StepLow, StepHigh, Seed);
            uint word = (i % 4) switch { 0 => w0, 1 => w1, 2 => w2, _ => w3 };
            expected[i] = word >= threshold ? Elements.Round(x[i] * (float)(1 / (1 - Rate)), type) : 0;
        }

        var dropout = new Dropout(context.Stream, shape, Rate, Seed, Layer, type);
        DeviceMemory state = context.Upload<StepState>([new StepState(0, Step)]), input = context.Upload(x, type);
        DeviceMemory y = context.Output(shape.Count, type), dx = context.Output(shape.Count, type);
        dropout.Forward(input, state, y);
        context.Expect("y", y, type, expected, OperatorChecks.Nhwc(shape), Tolerance.Exact);
        dropout.Backward(input, state, dx);
        context.Expect("dx", dx, type, expected, OperatorChecks.Nhwc(shape), Tolerance.Exact);
        return context.Conclude($"{shape}");
    }

    private static string Lose(CheckContext context, DataType type)
    {
        const int N = 5, Classes = 11;
        const float LossScale = 8;
        const double LabelSmoothing = 0.125;
        var source = new IntegerSource(12);
        float[] logits = [.. source.Next(N * Classes, 16).Select(value => value / 4)]; // exact in every type
        int[] labels = [10, 0, 7, 3, 5], indices = [4, 2, 0, 3, 1];
        logits[labels[indices[0]]] = logits.Max() + 1; // at least the first row's label wins

        var expectedLoss = new double[N];
        var expectedCorrect = new double[N];
        var expectedGradient = new double[N * Classes];
        for (int n = 0; n < N; n++)
        {
            float[] row = logits[(n * Classes)..((n + 1) * Classes)];
            int label = labels[indices[n]];
            double max = row.Max(), sum = row.Sum(z => Math.Exp(z - max));
            expectedLoss[n] = Math.Log(sum) + max - (1 - LabelSmoothing) * row[label] - LabelSmoothing * row.Average(z => (double)z);
            expectedCorrect[n] = Array.IndexOf(row, row.Max()) == label ? 1 : 0;
            for (int c = 0; c < Classes; c++)
                expectedGradient[n * Classes + c] = (Math.Exp(row[c] - max) / sum - (c == label ? 1 - LabelSmoothing : 0) - LabelSmoothing / Classes) * LossScale / N;
        }

        var loss = new SoftmaxCrossEntropy(context.Stream, N, Classes, type, LabelSmoothing);
        DeviceMemory sampleLoss = context.Output(N * sizeof(float)), correct = context.Output(N), dlogits = context.Output(N * Classes, type);
        DeviceMemory sums = context.Upload<double>([1, 2, 3]);
        loss.Run(
            context.Upload(logits, type), context.Upload<int>(labels), context.Upload<int>(indices),
            context.Upload<StepState>([new StepState(0, 0, LossScale)]), sampleLoss, correct, dlogits);
        loss.Accumulate(sampleLoss, correct, sums);

        // Exponentials err by their argument (at most 10) and a few units in the last place, their sum by as many as it has
        // terms, all in float32: together less than Classes + 16 units of 2⁻²³. The logarithm makes that an absolute error.
        double unit = (Classes + 16) * Math.ScaleB(1, -23);
        context.Expect(
            "loss", sampleLoss, DataType.Float32, expectedLoss, [N], new Tolerance(unit, Math.ScaleB(1, -23), "float32 exponentials and their sum"));
        context.Expect("correct", [.. context.Download<byte>(correct).Select(value => (double)value)], expectedCorrect, [N], Tolerance.Exact);
        context.Expect(
            "dlogits", dlogits, type, expectedGradient, [N, Classes],
            new Tolerance(unit * LossScale / N, Elements.RoundingError(type), "float32 softmax, rounded once"));
        context.Expect(
            "sums", context.Download<double>(sums), [1 + expectedLoss.Sum(), 2 + expectedCorrect.Sum(), 3 + N], [3],
            new Tolerance(N * unit, Math.ScaleB(1, -23), $"{N} losses"));
        return context.Conclude($"{N}×{Classes}");
    }

    private static string Read(CheckContext context, DataType type)
    {
        var source = new TensorShape(3, 2, 5, 7);
        var output = new TensorShape(2, 2, 9, 4); // higher and narrower
        int[] indices = [2, 0];
        float[] mean = [0.25f, 0.5f], deviation = [0.5f, 0.25f];
        byte[] images = [.. new IntegerSource(13).Next(source.Count, 127).Select(value => (byte)(value + 128))];
        int imageBytes = source.C * source.H * source.W;
        double[] expected =
        [
            .. indices
                .SelectMany(index => BilinearResize.Resize(
                    images.AsSpan(index * imageBytes, imageBytes), source.H, source.W, source.C, output.H, output.W))
                .Select((pixel, i) => Elements.Round((pixel / 255f - mean[i % source.C]) * (1 / deviation[i % source.C]), type)),
        ];

        ImageInput input = context.Own(new ImageInput(context.Stream, source, output, new Normalization(mean, deviation), type));
        DeviceMemory y = context.Output(output.Count, type);
        input.Forward(context.Upload<byte>(images), context.Upload<int>(indices), y);
        context.Expect("y", y, type, expected, OperatorChecks.Nhwc(output), Tolerance.Exact);
        return context.Conclude($"{source} → {output}");
    }

    private static string Augment(CheckContext context, DataType type)
    {
        const ulong Seed = 42;
        const long Step = 3;
        var shape = new TensorShape(8, 2, 9, 7); // the network's input has the images' size: the resize copies
        var augmentation = new Augmentation(HorizontalFlip: 0.5, CropPadding: 2, ErasingProbability: 0.5);
        byte[] images = [.. new IntegerSource(14).Next(shape.Count, 127).Select(value => (byte)(value + 128))];
        ImageAugmentation[] changes = [.. Enumerable.Range(0, shape.N).Select(n => ImageAugmentation.Draw(augmentation, shape.H, shape.W, Seed, Step, n))];
        var expected = new double[shape.Count];
        for (int i = 0; i < expected.Length; i++)
        {
            int c = i % shape.C, column = i / shape.C % shape.W, row = i / shape.C / shape.W % shape.H, n = i / shape.C / shape.W / shape.H;
            ImageAugmentation change = changes[n];
            int sourceRow = row + change.RowShift, sourceColumn = (change.Flip != 0 ? shape.W - 1 - column : column) + change.ColumnShift;
            bool isErased = (uint)(row - change.ErasedRow) < change.ErasedHeight && (uint)(column - change.ErasedColumn) < change.ErasedWidth;
            bool isInside = (uint)sourceRow < shape.H && (uint)sourceColumn < shape.W;
            if (isInside && !isErased)
                expected[i] = Elements.Round(images[((n * shape.H + sourceRow) * shape.W + sourceColumn) * shape.C + c] / 255f, type);
        }

        var draw = new AugmentationDraw(context.Stream, shape, augmentation, Seed);
        ImageInput input = context.Own(new ImageInput(context.Stream, shape, shape, Normalization.None(shape.C), type));
        DeviceMemory drawn = context.Output(draw.Bytes), y = context.Output(shape.Count, type);
        draw.Run(context.Upload<StepState>([new StepState(0, Step)]), drawn);
        input.Forward(context.Upload<byte>(images), context.Upload<int>(Enumerable.Range(0, shape.N).ToArray()), y, drawn);
        context.Expect("y", y, type, expected, OperatorChecks.Nhwc(shape), Tolerance.Exact);
        return context.Conclude($"{shape}");
    }
}
