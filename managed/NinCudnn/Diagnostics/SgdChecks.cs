using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>The optimiser against plain loops.</summary>
internal static class SgdChecks
{
    private const int Count = 1003; // not a multiple of a block
    private const int Steps = 3;
    private const double Rate = 0.5;
    private const int FirstStep = 8; // from which on the average's decay is 1/2
    private const double LossScale = 4;
    private const double AverageDecay = 0.5;

    private static readonly (string Name, SgdSettings Settings)[] _cases =
    [
        ("SGD, plain", new SgdSettings()),
        ("SGD, momentum and weight decay", new SgdSettings(0.5, 0.25)),
        ("SGD, Nesterov", new SgdSettings(0.5, 0.25, Nesterov: true)),
    ];

    public static IEnumerable<Check> Create() =>
    [
        .. from item in _cases
           select OperatorChecks.Check(item.Name, DataType.Float32, context => Run(context, item.Settings)),
        .. from type in Enum.GetValues<DataType>()
           select OperatorChecks.Check("gradient clipping", type, context => Clip(context, type)),
    ];

    private static string Run(CheckContext context, SgdSettings settings)
    {
        var source = new IntegerSource(20);
        float[] initial = source.Next(Count, 8);
        DeviceMemory parameter = context.Upload<float>(initial), momentum = context.Upload<float>(new float[Count]);
        DeviceMemory average = context.Upload<float>(initial);
        double[] p = [.. initial.Select(value => (double)value)], velocity = new double[Count], mean = [.. p];
        var sgd = new SgdStep(context.Stream, Count, settings, averageDecay: AverageDecay);
        for (int step = FirstStep; step < FirstStep + Steps; step++)
        {
            float[] gradient = source.Next(Count, 8);
            sgd.Run(
                context.Upload<float>(gradient), context.Upload<StepState>([new StepState((float)Rate, step, (float)LossScale)]), parameter,
                settings.Momentum == 0 ? default : momentum, average: average);
            for (int i = 0; i < Count; i++)
            {
                double g = gradient[i] / LossScale + settings.WeightDecay * p[i];
                velocity[i] = settings.Momentum * velocity[i] + g;
                p[i] -= Rate * (settings.Nesterov ? g + settings.Momentum * velocity[i] : velocity[i]);
                mean[i] += AverageDecay * (p[i] - mean[i]);
            }
        }
        // All values are multiples of 2⁻¹⁵ below 2⁸ after three steps, which float32 holds without rounding.
        context.Expect("parameter", parameter, DataType.Float32, p, [Count], Tolerance.Exact);
        context.Expect("average", average, DataType.Float32, mean, [Count], Tolerance.Exact);
        return context.Conclude($"{Count} parameters, {Steps} steps");
    }

    private static string Clip(CheckContext context, DataType type)
    {
        const int ManyPieces = 5003;
        const double MaxNorm = 10;
        float[] gradient = new IntegerSource(21).Next(ManyPieces, 8); // exact in every type, and so are the sums of squares
        double norm = Math.Sqrt(gradient.Sum(value => (double)value * value)) / LossScale;
        var clipping = new GradientClipping(context.Stream, ManyPieces, MaxNorm, type);
        DeviceMemory factor = context.Output(sizeof(float));
        clipping.Run(
            context.Upload(gradient, type), context.Upload<StepState>([new StepState((float)Rate, 0, (float)LossScale)]), factor,
            context.Output(clipping.WorkspaceBytes));
        context.Expect("factor", factor, DataType.Float32, [MaxNorm / (norm + 1e-6)], [1], new Tolerance(0, Math.ScaleB(1, -23), "rounded to float32"));
        return context.Conclude($"{ManyPieces} gradients");
    }
}
