using System.Globalization;
using NinCudnn.Formats;

namespace NinCudnn.Training;

/// <summary>A run's checkpoints: files named after their step, <c>step-0000001234.safetensors</c>.</summary>
/// <param name="Path">The directory; made when the first checkpoint is written.</param>
public sealed record CheckpointDirectory(string Path)
{
    private const string Pattern = "step-*.safetensors";

    /// <summary>The checkpoints' paths, the newest first. None where there is no directory.</summary>
    /// <exception cref="IOException">The directory can't be read.</exception>
    public IReadOnlyList<string> Files => Directory.Exists(Path)
        ? [.. Directory.GetFiles(Path, Pattern).OrderDescending(StringComparer.Ordinal)] // steps have leading zeros
        : [];

    /// <summary>Where the checkpoint of a step is, or would be.</summary>
    public string FileOf(long step) =>
        System.IO.Path.Combine(Path, string.Create(CultureInfo.InvariantCulture, $"step-{step:D10}.safetensors"));

    /// <summary>Reads the newest checkpoint that is whole.</summary>
    /// <param name="passedOver">Is told of every newer one that is damaged, in a sentence.</param>
    /// <returns>The checkpoint and its path; null if there is none.</returns>
    /// <exception cref="IOException">A file can't be read.</exception>
    public (TrainingCheckpoint Checkpoint, string Path)? LoadNewest(Action<string>? passedOver = null)
    {
        foreach (string path in Files)
        {
            try
            {
                return (TrainingCheckpoint.Load(path), path);
            }
            catch (InvalidDataException e)
            {
                passedOver?.Invoke(e.Message);
            }
        }
        return null;
    }

    /// <summary>
    /// Makes the directory and deletes what is not to stay: temporary files of a process that was killed, and checkpoints of later steps, which
    /// a run that goes on from an earlier one is going to write again.
    /// </summary>
    /// <exception cref="IOException">It can't be written.</exception>
    internal void Prepare(long step)
    {
        try
        {
            Directory.CreateDirectory(Path);
            AtomicFile.DeleteLeftovers(Path, Pattern);
            string own = FileOf(step);
            foreach (string later in Files.TakeWhile(path => string.CompareOrdinal(path, own) > 0))
                File.Delete(later);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the checkpoints' directory {Path} can't be written: {e.Message}", e);
        }
    }

    /// <summary>Writes a checkpoint, and then deletes those that need not be kept.</summary>
    /// <exception cref="IOException">It can't be written; all earlier ones are still there.</exception>
    internal void Save(TrainingCheckpoint checkpoint, int keep)
    {
        TrainingPosition position = checkpoint.Position;
        string path = FileOf(position.Step);
        try
        {
            checkpoint.Save(path);
            string? best = position.BestEpoch is { } epoch ? FileOf(epoch.Step) : null;
            foreach (string old in Files.Skip(keep).Where(file => file != best))
                File.Delete(old);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the checkpoint {path} can't be written: {e.Message}", e);
        }
    }
}
