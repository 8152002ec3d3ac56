using System.CommandLine;
using System.CommandLine.Parsing;
using NinCudnn.Cli.Settings;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>A run that <c>--resume</c> goes on with.</summary>
internal sealed class ResumedRun
{
    private readonly List<string> _changes = [];
    private ParseResult? _before;

    private ResumedRun(string directory, string path, TrainingCheckpoint checkpoint)
    {
        Directory = directory;
        CheckpointPath = path;
        Checkpoint = checkpoint;
    }

    /// <summary>The run's directory.</summary>
    public string Directory { get; }

    public string CheckpointPath { get; }

    public TrainingCheckpoint Checkpoint { get; }

    /// <summary>What is not as it was, none of which changes the result.</summary>
    public IReadOnlyList<string> Changes => _changes;

    /// <summary>Reads the newest checkpoint of a run that is whole.</summary>
    /// <param name="path">The run's directory, or one of its checkpoints.</param>
    /// <exception cref="IOException">There is none, or it can't be read, or another process trains there.</exception>
    /// <exception cref="InvalidDataException">The checkpoint is damaged, or all of the run's are.</exception>
    public static ResumedRun Open(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (!System.IO.Directory.Exists(path))
        {
            TrainingCheckpoint one = TrainingCheckpoint.Load(path);
            string? parent = Path.GetDirectoryName(path), run = Path.GetDirectoryName(parent);
            return parent is not null && run is not null && RunDirectory.CheckpointsIn(run) == parent
                ? new ResumedRun(run, path, one)
                : throw new IOException($"{path} is not in the checkpoints of a run's directory, so there is no run to go on with");
        }

        RunDirectory.RequireIdle(path);
        string checkpoints = RunDirectory.CheckpointsIn(path);
        List<string> damaged = [];
        if (new CheckpointDirectory(checkpoints).LoadNewest(damaged.Add) is not var (checkpoint, file))
        {
            throw damaged.Count > 0
                ? new InvalidDataException($"no checkpoint of {path} can be read: {damaged[0]}")
                : new FileNotFoundException($"there is no checkpoint in {checkpoints}, so there is nothing to resume");
        }
        var resumed = new ResumedRun(path, file, checkpoint);
        resumed._changes.AddRange(damaged.Select(message => $"an older checkpoint, since {message}"));
        return resumed;
    }

    /// <summary>The command line with the options that the run was started with; those that are given go before.</summary>
    /// <exception cref="ArgumentException">Options exclude each other, or one would change the result.</exception>
    public ParseResult Complete(ParseResult given)
    {
        string[] words = [.. given.Tokens.Select(token => token.Value)], remembered = RunOptions.Read(Checkpoint);
        Command command = given.CommandResult.Command;
        Option[] options = [.. CommandTree.OwnOptions(command).Where(option => CommandTree.IsGiven(given, option))];
        if (options.FirstOrDefault(option => option.Name == "--output") is not null)
            throw new ArgumentException("--resume and --output exclude each other: a run goes on in its own directory");
        _before = Parse([.. CommandTree.Path(command), .. remembered]);
        // Behind the command's name, so that they come before any --.
        int end = given.Tokens.TakeWhile(token => token.Type != TokenType.Command).Count() + 1;
        ParseResult parsed = Parse(
            [.. words[..end], .. remembered.Where(argument => !options.Any(option => argument.StartsWith(option.Name + "=", StringComparison.Ordinal))), .. words[end..]]);
        _changes.AddRange(RunOptions.Differences(_before, parsed).Select(change => $"{change.Option.Name} {change.Now}, was {change.Before}"));
        return parsed;

        ParseResult Parse(string[] arguments)
        {
            ParseResult result = given.RootCommandResult.Command.Parse(arguments, given.Configuration);
            return result.Errors.Count == 0 ? result : throw new ArgumentException($"{result.Errors[0].Message.TrimEnd('.')} (an option that {CheckpointPath} remembers)");
        }
    }

    /// <summary>Refuses another recipe.</summary>
    /// <exception cref="ArgumentException">The message names the option.</exception>
    public void Check(TrainingRecipe recipe)
    {
        IReadOnlyDictionary<string, string?> before = RecipeValues.Of(Checkpoint.Recipe), now = RecipeValues.Of(recipe);
        foreach (var (name, value) in now)
        {
            if (name != "--epochs")
                Check(name, before[name], value);
        }
        if (recipe.Epochs == Checkpoint.Recipe.Epochs)
            return;
        if (recipe.Schedule is not ConstantSchedule)
            Check("--epochs", before["--epochs"], now["--epochs"], $": the schedule {RecipeNames.Of(recipe.Schedule)} depends on it");
        if (recipe.Epochs < Checkpoint.Position.Epochs.Count)
            throw new ArgumentException($"--epochs is {recipe.Epochs}, but {Checkpoint.Position.Epochs.Count} epochs are done");
        _changes.Add($"--epochs {recipe.Epochs}, was {Checkpoint.Recipe.Epochs}");
    }

    /// <summary>Refuses another way to carry the recipe out.</summary>
    /// <exception cref="ArgumentException">The message names the option.</exception>
    public void Check(ExecutionSettings execution)
    {
        ExecutionSettings before = Checkpoint.Execution;
        Check("--algorithms", $"{before.Algorithms}".ToLowerInvariant(), $"{execution.Algorithms}".ToLowerInvariant());
        Check("--deterministic", $"{before.Deterministic}".ToLowerInvariant(), $"{execution.Deterministic}".ToLowerInvariant());
        Check("--workspace-limit", FormattableString.Invariant($"{before.WorkspaceLimit}"), FormattableString.Invariant($"{execution.WorkspaceLimit}"));
    }

    /// <summary>Refuses another value of an option.</summary>
    /// <exception cref="ArgumentException">The message names the option.</exception>
    public void Check<T>(Option<T> option, ParseResult parsed) => Check(option.Name, _before!.GetValue(option)?.ToString(), parsed.GetValue(option)?.ToString());

    /// <summary>Refuses another value of an option.</summary>
    /// <exception cref="ArgumentException">The message names the option.</exception>
    public static void Check(string option, string? before, string? now, string reason = "")
    {
        if (before != now)
            throw new ArgumentException($"{option} is {now ?? "not given"}, but the run began with {before ?? "none"}; a run that goes on must keep it{reason}");
    }

    /// <summary>Lets a trainer go on.</summary>
    /// <exception cref="ArgumentException">The network is another.</exception>
    /// <exception cref="InvalidDataException">The data are others.</exception>
    public void Restore(Trainer trainer)
    {
        Architecture before = Checkpoint.Model.Architecture, now = trainer.Model.Architecture;
        if (ArchitectureJson.Write(before) != ArchitectureJson.Write(now))
            throw new ArgumentException($"--arch is {now.Name}, which differs from {before.Name} that the run began with; a run that goes on must keep it");
        trainer.Restore(Checkpoint);
    }

    /// <summary>Says what else is not as it was, by the runs' documents.</summary>
    public void Compare(RunDocument before, RunDocument now)
    {
        if (before.Device.Name != now.Device.Name || before.Device.Multiprocessors != now.Device.Multiprocessors)
            _changes.Add($"device {now.Device.Name} with {now.Device.Multiprocessors} processors, was {before.Device.Name} with {before.Device.Multiprocessors}");
        _changes.AddRange(RunText.Versions(before).Join(
            RunText.Versions(now), entry => entry.Name, entry => entry.Name, (old, current) => (old.Name, Before: old.Value, Now: current.Value))
            .Where(entry => entry.Before != entry.Now).Select(entry => $"{entry.Name} {entry.Now}, was {entry.Before}"));
    }
}
