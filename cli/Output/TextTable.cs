namespace NinCudnn.Cli.Output;

/// <summary>A table of plain text whose columns are as wide as they need, on terminals and in files alike.</summary>
internal static class TextTable
{
    private const string Gap = "  ";

    /// <summary>Writes a header, a rule and the rows.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="header">The columns' titles.</param>
    /// <param name="rows">As many cells each.</param>
    /// <param name="firstNumber">The first column that is aligned to the right, as are those behind it.</param>
    public static void Write(TextWriter output, string[] header, IReadOnlyList<string[]> rows, int firstNumber)
    {
        int[] widths = [.. header.Select((title, i) => rows.Append(header).Max(row => row[i].Length))];
        WriteRow(header);
        output.WriteLine(new string('-', widths.Sum() + Gap.Length * (widths.Length - 1)));
        foreach (string[] row in rows)
            WriteRow(row);

        void WriteRow(string[] cells) => output.WriteLine(string.Join(
            Gap, cells.Select((cell, i) => i < firstNumber ? cell.PadRight(widths[i]) : cell.PadLeft(widths[i]))).TrimEnd());
    }
}
