using NinCudnn.Benchmarks;
using NinCudnn.Cli.Output;
using NinCudnn.Networks;
using ScottPlot;

namespace NinCudnn.Cli.Plots;

/// <summary>
/// A benchmark as a picture. Left the roofline (Williams, Waterman, Patterson, "Roofline", 2009): every step's speed over its
/// arithmetic intensity, below what the device's measured peaks allow. Right the time of each layer, by pass.
/// </summary>
internal static class BenchPlot
{
    private static readonly (int Width, int Height) _size = (1600, 700);

    public static void Save(string path, BenchReport report) => Picture.Save(path, _size, Roofline(report, report.Peaks!), LayerTimes(report));

    private static Plot Roofline(BenchReport report, DevicePeaks peaks)
    {
        StepTiming[] computing = [.. report.Steps.Where(step => step.Flops > 0)];
        double ridge = peaks.FlopsPerSecond / peaks.BytesPerSecond;
        double least = Math.Min(computing.Min(step => step.Flops / step.Step.Bytes), ridge) / 2;
        double most = Math.Max(computing.Max(step => step.Flops / step.Step.Bytes), ridge) * 2;

        Plot plot = Picture.CreatePlot();
        double[] intensities = [least, ridge, most];
        var roof = plot.Add.ScatterLine(
            Logarithms(intensities),
            Logarithms(intensities.Select(intensity => Math.Min(intensity * peaks.BytesPerSecond, peaks.FlopsPerSecond) / 1e9)),
            Colors.Black);
        roof.LegendText = FormattableString.Invariant($"roof: {peaks.BytesPerSecond / 1e9:0.#} GB/s, {peaks.FlopsPerSecond / 1e9:0} GFLOP/s");
        foreach (var pass in computing.GroupBy(step => step.Step.Kind))
        {
            var points = plot.Add.ScatterPoints(
                Logarithms(pass.Select(step => step.Flops / step.Step.Bytes)),
                Logarithms(pass.Select(step => step.Flops / step.Time.Median.TotalSeconds / 1e9)),
                Color(pass.Key));
            points.MarkerSize = 9;
            points.LegendText = BenchText.Pass(pass.Key);
        }
        LogarithmicTicks(plot.Axes.Bottom);
        LogarithmicTicks(plot.Axes.Left);
        plot.XLabel("FLOP per byte");
        plot.YLabel("GFLOP/s");
        plot.Title(BenchText.Title(report.Network, report.Options, report.Device.Name), size: 15);
        plot.ShowLegend(Alignment.LowerRight);
        return plot;
    }

    private static Plot LayerTimes(BenchReport report)
    {
        string[] layers = [.. report.Steps.Select(step => step.Step.Layer).Distinct()];
        Plot plot = Picture.CreatePlot();
        for (int i = 0; i < layers.Length; i++)
        {
            double left = 0;
            foreach (StepTiming step in report.Steps.Where(step => step.Step.Layer == layers[i]))
            {
                double right = left + step.Time.Median.TotalMilliseconds;
                plot.Add.Bar(new Bar
                {
                    Orientation = Orientation.Horizontal,
                    Position = i,
                    ValueBase = left,
                    Value = right,
                    FillColor = Color(step.Step.Kind),
                    LineWidth = 0,
                });
                left = right;
            }
        }
        plot.Axes.Left.SetTicks([.. Enumerable.Range(0, layers.Length).Select(i => (double)i)], layers);
        plot.Axes.Left.MajorTickStyle.Length = 0;
        double longest = report.Steps.GroupBy(step => step.Step.Layer).Max(layer => layer.Sum(step => step.Time.Median.TotalMilliseconds));
        plot.Axes.SetLimits(0, 1.05 * longest, layers.Length - 0.4, -0.6); // the first layer on top
        plot.XLabel("ms");
        plot.Title(FormattableString.Invariant($"{report.StepsTime.TotalMilliseconds:0.0} ms call by call"), size: 15);
        PlanStepKind[] kinds = [.. report.Steps.Select(step => step.Step.Kind).Distinct().Order()];
        plot.ShowLegend([.. kinds.Select(kind => new LegendItem { LabelText = BenchText.Pass(kind), FillColor = Color(kind) })], Alignment.LowerRight);
        return plot;
    }

    // One per pass, the same in both plots; distinct for the colour-blind (Okabe and Ito's palette).
    private static Color Color(PlanStepKind kind) => ScottPlot.Color.FromHex(kind switch
    {
        PlanStepKind.Input => "#999999",
        PlanStepKind.Forward => "#0072B2",
        PlanStepKind.Loss => "#F0E442",
        PlanStepKind.BackwardData => "#D55E00",
        PlanStepKind.BackwardFilter => "#009E73",
        PlanStepKind.BackwardBias => "#CC79A7",
        _ => "#56B4E9",
    });

    private static double[] Logarithms(IEnumerable<double> values) => [.. values.Select(Math.Log10)];

    // The plotted values are logarithms.
    private static void LogarithmicTicks(IAxis axis) => axis.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic
    {
        MinorTickGenerator = new ScottPlot.TickGenerators.LogMinorTickGenerator(),
        IntegerTicksOnly = true,
        LabelFormatter = exponent => Math.Pow(10, exponent).ToString("G4", System.Globalization.CultureInfo.InvariantCulture),
    };
}
