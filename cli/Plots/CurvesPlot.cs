using NinCudnn.Cli.Runs;
using ScottPlot;

namespace NinCudnn.Cli.Plots;

/// <summary>A run's curves over the epochs on one axis, as Dive into Deep Learning draws them.</summary>
internal static class CurvesPlot
{
    private static readonly (int Width, int Height) _size = (800, 520);

    private static readonly LinePattern _dashDotted = new([8, 3, 2, 3], 0, "dash-dotted");

    public static void Save(string path, RunHistory history, int epochs)
    {
        Plot plot = Picture.CreatePlot();
        Add(plot, "train loss", history.TrainLoss, "#1f77b4", LinePattern.Solid);
        Add(plot, "train acc", history.TrainAccuracy, "#bf00bf", LinePattern.Dashed);
        Add(plot, "test acc", history.TestAccuracy, "#008000", _dashDotted);
        plot.XLabel("epoch");
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { IntegerTicksOnly = true };
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { MinimumTickSpacing = 40 };
        double highest = Finite(history.TrainLoss).Select(point => point.Value).Append(1).Max();
        plot.Axes.SetLimits(0, epochs, 0, 1.05 * highest);
        plot.Legend.SymbolWidth = 40; // else a dash is all that is seen of a pattern
        plot.ShowLegend(Alignment.UpperRight);
        Picture.Save(path, _size, plot);
    }

    private static void Add(Plot plot, string name, List<CurvePoint> points, string colour, LinePattern pattern)
    {
        CurvePoint[] finite = [.. Finite(points)];
        double[] epochs = [.. finite.Select(point => point.Epoch)], values = [.. finite.Select(point => point.Value)];
        var line = plot.Add.ScatterLine(epochs, values, Color.FromHex(colour));
        line.LegendText = name;
        line.LinePattern = pattern;
        line.LineWidth = 2;
        if (finite.Length == 1)
            line.MarkerSize = 7; // a line needs two points
    }

    /// <summary>A loss that is no number any more has no place.</summary>
    private static IEnumerable<CurvePoint> Finite(IEnumerable<CurvePoint> points) => points.Where(point => double.IsFinite(point.Value));
}
