using NinCudnn.Data;
using NinCudnn.Training;

namespace NinCudnn.Cli;

/// <summary>A wrong answer.</summary>
/// <param name="Sample">The sample's position in the test set.</param>
/// <param name="Actual">Its class.</param>
/// <param name="Predicted">What it was taken for.</param>
/// <param name="Probability">How sure the network was, 0 to 1.</param>
internal sealed record Mistake(int Sample, int Actual, int Predicted, float Probability);

/// <summary>What an evaluation answered for a test set: the confusion matrix, and the wrong answers that the network was surest of.</summary>
internal sealed class TestPredictions(ImageDataset testSet) : ITrainingObserver
{
    private const int KeptMistakes = 24;

    // The least sure one comes out first; of equally sure ones that of the later sample.
    private readonly PriorityQueue<Mistake, (float Probability, int Place)> _mistakes = new();
    private readonly float[] _probabilities = new float[testSet.Classes];

    public ImageDataset TestSet => testSet;

    /// <summary>Whether nothing was answered yet.</summary>
    public bool IsEmpty { get; private set; } = true;

    public ConfusionMatrix Confusion { get; } = new(testSet.Classes);

    /// <summary>The classes that the test set has images of, but that none was taken for.</summary>
    public string[] NeverPredicted => IsEmpty ? [] : [.. testSet.ClassNames.Where((_, label) => Confusion.Of(label) is { Samples: > 0, Predicted: 0 })];

    /// <summary>The surest first.</summary>
    public Mistake[] Mistakes =>
        [.. _mistakes.UnorderedItems.Select(item => item.Element).OrderByDescending(mistake => mistake.Probability).ThenBy(mistake => mistake.Sample)];

    public void TestLogits(int epoch, int first, ReadOnlySpan<float> logits) => Add(first, logits);

    /// <summary>Takes the next samples' logits; those of the first sample begin anew.</summary>
    public void Add(int first, ReadOnlySpan<float> logits)
    {
        IsEmpty = false;
        if (first == 0)
        {
            Confusion.Clear();
            _mistakes.Clear();
        }
        for (int sample = first; logits.Length > 0; sample++, logits = logits[testSet.Classes..])
        {
            ReadOnlySpan<float> row = logits[..testSet.Classes];
            int actual = testSet.Labels[sample], predicted = ClassScores.Best(row);
            Confusion.Add(actual, predicted);
            if (predicted < 0 || predicted == actual)
                continue;
            row.CopyTo(_probabilities);
            ClassScores.Softmax(_probabilities, testSet.Classes);
            float probability = _probabilities[predicted];
            _mistakes.Enqueue(new Mistake(sample, actual, predicted, probability), (probability, -sample));
            if (_mistakes.Count > KeptMistakes)
                _mistakes.Dequeue();
        }
    }
}
