using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>Pooling in both directions against plain loops.</summary>
internal static class PoolingChecks
{
    private static readonly PoolingShape _max = new(new TensorShape(2, 5, 7, 9), PoolingMode.Max, 3, 2, 2, 1);
    private static readonly PoolingShape _maxBy8 = new(new TensorShape(1, 16, 9, 6), PoolingMode.Max, 3, 3, 2);

    // Windows of 8 and 32 elements, so that the mean of integers is exact.
    private static readonly PoolingShape _average = new(new TensorShape(2, 5, 7, 9), PoolingMode.Average, 2, 4, 3, 1);
    private static readonly PoolingShape _global = new(new TensorShape(3, 10, 4, 8), PoolingMode.Average, 4, 8, 1);

    public static IEnumerable<Check> Create(DataType type) =>
    [
        OperatorChecks.Check("max pooling, odd channels", type, context => Run(context, _max, Distinct(_max.Input), type)),
        OperatorChecks.Check("max pooling, channels by 8", type, context => Run(context, _maxBy8, Distinct(_maxBy8.Input), type)),
        OperatorChecks.Check(
            "max pooling, equal maxima", type, context => Run(context, _max, new IntegerSource(5).Next(_max.Input.Count, 1), type)),
        OperatorChecks.Check("average pooling", type, context => Run(context, _average, new IntegerSource(6).Next(_average.Input.Count, 8), type)),
        OperatorChecks.Check("global average pooling", type, context => Run(context, _global, new IntegerSource(7).Next(_global.Input.Count, 8), type)),
    ];

    private static string Run(CheckContext context, PoolingShape shape, float[] x, DataType type)
    {
        float[] dy = new IntegerSource(8).Next(shape.Output.Count, 4);
        double[] expectedY = ReferencePooling.Forward(shape, x), expectedDx = ReferencePooling.Backward(shape, x, dy);

        Pooling pooling = context.Own(new Pooling(context.Stream, shape, type));
        DeviceMemory input = context.Upload(x, type), y = context.Output(expectedY.Length, type), dx = context.Output(expectedDx.Length, type);
        pooling.Forward(input, y, context.Output(pooling.ForwardWorkspaceBytes));
        context.Expect("y", y, type, expectedY, OperatorChecks.Nhwc(shape.Output), Tolerance.Exact);
        pooling.Backward(input, y, context.Upload(dy, type), dx, context.Output(pooling.BackwardWorkspaceBytes));
        context.Expect("dx", dx, type, expectedDx, OperatorChecks.Nhwc(shape.Input), Tolerance.Exact);
        return context.Conclude($"{shape.Input}, {shape.WindowH}×{shape.WindowW} stride {shape.Stride} pad {shape.Pad}");
    }

    /// <summary>Different integers in each plane of one image and channel, below 256 and so exact in every type.</summary>
    private static float[] Distinct(TensorShape shape)
    {
        var source = new IntegerSource(9);
        var values = new float[shape.Count];
        int pixels = shape.H * shape.W;
        for (int n = 0; n < shape.N; n++)
            for (int c = 0; c < shape.C; c++)
            {
                int[] order = source.Permutation(pixels);
                for (int i = 0; i < pixels; i++)
                    values[(n * pixels + i) * shape.C + c] = order[i] - pixels / 2;
            }
        return values;
    }
}
