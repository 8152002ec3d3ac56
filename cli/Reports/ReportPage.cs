using NinCudnn.Cli.Output;
using NinCudnn.Cli.Plots;
using NinCudnn.Cli.Runs;
using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Training;
using SkiaSharp;

namespace NinCudnn.Cli.Reports;

/// <summary>A run as one page that needs nothing but itself: no scripts, all pictures inside. It follows the reader's choice of light or dark.</summary>
internal static class ReportPage
{
    private const int MatrixClasses = ConfusionText.MatrixClasses;

    private static readonly Lazy<string> _style = new(() =>
    {
        using var reader = new StreamReader(typeof(ReportPage).Assembly.GetManifestResourceStream("report.css")!);
        return reader.ReadToEnd();
    });

    /// <param name="content">What is to be shown.</param>
    /// <param name="curves">The picture of the curves, a PNG file.</param>
    public static Html Create(ReportContent content, byte[] curves)
    {
        string name = Path.GetFileName(Path.TrimEndingDirectorySeparator(content.Directory));
        return Html.Of(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>{name}</title>
            <style>
            {new Html(_style.Value)}</style>
            </head>
            <body>
            <header><h1>{name}</h1><p>{content.Run.Start.Architecture} on {content.Run.Data.Name}, {content.Run.Started:yyyy-MM-dd HH:mm}</p></header>
            <main>
            {Figures(content.Run)}
            {Trouble(content.Run.End!)}
            {Section("Curves", Html.Of($"""<img class="plot" src="{Png(curves)}" alt="training loss, training accuracy and test accuracy by epoch">"""))}
            {Section("Confusion", Confusion(content))}
            {Section("Classes", Classes(content))}
            {Section("Worst mistakes", Mistakes(content))}
            {Section("First filters", Filters(content.Model))}
            {Section("Time by layer", Layers(content))}
            {Section("Run", Facts(content.Run))}
            </main>
            <footer>nin {content.Run.Versions.Nin}</footer>
            </body>
            </html>

            """);
    }

    private static Html Section(string title, Html body) => Html.Of(
        $"""
        <section><h2>{title}</h2>
        {body}
        </section>
        """);

    private static Html Figures(RunDocument run)
    {
        EndEvent end = run.End!;
        return Html.Of(
            $"""
            <dl class="figures">
            {Figure("test accuracy", Percent(end.TestAccuracy))}
            {Figure("train accuracy", Percent(end.TrainAccuracy))}
            {Figure("train loss", ConfusionText.Share(end.TrainLoss))}
            {Figure("epochs", FormattableString.Invariant($"{end.Epoch} of {run.Start.Epochs}"))}
            {Figure("samples/s", FormattableString.Invariant($"{end.SamplesPerSecond:0}"))}
            {Figure("time", ReportText.Duration(TimeSpan.FromSeconds(end.Seconds)))}
            </dl>
            """);

        static Html Figure(string name, string value) => Html.Of($"<div><dt>{name}</dt><dd>{value}</dd></div>\n");
    }

    /// <summary>What docs/numerics.md is about.</summary>
    private static Html Trouble(EndEvent end)
    {
        string?[] lines =
        [
            end.Dead ? "the network is dead: all class scores are equal, and no gradient is left" : null,
            ReportText.NeverPredicted(end.NeverPredicted ?? [], end.Dead),
            end.SkippedSteps > 0 ? FormattableString.Invariant($"of {end.Step} steps, {ReportText.Skipped(end.SkippedSteps, end.FirstNonfiniteStep)}") : null,
        ];
        return Html.Join(lines.OfType<string>().Select(line => Html.Of($"<p>{line}</p>\n")));
    }

    private static Html Confusion(ReportContent content)
    {
        ConfusionMatrix matrix = content.Predictions.Confusion;
        IReadOnlyList<string> names = content.Model.Description.ClassNames;
        if (matrix.Classes > MatrixClasses)
        {
            return Table(
                ["images of", "taken for", "images", "share"],
                matrix.Mistakes.Take(ConfusionText.WorstPairs).Select(cell => Html.Of(
                    $"""
                    <tr><th>{names[cell.Actual]}</th><td>{names[cell.Predicted]}</td><td>{cell.Count}</td>
                    <td>{Percent((double)cell.Count / matrix.Of(cell.Actual).Samples)}</td></tr>

                    """)),
                numbersFrom: 2);
        }

        int[] labels = [.. Enumerable.Range(0, matrix.Classes)];
        return Html.Of(
            $"""
            <p>A row holds the images of a class, a column what they were taken for. The colour is the share of the row.</p>
            <div class="wide"><table class="matrix">
            <thead><tr><th></th>{Html.Join(labels.Select(label => Html.Of($"<th><span>{names[label]}</span></th>")))}</tr></thead>
            <tbody>
            {Html.Join(labels.Select(Row))}</tbody>
            </table></div>
            """);

        Html Row(int actual) => Html.Of($"<tr><th>{names[actual]}</th>{Html.Join(labels.Select(predicted => Cell(actual, predicted)))}</tr>\n");

        Html Cell(int actual, int predicted)
        {
            long count = matrix[actual, predicted];
            if (count == 0)
                return new Html("<td></td>");
            double share = (double)count / matrix.Of(actual).Samples;
            // The root makes rare mistakes visible.
            return Html.Of($"""<td class="{(actual == predicted ? "right" : "wrong")}" style="--share:{Math.Sqrt(share):0.###}">{count}</td>""");
        }
    }

    private static Html Classes(ReportContent content)
    {
        ConfusionMatrix matrix = content.Predictions.Confusion;
        return Table(
            ["class", "images", "precision", "recall", "F1"],
            content.Model.Description.ClassNames.Select((name, label) =>
            {
                ClassMetrics metrics = matrix.Of(label);
                return Html.Of(
                    $"""
                    <tr><th>{name}</th><td>{metrics.Samples}</td>
                    <td>{Percent(metrics.Precision)}</td><td>{Percent(metrics.Recall)}</td><td>{Percent(metrics.F1)}</td></tr>

                    """);
            }),
            numbersFrom: 1);
    }

    private static Html Mistakes(ReportContent content)
    {
        ImageDataset images = content.Predictions.TestSet;
        Mistake[] mistakes = content.Predictions.Mistakes;
        if (mistakes.Length == 0)
            return new Html("<p>There are none.</p>");
        return Html.Of(
            $"""
            <p>The wrong answers that the network was surest of: what it took the image for, how probable it held that, and what it is.</p>
            <div class="mistakes">
            {Html.Join(mistakes.Select(Figure))}</div>
            """);

        Html Figure(Mistake mistake)
        {
            using SKBitmap picture = PixelPicture.Create(images.Image(mistake.Sample), images.Height, images.Width, images.Channels);
            return Html.Of(
                $"""
                <figure><img src="{Png(PixelPicture.EncodePng(picture))}" alt="test image {mistake.Sample}">
                <figcaption><b>{images.ClassNames[mistake.Predicted]}</b> {Percent(mistake.Probability)}<br>is {images.ClassNames[mistake.Actual]}</figcaption></figure>

                """);
        }
    }

    private static Html Filters(ModelFile model)
    {
        Parameter filter = Parameter.Enumerate(model.Description.Architecture)[0];
        using SKBitmap picture = FilterPicture.Create(filter, model.Parameters[filter.Name]);
        return Html.Of(
            $"""
            <p>The {filter.Shape[0]} filters of {filter.Shape[2]}×{filter.Shape[3]} in {filter.Name}: grey is zero, each scaled by itself.</p>
            <img class="filters" src="{Png(PixelPicture.EncodePng(picture))}" alt="filters of the first layer">
            """);
    }

    private static Html Layers(ReportContent content)
    {
        if (content.LayerTimes is not { } layers)
            return Html.Of($"<p>Not measured: {content.NoLayerTimes}</p>");
        double total = layers.Sum(layer => layer.Total.TotalMilliseconds), longest = layers.Max(layer => layer.Total.TotalMilliseconds);
        return Html.Of(
            $"""
            <p>A training step on synthetic images, call by call: {total:0.0} ms.
            <span class="key forward"></span> forward <span class="key backward"></span> backward <span class="key other"></span> other</p>
            {Table(["layer", "ms", "share", ""], layers.Select(Row), numbersFrom: 1)}
            """);

        Html Row(LayerTime layer) => Html.Of(
            $"""
            <tr><th>{layer.Layer}</th><td>{layer.Total.TotalMilliseconds:0.00}</td><td>{Percent(layer.Total.TotalMilliseconds / total)}</td>
            <td class="bars">{Bar("forward", layer.Forward)}{Bar("backward", layer.Backward)}{Bar("other", layer.Other)}</td></tr>

            """);

        Html Bar(string kind, TimeSpan time) => time == TimeSpan.Zero
            ? Html.Empty
            : Html.Of($"""<span class="bar {kind}" style="width:{100 * time.TotalMilliseconds / longest:0.##}%"></span>""");
    }

    private static Html Facts(RunDocument run)
    {
        StartEvent start = run.Start;
        (string Name, string Value)[] facts =
        [
            ("command", $"nin {string.Join(' ', run.CommandLine)}"),
            ("device", $"{run.Device.Name} ({start.DeviceReason})"),
            .. RunText.Options(run),
            .. RunText.Data(run),
            .. RunText.Versions(run),
        ];
        return Html.Of(
            $"""
            <div class="wide"><table class="facts">
            <tbody>
            {Html.Join(facts.Select(fact => Html.Of($"<tr><th>{fact.Name}</th><td>{fact.Value}</td></tr>\n")))}</tbody>
            </table></div>
            """);
    }

    private static Html Table(string[] header, IEnumerable<Html> rows, int numbersFrom) => Html.Of(
        $"""
        <div class="wide"><table class="numbers-from-{numbersFrom}">
        <thead><tr>{Html.Join(header.Select(title => Html.Of($"<th>{title}</th>")))}</tr></thead>
        <tbody>
        {Html.Join(rows)}</tbody>
        </table></div>
        """);

    private static string Percent(double? share) =>
        share is { } value ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{100 * value:0.0}%") : "–";

    private static string Png(byte[] file) => $"data:image/png;base64,{Convert.ToBase64String(file)}";
}
