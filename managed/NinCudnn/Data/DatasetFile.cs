using System.Security.Cryptography;

namespace NinCudnn.Data;

/// <summary>One published file of a data set; the same file whether it is compressed or not, and however it was compressed.</summary>
/// <param name="Name">The published name, with ".gz" if it is published so.</param>
/// <param name="ContentBytes">Bytes of the decompressed content.</param>
/// <param name="Sha256">
/// SHA-256 of the decompressed content in lower-case hexadecimal. The content is pinned, not the compressed file, because distributors
/// compress again (Debian does), which changes the file's bytes. Null for a file out of an archive, which is pinned as a whole:
/// of such a file only the length is compared.
/// </param>
public sealed record DatasetFile(string Name, long ContentBytes, string? Sha256 = null)
{
    /// <summary>Returns the file's path in a directory, under the published name or else without ".gz"; null if it has neither.</summary>
    /// <param name="directory">The directory to look in; it need not exist.</param>
    public string? FindIn(string directory)
    {
        var published = Path.Combine(directory, Name);
        if (File.Exists(published))
            return published;
        var plain = Path.Combine(directory, Path.GetFileNameWithoutExtension(Name));
        return Name.EndsWith(".gz", StringComparison.Ordinal) && File.Exists(plain) ? plain : null;
    }

    /// <summary>Reads a file through and compares its content with what this file must hold.</summary>
    /// <param name="path">The file, plain or gzip-compressed.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="InvalidDataException">The length or hash differs, which the message states, or gzip data are damaged.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public void Verify(string path, CancellationToken cancellationToken = default) => Verify(path, path, cancellationToken);

    /// <param name="path">The file.</param>
    /// <param name="shownAs">What messages call it.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    internal void Verify(string path, string shownAs, CancellationToken cancellationToken)
    {
        using var content = ContentStream.Open(path, shownAs);
        if (content.Length != ContentBytes)
            throw new InvalidDataException($"{shownAs}: {content.Length} bytes of content, {Name} has {ContentBytes}");

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 16];
        int count;
        for (long total = 0; (count = content.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            total += count;
            if (total > ContentBytes)
                throw new InvalidDataException($"{shownAs}: more content than the {ContentBytes} bytes of {Name}");
            hash.AppendData(buffer, 0, count);
        }

        var actual = Convert.ToHexStringLower(hash.GetHashAndReset());
        if (Sha256 is not null && actual != Sha256)
            throw new InvalidDataException($"{shownAs}: SHA-256 of the content is {actual}, {Name} has {Sha256}");
    }
}
