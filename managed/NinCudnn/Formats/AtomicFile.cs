namespace NinCudnn.Formats;

/// <summary>
/// A file that appears under its name whole or not at all: written under a temporary name in the same directory, flushed to the disk,
/// then renamed. Disposing before <see cref="Commit"/> deletes the temporary file.
/// </summary>
public sealed class AtomicFile : IDisposable
{
    private const string TemporaryEnding = ".tmp";

    private readonly string _path;
    private bool _isCommitted;

    /// <summary>Makes the temporary file.</summary>
    /// <param name="path">The final path; its directory must exist. A file there is replaced by <see cref="Commit"/>.</param>
    public AtomicFile(string path)
    {
        _path = Path.GetFullPath(path);
        TemporaryPath = Path.Combine(Path.GetDirectoryName(_path)!, $".{Path.GetFileName(_path)}.{Path.GetRandomFileName()}{TemporaryEnding}");
        Stream = new OutputFileStream(TemporaryPath, FileMode.CreateNew);
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

    /// <summary>Renames the temporary file, which must be finished, to its final name, and flushes that to the disk too.</summary>
    public void Commit()
    {
        File.Move(TemporaryPath, _path, overwrite: true);
        _isCommitted = true;
        DirectorySync.Flush(Path.GetDirectoryName(_path)!);
    }

    /// <summary>Deletes temporary files that a process left behind which was killed.</summary>
    /// <param name="directory">Where; nobody may be writing there.</param>
    /// <param name="pattern">Names of the files that they were to become, as <see cref="Directory.GetFiles(string, string)"/> takes them.</param>
    /// <exception cref="IOException">One can't be deleted.</exception>
    public static void DeleteLeftovers(string directory, string pattern)
    {
        foreach (string path in Directory.GetFiles(directory, $".{pattern}.*{TemporaryEnding}"))
            File.Delete(path);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isCommitted)
            return;
        Stream.Dispose();
        try
        {
            File.Delete(TemporaryPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Its directory is gone, or can't be written any more, which must not hide why the file was given up.
        }
    }
}
