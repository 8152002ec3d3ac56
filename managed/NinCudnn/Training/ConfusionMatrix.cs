namespace NinCudnn.Training;

/// <summary>How often samples of one class were taken for another.</summary>
/// <param name="Actual">The class that they have.</param>
/// <param name="Predicted">The class that they were taken for.</param>
/// <param name="Count">How often, at least once.</param>
public readonly record struct Confusion(int Actual, int Predicted, long Count);

/// <summary>How well a class is recognised.</summary>
/// <param name="Samples">Samples of the class.</param>
/// <param name="Predicted">Samples that were taken for the class.</param>
/// <param name="Correct">Samples of the class that were taken for it.</param>
public readonly record struct ClassMetrics(long Samples, long Predicted, long Correct)
{
    /// <summary>Correct / Predicted: how far an answer can be trusted; null if there is none.</summary>
    public double? Precision => Predicted > 0 ? (double)Correct / Predicted : null;

    /// <summary>Correct / Samples: how much of the class is found; null if there is nothing to find.</summary>
    public double? Recall => Samples > 0 ? (double)Correct / Samples : null;

    /// <summary>2·Correct / (Samples + Predicted), the harmonic mean of precision and recall; null if the class has no samples.</summary>
    public double? F1 => Samples > 0 ? 2.0 * Correct / (Samples + Predicted) : null;
}

/// <summary>
/// Counts which classes samples have and which they are taken for. Cells that are zero take no memory. One thread at a time may use it.
/// </summary>
public sealed class ConfusionMatrix
{
    private readonly Dictionary<(int Actual, int Predicted), long> _counts = [];
    private readonly long[] _samples;
    private readonly long[] _predicted;

    /// <summary>Makes a matrix of zeros.</summary>
    /// <param name="classes">The number of classes.</param>
    public ConfusionMatrix(int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        _samples = new long[classes];
        _predicted = new long[classes];
    }

    /// <summary>The number of classes.</summary>
    public int Classes => _samples.Length;

    /// <summary>All samples.</summary>
    public long Samples { get; private set; }

    /// <summary>Those on the diagonal.</summary>
    public long Correct { get; private set; }

    /// <summary>How often samples of one class were taken for another.</summary>
    public long this[int actual, int predicted] => _counts.GetValueOrDefault((actual, predicted));

    /// <summary>The cells that are not zero, by actual class, then by predicted class.</summary>
    public IEnumerable<Confusion> Cells => _counts.Select(cell => new Confusion(cell.Key.Actual, cell.Key.Predicted, cell.Value))
        .OrderBy(cell => cell.Actual).ThenBy(cell => cell.Predicted);

    /// <summary>The cells off the diagonal, the greatest first.</summary>
    public IEnumerable<Confusion> Mistakes => Cells.Where(cell => cell.Actual != cell.Predicted).OrderByDescending(cell => cell.Count);

    /// <summary>Counts a sample.</summary>
    /// <param name="actual">Its class.</param>
    /// <param name="predicted">What it is taken for; -1 for nothing, when its scores are no numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such class.</exception>
    public void Add(int actual, int predicted)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(actual);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(actual, Classes);
        ArgumentOutOfRangeException.ThrowIfLessThan(predicted, -1);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(predicted, Classes);
        Samples++;
        _samples[actual]++;
        if (predicted < 0)
            return;
        _predicted[predicted]++;
        _counts[(actual, predicted)] = this[actual, predicted] + 1;
        if (actual == predicted)
            Correct++;
    }

    /// <summary>How well a class is recognised.</summary>
    public ClassMetrics Of(int label) => new(_samples[label], _predicted[label], this[label, label]);

    /// <summary>Sets all to zero.</summary>
    public void Clear()
    {
        _counts.Clear();
        Array.Clear(_samples);
        Array.Clear(_predicted);
        (Samples, Correct) = (0, 0);
    }
}
