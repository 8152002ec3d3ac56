using NinCudnn.Cli.Runs;
using NinCudnn.Training;
using Spectre.Console;

namespace NinCudnn.Cli.Output;

/// <summary>What a report says about a run as a whole.</summary>
/// <param name="Seed">The run's seed.</param>
/// <param name="Dataset">The data set's name.</param>
/// <param name="Model">The network.</param>
/// <param name="Provider">cuda or cpu.</param>
/// <param name="Precision">What it computes in, and why.</param>
/// <param name="Directory">Where the run's files are.</param>
internal sealed record RunInfo(ulong Seed, string Dataset, ModelDescription Model, string Provider, PrecisionChoice Precision, RunDirectory Directory)
{
    /// <summary>The words behind <c>nin</c>, with those that settings add.</summary>
    public required IReadOnlyList<string> CommandLine { get; init; }

    /// <summary>The attempts before, whose networks died.</summary>
    public IReadOnlyList<RunDeath> Deaths { get; init; } = [];

    /// <summary>How often the run may begin again with another seed if its network dies.</summary>
    public int RestartsLeft { get; init; }

    /// <summary>Where it goes on; null for a new run.</summary>
    public ResumedRun? Resumed { get; init; }
}

/// <summary>Tells how a run goes, in one form.</summary>
internal abstract class RunReporter : ITrainingObserver
{
    /// <summary>Makes the one that is asked for.</summary>
    /// <param name="run">The run.</param>
    /// <param name="isJson">Whether a program reads standard output.</param>
    /// <param name="isLive">Whether it is a terminal that people look at.</param>
    public static RunReporter Create(RunInfo run, bool isJson, bool isLive) =>
        isJson ? new JsonReporter(Console.Out, run)
        : isLive ? new TerminalReporter(AnsiConsole.Console, run)
        : new PlainReporter(Console.Out, run);

    public abstract void Started(TrainingStart start);

    public abstract void Progressed(TrainingProgress progress);

    public abstract void Died(NetworkDeath death);

    public virtual void Evaluating(int epoch, double share)
    {
    }

    public abstract void EpochEnded(EpochResult epoch);

    /// <summary>After the last step, with everything saved.</summary>
    /// <param name="result">How it went.</param>
    /// <param name="neverPredicted">The classes that no test image was taken for in the last evaluation.</param>
    public abstract void Ended(TrainingResult result, IReadOnlyList<string> neverPredicted);

    /// <summary>Calls <paramref name="train"/>; a live display surrounds it.</summary>
    public virtual TrainingResult Around(Func<TrainingResult> train) => train();

    /// <summary>Calls something that takes a while, behind the training.</summary>
    /// <param name="what">What it does.</param>
    /// <param name="action">Does it.</param>
    public virtual void While(string what, Action action) => action();

    /// <summary>Says something that ends nothing.</summary>
    public virtual void Note(string message) => Failure.Write(message);
}

/// <summary>Passes everything on to several observers.</summary>
internal sealed class Observers(params ITrainingObserver[] observers) : ITrainingObserver
{
    public void Started(TrainingStart start) => Array.ForEach(observers, observer => observer.Started(start));

    public void Progressed(TrainingProgress progress) => Array.ForEach(observers, observer => observer.Progressed(progress));

    public void Died(NetworkDeath death) => Array.ForEach(observers, observer => observer.Died(death));

    public void Evaluating(int epoch, double share) => Array.ForEach(observers, observer => observer.Evaluating(epoch, share));

    public void TestLogits(int epoch, int first, ReadOnlySpan<float> logits)
    {
        foreach (ITrainingObserver observer in observers)
            observer.TestLogits(epoch, first, logits);
    }

    public void EpochEnded(EpochResult epoch) => Array.ForEach(observers, observer => observer.EpochEnded(epoch));
}
