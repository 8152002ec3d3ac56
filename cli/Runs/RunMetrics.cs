using System.Text.Json;
using NinCudnn.Cli.Output;
using NinCudnn.Formats;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>What a run's metrics.jsonl held when it was told to go on.</summary>
/// <param name="HasStart">Whether it began with a <c>start</c>.</param>
/// <param name="Progress">What was told of steps.</param>
/// <param name="Epochs">What was told of epochs.</param>
internal sealed record RunMetrics(bool HasStart, IReadOnlyList<ProgressEvent> Progress, IReadOnlyList<EpochEvent> Epochs)
{
    public static RunMetrics None { get; } = new(false, [], []);

    /// <summary>
    /// Takes out of the file what the run is going to tell again: all that came behind a checkpoint, the end that was none, and a last line that
    /// was cut off when the process was killed.
    /// </summary>
    /// <param name="path">The file, which need not be there.</param>
    /// <param name="position">Where the run goes on.</param>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public static RunMetrics Rewind(string path, TrainingPosition position)
    {
        bool hasStart = false;
        List<ProgressEvent> progress = [];
        List<EpochEvent> epochs = [];
        Filter(path, Keep);
        return new RunMetrics(hasStart, progress, epochs);

        bool Keep(string line)
        {
            try
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement root = document.RootElement;
                switch (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("event", out JsonElement name) ? name.ToString() : null)
                {
                    case "start":
                        return !hasStart && (hasStart = true);
                    case "progress":
                        ProgressEvent step = root.Deserialize(JsonEventsContext.Default.ProgressEvent)!;
                        return Add(progress, step, step.Epoch < position.Epoch || step.Step < position.Step);
                    case "dead":
                        DeathEvent death = root.Deserialize(JsonEventsContext.Default.DeathEvent)!;
                        return !hasStart || death.Epoch < position.Epoch || death.Step < position.Step || death.Step == position.Death?.Step; // those of attempts before come before the start
                    case "epoch":
                        EpochEvent epoch = root.Deserialize(JsonEventsContext.Default.EpochEvent)!;
                        return Add(epochs, epoch, epoch.Epoch < position.Epoch);
                    default:
                        return false;
                }
            }
            catch (JsonException)
            {
                return false;
            }
        }

        static bool Add<T>(List<T> list, T item, bool isKept)
        {
            if (isKept)
                list.Add(item);
            return isKept;
        }
    }

    /// <summary>Takes out of the file all but the <c>dead</c> of attempts that have come to nothing.</summary>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public static void KeepDeaths(string path) => Filter(path, line => line.StartsWith("{\"event\":\"dead\"", StringComparison.Ordinal));

    private static void Filter(string path, Func<string, bool> keep)
    {
        using var file = new AtomicFile(path);
        using (var writer = new StreamWriter(file.Stream, leaveOpen: true))
        {
            foreach (string line in File.Exists(path) ? File.ReadLines(path) : [])
            {
                if (keep(line))
                    writer.WriteLine(line);
            }
        }
        file.Finish();
        file.Commit();
    }
}
