using System.CommandLine;
using NinCudnn.Cli.Output;
using NinCudnn.Interop;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>A run from its first step, or where it was interrupted, to its end: one attempt, and others with the next seeds if the network dies.</summary>
/// <param name="task">What is to be trained.</param>
/// <param name="seed">The first attempt's seed.</param>
/// <param name="resumed">Where the run goes on; null for a new one.</param>
internal sealed class TrainingAttempts(TrainingTask task, ulong seed, ResumedRun? resumed)
{
    private readonly List<RunDeath> _deaths = [.. resumed is null ? [] : RunOptions.ReadDeaths(resumed.Checkpoint)];
    private TrainingTask _task = task;
    private ulong _seed = seed;
    private ResumedRun? _resumed = resumed;
    private RunDirectory? _directory; // is made when there is a trainer, so that nothing is left of a run that can't begin

    /// <summary>A new run's directory; null for one of its own making.</summary>
    public required string? Output { get; init; }

    /// <summary>The words behind <c>nin</c>.</summary>
    public required IReadOnlyList<string> CommandLine { get; init; }

    /// <summary>The options that checkpoints are to remember.</summary>
    public required ParseResult Options { get; init; }

    /// <summary>How many of the newest checkpoints stay; 0 for none.</summary>
    public required int Keep { get; init; }

    /// <summary>Steps between checkpoints within an epoch; null for none there.</summary>
    public required int? CheckpointEvery { get; init; }

    public required NonFiniteAction OnNonFinite { get; init; }

    public required bool DebugNumerics { get; init; }

    /// <summary>How often the run may begin again, in all.</summary>
    public required int MaxRestarts { get; init; }

    public required bool WritesReport { get; init; }

    public required bool WritesTensorBoard { get; init; }

    /// <summary>Trains.</summary>
    /// <param name="createReporter">Makes what tells of an attempt.</param>
    /// <param name="stop">Ends the run early.</param>
    /// <returns>Whether it was trained to its last epoch.</returns>
    public bool Run(Func<RunInfo, RunReporter> createReporter, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                RunOutcome outcome = Attempt(createReporter, stop);
                if (outcome.Death is not { } death)
                    return outcome.IsFinished;
                _deaths.Add(new RunDeath(_seed, death.Epoch, death.Step, death.Since));
                _seed++;
                _resumed = null;
                _directory!.BeginAgain();
            }
        }
        catch (Exception e) when (_directory is not null)
        {
            RunRecorder.Failed(_directory, e);
            throw;
        }
        finally
        {
            _directory?.Dispose();
        }
    }

    private RunOutcome Attempt(Func<RunInfo, RunReporter> createReporter, CancellationToken stop)
    {
        (Trainer made, PrecisionChoice precision) = _task.CreateTrainer(_seed);
        _task = _task with { Precision = precision };
        using Trainer trainer = made;
        trainer.OnNonFinite = OnNonFinite;
        trainer.DebugNumerics = DebugNumerics;
        _resumed?.Restore(trainer);
        RunDirectory directory = _directory ??= _resumed is null
            ? RunDirectory.Create(Output, _task.Recipe.Name)
            : RunDirectory.Resume(_resumed.Directory, _resumed.Checkpoint.Position);
        if (Keep > 0)
        {
            trainer.Checkpoints = new CheckpointSettings(new CheckpointDirectory(RunDirectory.CheckpointsIn(directory.Path)))
            {
                Keep = Keep,
                EverySteps = CheckpointEvery,
                Notes = RunOptions.Notes(Options, _deaths),
            };
            if (_resumed is null && _deaths.Count > 0)
                ReplaceCheckpoints(trainer, trainer.Checkpoints);
        }
        string provider = _task.Device.Provider == NativeProvider.Cuda ? "cuda" : "cpu";
        var run = new RunInfo(_seed, _task.Dataset, trainer.Model, provider, precision, directory)
        {
            CommandLine = CommandLine,
            Deaths = [.. _deaths],
            RestartsLeft = Math.Max(MaxRestarts - _deaths.Count, 0),
            Resumed = _resumed,
        };
        RunReporter reporter = createReporter(run);
        if (run.RestartsLeft > 0 && _resumed?.Checkpoint.Position.Death is { } death)
        {
            reporter.Died(death); // before it was interrupted, or when it had no restart left
            return new RunOutcome(false, death);
        }
        var training = new RecordedTraining(trainer, run, _task, reporter)
        {
            WritesReport = WritesReport,
            WritesTensorBoard = WritesTensorBoard,
        };
        return training.Run(stop);
    }

    /// <summary>
    /// Puts a trainer that begins in place of another whose checkpoints are there. Until its own is, the run goes on from the other's, which is dead, and
    /// begins again.
    /// </summary>
    private static void ReplaceCheckpoints(Trainer trainer, CheckpointSettings settings)
    {
        TrainingCheckpoint first = trainer.DownloadCheckpoint(settings.Notes);
        first.Save(settings.Directory.FileOf(first.Position.Step));
        trainer.Restore(first); // by which it takes the later ones for its own, and deletes them
    }
}
