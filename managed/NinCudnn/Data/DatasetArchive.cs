using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using NinCudnn.Formats;

namespace NinCudnn.Data;

/// <summary>A gzip-compressed tar archive in which a data set's files are published.</summary>
/// <param name="Name">The published name.</param>
/// <param name="Bytes">Bytes of the archive.</param>
/// <param name="Sha256">SHA-256 of the archive in lower-case hexadecimal.</param>
/// <param name="Folder">The folder in the archive that holds the files.</param>
public sealed record DatasetArchive(string Name, long Bytes, string Sha256, string Folder)
{
    /// <summary>Compares a file's length and hash with this archive's.</summary>
    /// <param name="path">The file.</param>
    /// <param name="shownAs">What messages call it.</param>
    /// <exception cref="InvalidDataException">They differ.</exception>
    internal void Verify(string path, string shownAs)
    {
        using var file = File.OpenRead(path);
        if (file.Length != Bytes)
            throw new InvalidDataException($"{shownAs}: {file.Length} bytes, {Name} has {Bytes}");
        var actual = Convert.ToHexStringLower(SHA256.HashData(file));
        if (actual != Sha256)
            throw new InvalidDataException($"{shownAs}: SHA-256 is {actual}, {Name} has {Sha256}");
    }

    /// <summary>
    /// Extracts the given files, and nothing else, into a directory: only entries that are plain files of the published size under the
    /// published names are read, so that no entry decides where anything is written or how much.
    /// </summary>
    /// <param name="path">The archive.</param>
    /// <param name="shownAs">What messages call it.</param>
    /// <param name="files">The files to extract.</param>
    /// <param name="directory">Where to.</param>
    /// <param name="extracted">Called for each file that is complete.</param>
    /// <param name="cancellationToken">Stops the extraction.</param>
    /// <exception cref="InvalidDataException">The archive is damaged, or lacks a file, or holds something else under its name.</exception>
    internal void Extract(
        string path, string shownAs, IReadOnlyList<DatasetFile> files, string directory, Action<DatasetFile> extracted, CancellationToken cancellationToken)
    {
        var wanted = files.ToDictionary(file => $"{Folder}/{file.Name}");
        try
        {
            using var reader = new TarReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
            while (Next(reader) is { } entry)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!wanted.Remove(entry.Name, out var file))
                    continue;
                Extract(entry, file, directory);
                extracted(file);
            }
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new InvalidDataException(MessageText.OneLine($"{shownAs}: damaged archive: {e.Message}"), e);
        }

        if (wanted.Count > 0)
            throw new InvalidDataException($"{shownAs}: the archive lacks {string.Join(", ", wanted.Keys)}");
    }

    private static TarEntry? Next(TarReader reader)
    {
        try
        {
            return reader.GetNextEntry();
        }
        catch (Exception e) when (e is OverflowException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException(e.Message, e); // what a wrong number or name in a header comes to
        }
    }

    private static void Extract(TarEntry entry, DatasetFile file, string directory)
    {
        if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
            throw new InvalidDataException($"{entry.Name} is of type {entry.EntryType}, not a file");
        if (entry.Length != file.ContentBytes)
            throw new InvalidDataException($"{entry.Name} has {entry.Length} bytes, not {file.ContentBytes}");
        using var target = new AtomicFile(Path.Combine(directory, file.Name));
        entry.DataStream!.CopyTo(target.Stream);
        target.Finish();
        file.Verify(target.TemporaryPath, entry.Name, CancellationToken.None);
        target.Commit();
    }
}
