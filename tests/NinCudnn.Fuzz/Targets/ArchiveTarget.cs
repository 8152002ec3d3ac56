using NinCudnn.Data;
using NinCudnn.Tests.Data;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>
/// What is in a data set's archive, as if the archive's SHA-256 were right. Inputs are tar files, which are compressed here, since nearly every change of
/// compressed ones stops at their checksum; <see cref="IdxTarget"/> has those.
/// </summary>
internal sealed class ArchiveTarget() : FuzzTarget<string[]>("archive")
{
    private const int TarHeaderBytes = 512;
    private const int LargestRead = 64; // kilobytes

    private static readonly byte[] _train = [.. "train"u8, .. new byte[600]], _test = [.. "test"u8, .. new byte[20]];
    private static readonly DatasetFile[] _files = [new("train.bin", _train.Length), new("test.bin", _test.Length)];

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Tar(CifarBytes.File("set/train.bin", _train), CifarBytes.File("set/readme.html", "ignored"u8), CifarBytes.File("set/test.bin", _test)),
        Tar(CifarBytes.File("set/test.bin", _test), CifarBytes.Link("set/other.bin", "../../elsewhere"), CifarBytes.File("set/train.bin", _train)),
        Tar(CifarBytes.File("../../escaped.bin", _train), CifarBytes.File("set/test.bin", _test), CifarBytes.File("/set/absolute.bin", _test),
            CifarBytes.File("set/train.bin", _train)),
    ];

    public override int ShortRun => 1000;

    /// <summary>The checksums of all headers: the sum of the header's bytes, its own being blanks, in octal.</summary>
    public override byte[] Repair(byte[] input)
    {
        byte[] tar = [.. input];
        for (int at = 0; at + TarHeaderBytes <= tar.Length; at += TarHeaderBytes)
        {
            Span<byte> header = tar.AsSpan(at, TarHeaderBytes), checksum = header.Slice(148, 8);
            if (!header.Slice(257, 5).SequenceEqual("ustar"u8))
                continue;
            checksum.Fill((byte)' ');
            int sum = 0;
            foreach (byte value in header)
                sum += value;
            System.Text.Encoding.ASCII.GetBytes($"{Convert.ToString(sum, 8),6}".Replace(' ', '0') + "\0 ").CopyTo(checksum);
        }
        return tar;
    }

    protected override string[] Read(string path)
    {
        string archivePath = path + ".tar.gz", directory = Path.Combine(Path.GetDirectoryName(path)!, "extracted");
        byte[] compressed = IdxBytes.Gzip(File.ReadAllBytes(path));
        File.WriteAllBytes(archivePath, compressed);
        if (Directory.Exists(directory))
            Directory.Delete(directory, recursive: true);
        Directory.CreateDirectory(directory);
        var archive = new DatasetArchive("set.tar.gz", compressed.Length, "", "set");
        try
        {
            archive.Extract(archivePath, "the archive", _files, directory, _ => { }, CancellationToken.None);
        }
        finally
        {
            // Also of one that is refused in the middle.
            string[] made = [.. Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(path)!).Select(name => Path.GetFileName(name)).Order(StringComparer.Ordinal)];
            Assert.Equal([.. new[] { "extracted", FileName, FileName + ".tar.gz" }.Order(StringComparer.Ordinal)], made);
            Assert.Empty(Directory.EnumerateFileSystemEntries(directory).Select(name => Path.GetFileName(name)).Except(_files.Select(file => file.Name)));
        }
        return Directory.GetFiles(directory);
    }

    protected override void Check(string[] value, string path, byte[] input)
    {
        Assert.Equal(_files.Length, value.Length);
        Assert.All(_files, file => Assert.Equal(file.ContentBytes, new FileInfo(value.Single(name => Path.GetFileName(name) == file.Name)).Length));
    }

    // TarReader goes beyond it where an extended header says to be long, which make fuzz-coverage finds. An archive that was downloaded is read only when its
    // SHA-256 is right, so that nobody else chooses that header.
    protected override long MaxAllocated(int inputBytes) => base.MaxAllocated(inputBytes) + LargestRead * 1024;

    private static byte[] Tar(params System.Formats.Tar.TarEntry[] entries)
    {
        using var gzip = new System.IO.Compression.GZipStream(new MemoryStream(CifarBytes.Archive(entries)), System.IO.Compression.CompressionMode.Decompress);
        var tar = new MemoryStream();
        gzip.CopyTo(tar);
        return tar.ToArray();
    }
}
