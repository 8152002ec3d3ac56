using System.Globalization;
using NinCudnn.Training;

namespace NinCudnn.Cli.Output;

/// <summary>A confusion matrix for people, and its parts for programs.</summary>
internal static class ConfusionText
{
    /// <summary>The most classes that are shown as a matrix; of more there are <see cref="WorstPairs"/>.</summary>
    public const int MatrixClasses = 20;

    public const int WorstPairs = 20;

    public static void Write(TextWriter output, ConfusionMatrix matrix, IReadOnlyList<string> names)
    {
        bool isMatrix = matrix.Classes <= MatrixClasses;
        int[] columns = isMatrix ? [.. Enumerable.Range(0, matrix.Classes)] : [];
        output.WriteLine();
        TextTable.Write(
            output,
            [isMatrix ? "images of, taken for" : "class", .. columns.Select(Number), "images", "precision", "recall", "F1"],
            [
                .. names.Select((name, label) =>
                {
                    ClassMetrics metrics = matrix.Of(label);
                    string[] cells = [.. columns.Select(predicted => matrix[label, predicted] is > 0 and var count ? Number(count) : ".")];
                    return (string[])
                    [
                        isMatrix ? $"{Number(label)} {name}" : name, .. cells,
                        Number(metrics.Samples), Share(metrics.Precision), Share(metrics.Recall), Share(metrics.F1),
                    ];
                }),
            ],
            firstNumber: 1);
        if (isMatrix || matrix.Correct == matrix.Samples)
            return;
        output.WriteLine();
        TextTable.Write(
            output,
            ["images of", "taken for", "images", "share"],
            [
                .. matrix.Mistakes.Take(WorstPairs).Select(cell => (string[])
                [
                    names[cell.Actual], names[cell.Predicted], Number(cell.Count), Share((double)cell.Count / matrix.Of(cell.Actual).Samples),
                ]),
            ],
            firstNumber: 2);
    }

    public static ClassEntry[] Classes(ConfusionMatrix matrix, IReadOnlyList<string> names) =>
    [
        .. names.Select((name, label) =>
        {
            ClassMetrics metrics = matrix.Of(label);
            return new ClassEntry(name, metrics.Samples, metrics.Predicted, metrics.Correct, metrics.Precision, metrics.Recall, metrics.F1);
        }),
    ];

    public static ConfusionEntry[] Cells(ConfusionMatrix matrix, IReadOnlyList<string> names) =>
        [.. matrix.Cells.Select(cell => new ConfusionEntry(names[cell.Actual], names[cell.Predicted], cell.Count))];

    /// <summary>Four digits, or a dash where there is nothing to share.</summary>
    public static string Share(double? share) => share?.ToString("0.0000", CultureInfo.InvariantCulture) ?? "-";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Number(int number) => Number((long)number);
}
