namespace NinCudnn.Training;

/// <summary>What a network's class scores (logits) say.</summary>
public static class ClassScores
{
    /// <summary>The class with the greatest score, the first of several; -1 if a score is NaN. The loss kernel counts right answers in the same way.</summary>
    /// <param name="logits">(classes)</param>
    public static int Best(ReadOnlySpan<float> logits)
    {
        int best = 0;
        for (int c = 0; c < logits.Length; c++)
        {
            if (float.IsNaN(logits[c]))
                return -1;
            if (logits[c] > logits[best])
                best = c;
        }
        return best;
    }

    /// <summary>The given number of classes with the greatest scores, the greatest first; of equal ones the lower class.</summary>
    /// <param name="logits">(classes)</param>
    /// <param name="count">How many; all if there are fewer.</param>
    public static int[] Best(ReadOnlySpan<float> logits, int count)
    {
        float[] scores = logits.ToArray();
        return [.. Enumerable.Range(0, scores.Length).OrderByDescending(c => scores[c]).Take(count)];
    }

    /// <summary>
    /// Turns rows of scores into probabilities, in place: p[c] = exp(l[c] - m) / Σ_k exp(l[k] - m), m = max l, summed in float64. A row with NaN
    /// becomes NaN.
    /// </summary>
    /// <param name="scores">(N, classes)</param>
    /// <param name="classes">The length of a row.</param>
    /// <exception cref="ArgumentException">The length is no multiple of the classes.</exception>
    public static void Softmax(Span<float> scores, int classes)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(classes);
        if (scores.Length % classes != 0)
            throw new ArgumentException($"{scores.Length} scores are no rows of {classes}");
        for (; scores.Length > 0; scores = scores[classes..])
        {
            Span<float> row = scores[..classes];
            float greatest = float.NegativeInfinity;
            foreach (float score in row)
                greatest = MathF.Max(greatest, score); // NaN wins
            double sum = 0;
            foreach (float score in row)
                sum += Math.Exp((double)score - greatest);
            foreach (ref float score in row)
                score = (float)(Math.Exp((double)score - greatest) / sum);
        }
    }
}
