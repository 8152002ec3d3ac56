namespace NinCudnn.Formats;

/// <summary>
/// A file that appears under its name whole or not at all: written under a temporary name in the same directory, flushed to the disk,
/// then renamed. Disposing before <see cref="Commit"/> deletes the temporary file.
/// </summary>
public sealed class AtomicFile : IDisposable
{
    private readonly string _path;
    private bool _isCommitted;

    /// <summary>Makes the temporary file.</summary>
    /// <param name="path">The final path; its directory must exist. A file there is replaced by <see cref="Commit"/>.</param>
    public AtomicFile(string path)
    {
        _path = Path.GetFullPath(path);
        TemporaryPath = Path.Combine(Path.GetDirectoryName(_path)!, $".{Path.GetFileName(_path)}.{Path.GetRandomFileName()}.tmp");
        Stream = new FileStream(TemporaryPath, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }

    /// <summary>Where the file is until it is committed.</summary>
    public string TemporaryPath { get; }

    /// <summary>The temporary file, open for writing.</summary>
    public FileStream Stream { get; }

    /// <summary>Flushes to the disk and closes the temporary file, which can then be read.</summary>
    public void Finish()
    {
        Stream.Flush(flushToDisk: true);
        Stream.Dispose();
    }

    /// <summary>Renames the temporary file, which must be finished, to its final name.</summary>
    public void Commit()
    {
        File.Move(TemporaryPath, _path, overwrite: true);
        _isCommitted = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Stream.Dispose();
        if (!_isCommitted)
            File.Delete(TemporaryPath);
    }
}
