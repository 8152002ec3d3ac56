using NinCudnn.Networks;
using NinCudnn.Numerics;
using NinCudnn.Operators;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

/// <summary>The whole network's gradient against finite differences of its loss.</summary>
public class NetworkGradientTests
{
    private const int Batch = 4;
    private const int Probes = 39;
    private const double StepSize = 1.0 / 256;

    // The loss is worked out in float64 from float32 logits between 4 and 8, each rounded by up to 2⁻²². A difference quotient
    // errs by that twice, over the step's size.
    private const double Noise = 2 * 2.4e-7 / StepSize;

    [Fact]
    public void Gradient_RandomParametersAndPixels_MatchFiniteDifferences()
    {
        Architecture architecture = TinyNetwork.Architecture(inputChannels: 2); // with dropout: the same step draws the same mask
        var options = new PlanOptions
        {
            Batch = Batch,
            Height = TinyNetwork.ImageSize,
            Width = TinyNetwork.ImageSize - 1,
            Sgd = null,
            InputGradient = true,
            Seed = 11,
        };
        using var network = new NetworkFixture(architecture, options);
        network.Parameters.Initialize(Initialization.Xavier, 6);
        Dictionary<string, float[]> parameters = Kinkless(network.Parameters.DownloadValues());
        int[] shape = [Batch, 2, options.Height, options.Width];
        float[] x = TestNumbers.Uniform(Batch * 2 * options.Height * options.Width, 0, 1, 7);
        long[] labels = [0, 2, 1, 2];

        double middle = Loss();
        Dictionary<string, float[]> gradients = network.Parameters.DownloadGradients();
        float[] inputGradient = Layout.ToNchw(network.Download(network.Plan.InputGradient), shape);

        var random = new SplitMix64(8);
        string[] names = [.. parameters.Keys];
        int smooth = 0;
        for (int probe = 0; probe < Probes; probe++)
        {
            // Every tensor in turn, then the input.
            bool isInput = probe % (names.Length + 1) == names.Length;
            string name = isInput ? "input" : names[probe % (names.Length + 1)];
            float[] values = isInput ? x : parameters[name], gradient = isInput ? inputGradient : gradients[name];
            int i = (int)(random.NextUInt64() % (ulong)values.Length);
            smooth += Check($"{name}[{i}]", values, i, gradient[i]) ? 1 : 0;
        }
        Assert.True(smooth >= Probes * 3 / 4, $"only {smooth} of {Probes} places were smooth enough to prove anything");

        double Loss()
        {
            network.Parameters.Load(parameters);
            network.Run(x, shape, labels, new StepState(0, 5));
            float[] logits = network.Download(network.Plan.Logits);
            double sum = 0;
            for (int n = 0; n < Batch; n++)
            {
                float[] row = logits[(n * TinyNetwork.Classes)..((n + 1) * TinyNetwork.Classes)];
                sum += Math.Log(row.Sum(value => Math.Exp(value))) - row[labels[n]];
            }
            return sum / Batch;
        }

        // The quotients over four steps, two on each side, sample the slope. It jumps at the kinks of rectifiers and maxima, and
        // bends between them; how much of both there is shows in the spread of the four.
        bool Check(string what, float[] values, int i, double gradient)
        {
            float value = values[i];
            double[] points = new double[5], losses = new double[5], slopes = new double[4];
            for (int j = 0; j < 5; j++)
            {
                points[j] = values[i] = value + (float)((j - 2) * StepSize);
                losses[j] = j == 2 ? middle : Loss();
            }
            values[i] = value;
            for (int j = 0; j < 4; j++)
                slopes[j] = (losses[j + 1] - losses[j]) / (points[j + 1] - points[j]);

            double central = (losses[3] - losses[1]) / (points[3] - points[1]), uncertainty = Noise + slopes.Max() - slopes.Min();
            Comparison.Check<double>(
                [gradient], [central], [1], Tolerance.Absolute(uncertainty, "rounding of the logits, spread of the slope around the point"), what);
            return uncertainty < Math.Abs(central) / 4;
        }
    }

    /// <summary>
    /// Parameters that keep all rectifiers away from their kinks, where a finite difference says nothing: positive weights open
    /// them, and in two convolutions a bias far below zero closes one for good.
    /// </summary>
    private static Dictionary<string, float[]> Kinkless(Dictionary<string, float[]> parameters)
    {
        foreach (var (name, values) in parameters)
        {
            float scale = name is "3.0.weight" or "3.2.weight" or "3.4.weight" ? 0.3f : 1; // logits of a few units
            for (int i = 0; i < values.Length; i++)
                values[i] = Math.Abs(values[i]) * scale;
        }
        parameters["0.2.bias"][0] = parameters["3.0.bias"][0] = -50;
        return parameters;
    }
}
