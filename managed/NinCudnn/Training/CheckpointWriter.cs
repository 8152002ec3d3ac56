namespace NinCudnn.Training;

/// <summary>
/// Writes a run's checkpoints on another thread, one at a time: what trains only queues a copy and goes on, unless the one before is still being
/// written. A failed write is thrown to it at the next opportunity. Owns pinned memory.
/// </summary>
internal sealed class CheckpointWriter : IDisposable
{
    private readonly CheckpointSettings _settings;
    private readonly TrainingSnapshot _snapshot;
    private readonly Func<TrainingSnapshot, TrainingPosition, TrainingCheckpoint> _read;
    private Task _write = Task.CompletedTask;
    private (long Step, int Epoch) _written; // evaluated or not, the last step of an epoch is the same step

    /// <param name="settings">Where and when.</param>
    /// <param name="snapshot">Copies of what is on the device; owned by this.</param>
    /// <param name="read">Makes a checkpoint of a copy that has come; runs on another thread.</param>
    /// <param name="position">Where the run begins.</param>
    /// <param name="isContinued">Whether it has been trained before.</param>
    /// <exception cref="IOException">The directory can't be written, or holds another run's checkpoints.</exception>
    public CheckpointWriter(
        CheckpointSettings settings, TrainingSnapshot snapshot, Func<TrainingSnapshot, TrainingPosition, TrainingCheckpoint> read, TrainingPosition position,
        bool isContinued)
    {
        _settings = settings;
        _snapshot = snapshot;
        _read = read;
        try
        {
            CheckpointDirectory directory = settings.Directory;
            if (!isContinued && directory.Files.Count > 0)
                throw new IOException($"{directory.Path} holds the checkpoints of another run");
            directory.Prepare(position.Step);
            if (File.Exists(directory.FileOf(position.Step)))
                _written = (position.Step, position.Epoch);
            else
                Begin(position);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether a checkpoint belongs behind a step. A write that has failed is thrown.</summary>
    /// <exception cref="IOException">A checkpoint couldn't be written.</exception>
    public bool IsDue(long step)
    {
        if (_write.IsFaulted)
            _write.GetAwaiter().GetResult();
        return _settings.EverySteps is { } steps && step % steps == 0;
    }

    /// <summary>Queues a copy of the run as it is behind the work queued so far, and lets it be written.</summary>
    /// <exception cref="IOException">The checkpoint before couldn't be written.</exception>
    public void Begin(TrainingPosition position)
    {
        _write.GetAwaiter().GetResult();
        _snapshot.Take();
        _written = (position.Step, position.Epoch);
        _write = Task.Run(() =>
        {
            _snapshot.Wait();
            _settings.Directory.Save(_read(_snapshot, position), _settings.Keep);
        });
    }

    /// <summary>Sees to it that the run's end, or where it was stopped, has been written.</summary>
    /// <exception cref="IOException">A checkpoint couldn't be written.</exception>
    public void Finish(TrainingPosition position)
    {
        if (_written != (position.Step, position.Epoch))
            Begin(position);
        _write.GetAwaiter().GetResult();
    }

    /// <summary>Waits for the write at hand. What it fails by is not thrown: whatever ended the run before <see cref="Finish"/> goes first.</summary>
    public void Wait() => ((IAsyncResult)_write).AsyncWaitHandle.WaitOne();

    public void Dispose()
    {
        Wait();
        _snapshot.Dispose();
    }
}
