using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>The optimiser against plain loops.</summary>
internal static class SgdChecks
{
    private const int Count = 1003; // not a multiple of a block
    private const int Steps = 3;
    private const double Rate = 0.5;
    private const double LossScale = 4;

    private static readonly (string Name, SgdSettings Settings)[] _cases =
    [
        ("SGD, plain", new SgdSettings()),
        ("SGD, momentum and weight decay", new SgdSettings(0.5, 0.25)),
        ("SGD, Nesterov", new SgdSettings(0.5, 0.25, Nesterov: true)),
    ];

    public static IEnumerable<Check> Create() =>
        from item in _cases
        select OperatorChecks.Check(item.Name, DataType.Float32, context => Run(context, item.Settings));

    private static string Run(CheckContext context, SgdSettings settings)
    {
        var source = new IntegerSource(20);
        float[] initial = source.Next(Count, 8);
        DeviceMemory parameter = context.Upload<float>(initial), momentum = context.Upload<float>(new float[Count]);
        double[] p = [.. initial.Select(value => (double)value)], velocity = new double[Count];
        var sgd = new SgdStep(context.Stream, Count, settings);
        for (int step = 0; step < Steps; step++)
        {
            float[] gradient = source.Next(Count, 8);
            sgd.Run(
                context.Upload<float>(gradient), context.Upload<StepState>([new StepState((float)Rate, step, (float)LossScale)]), parameter,
                settings.Momentum == 0 ? default : momentum);
            for (int i = 0; i < Count; i++)
            {
                double g = gradient[i] / LossScale + settings.WeightDecay * p[i];
                velocity[i] = settings.Momentum * velocity[i] + g;
                p[i] -= Rate * (settings.Nesterov ? g + settings.Momentum * velocity[i] : velocity[i]);
            }
        }
        // All values are multiples of 2⁻¹² below 2⁸ after three steps, which float32 holds without rounding.
        context.Expect("parameter", parameter, DataType.Float32, p, [Count], Tolerance.Exact);
        return context.Conclude($"{Count} parameters, {Steps} steps");
    }
}
