using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>Convolutions in all directions against plain loops.</summary>
internal static class ConvolutionChecks
{
    // With |x| ≤ 2 and |w|, |dz| ≤ 1, and |b| ≤ 8 no sum exceeds 256, up to which bfloat16 has all integers:
    // forward 2·C·R·S + 8, backward data K·R·S, backward filter 2·N·P·Q.
    private const int MaxInput = 2;
    private const int MaxFilter = 1;
    private const int MaxGradient = 1;
    private const int MaxBias = 8;

    private static readonly (string Name, ConvolutionShape Shape)[] _cases =
    [
        ("convolution, odd channels", new(new TensorShape(2, 3, 9, 7), 5, 3, 2, StrideH: 2, StrideW: 2, PadH: 1, PadW: 1)),
        ("convolution, channels by 8", new(new TensorShape(1, 8, 7, 9), 16, 3, 5, StrideH: 1, StrideW: 1, PadH: 1, PadW: 2)),
        ("1×1 convolution, odd channels", new(new TensorShape(2, 7, 5, 3), 5, 1, 1)),
        ("1×1 convolution, channels by 8", new(new TensorShape(1, 16, 6, 5), 24, 1, 1)),
        ("1×1 convolution, ten classes", new(new TensorShape(3, 10, 5, 5), 10, 1, 1)),
    ];

    public static IEnumerable<Check> Create(DataType type)
    {
        foreach (var (name, shape) in _cases)
        {
            yield return OperatorChecks.Check($"{name}: forward", type, context => Forward(context, shape, Activation.None, type));
            yield return OperatorChecks.Check($"{name}: forward with rectifier", type, context => Forward(context, shape, Activation.Relu, type));
            yield return OperatorChecks.Check($"{name}: backward data", type, context => BackwardData(context, shape, type));
            yield return OperatorChecks.Check($"{name}: backward filter", type, context => BackwardFilter(context, shape, type));
        }
        if (type == DataType.Float32)
            yield return OperatorChecks.Check("convolution, precision", type, Precision);
    }

    private static string Forward(CheckContext context, ConvolutionShape shape, Activation activation, DataType type)
    {
        var source = new IntegerSource(1);
        float[] x = source.Next(shape.Input.Count, MaxInput), w = source.Next(shape.FilterCount, MaxFilter), b = source.Next(shape.K, MaxBias);
        double[] expected = ReferenceConvolution.Forward(shape, x, w, b);
        if (activation == Activation.Relu)
            expected = [.. expected.Select(value => Math.Max(value, 0))];

        ConvolutionOperator convolution = Operator(context, shape, activation, type);
        DeviceMemory y = context.Output(expected.Length, type);
        convolution.Forward(
            context.Upload(x, type), context.Upload(w, type), context.Upload(b, type), y, context.Output(convolution.ForwardWorkspaceBytes));
        context.Expect("y", y, type, expected, OperatorChecks.Nhwc(shape.Output), Tolerance.Integer);
        return context.Conclude($"{shape}");
    }

    private static string BackwardData(CheckContext context, ConvolutionShape shape, DataType type)
    {
        var source = new IntegerSource(2);
        float[] w = source.Next(shape.FilterCount, MaxFilter), dz = source.Next(shape.Output.Count, MaxGradient);
        double[] expected = ReferenceConvolution.BackwardData(shape, w, dz);

        ConvolutionOperator convolution = Operator(context, shape, Activation.None, type);
        DeviceMemory dx = context.Output(expected.Length, type);
        convolution.BackwardData(context.Upload(w, type), context.Upload(dz, type), dx, context.Output(convolution.BackwardDataWorkspaceBytes));
        context.Expect("dx", dx, type, expected, OperatorChecks.Nhwc(shape.Input), Tolerance.Integer);
        return context.Conclude($"{shape}");
    }

    private static string BackwardFilter(CheckContext context, ConvolutionShape shape, DataType type)
    {
        var source = new IntegerSource(3);
        float[] x = source.Next(shape.Input.Count, MaxInput), dz = source.Next(shape.Output.Count, MaxGradient);
        double[] expected = ReferenceConvolution.BackwardFilter(shape, x, dz);

        ConvolutionOperator convolution = Operator(context, shape, Activation.None, type);
        DeviceMemory dw = context.Output(expected.Length, type);
        convolution.BackwardFilter(context.Upload(x, type), context.Upload(dz, type), dw, context.Output(convolution.BackwardFilterWorkspaceBytes));
        context.Expect("dw", dw, type, expected, [shape.K, shape.R, shape.S, shape.Input.C], Tolerance.Integer);
        return context.Conclude($"{shape}");
    }

    /// <summary>Whether float32 really has its 24 bits: integers would not show operands that are cut to 11 (TF32).</summary>
    private static string Precision(CheckContext context)
    {
        ConvolutionShape shape = _cases[0].Shape;
        var source = new IntegerSource(4);
        float[] x = Fractions(shape.Input.Count), w = Fractions(shape.FilterCount), b = new float[shape.K];
        double[] expected = ReferenceConvolution.Forward(shape, x, w, b);

        ConvolutionOperator convolution = Operator(context, shape, Activation.None, DataType.Float32);
        DeviceMemory y = context.Output(expected.Length, DataType.Float32);
        convolution.Forward(
            context.Upload<float>(x), context.Upload<float>(w), context.Upload<float>(b), y, context.Output(convolution.ForwardWorkspaceBytes));
        // A sum of m products, each at most 1, errs by no more than m²·2⁻²⁴ in any order (Higham, "Accuracy and Stability of
        // Numerical Algorithms", section 3.1); cutting the operands to 11 bits errs by about 2⁻¹², ten times as much.
        int m = shape.R * shape.S * shape.Input.C + 1;
        context.Expect(
            "y", y, DataType.Float32, expected, OperatorChecks.Nhwc(shape.Output),
            new Tolerance(m * m * Math.ScaleB(1, -24), 0, $"float32 sums of {m} terms"));
        return context.Conclude($"{shape}");

        float[] Fractions(long count) => [.. source.Next(count, (1 << 23) - 1).Select(value => value / (1 << 23))];
    }

    private static ConvolutionOperator Operator(CheckContext context, ConvolutionShape shape, Activation activation, DataType type) =>
        context.Own(ConvolutionOperator.Create(context.Stream, shape, activation, new OperatorOptions { DataType = type }));
}
