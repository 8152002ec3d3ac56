using System.Formats.Tar;
using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

/// <summary>Data sets that are published in an archive, from a server on the loopback interface.</summary>
public sealed class DatasetArchiveTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly (CifarDataset Dataset, byte[] Archive) _small = CifarBytes.Small();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fetch_EmptyDirectory_ExtractsTheFilesAndNothingElse()
    {
        using var server = ServerOf(_small.Archive);
        var reports = new List<DownloadProgress>();

        await FetchAsync(server, _small.Dataset, new Reports(reports));

        Assert.Equal(["set/test.bin", "set/train.bin"], _directory.Files());
        Assert.Equal(["small.tar.gz"], server.Requests);
        Assert.Equal([99, 0], _small.Dataset.Load(_directory.File("set"), DatasetSplit.Train).Labels.ToArray());
        Assert.Equal([42], _small.Dataset.Load(_directory.File("set"), DatasetSplit.Test).Labels.ToArray());
        var size = _small.Archive.Length;
        Assert.Contains(new DownloadProgress("small.tar.gz", DownloadStage.Receiving, size, size), reports);
        Assert.Equal(
            ["train.bin", "test.bin"], reports.Where(report => report.Stage == DownloadStage.Done).Select(report => report.FileName));
    }

    [Fact]
    public async Task Fetch_FilesOfTheRightLengthThere_KeepsThem()
    {
        using var server = ServerOf(_small.Archive);
        await FetchAsync(server, _small.Dataset);
        var reports = new List<DownloadProgress>();

        await FetchAsync(server, _small.Dataset, new Reports(reports));

        Assert.Single(server.Requests);
        Assert.Equal(_small.Dataset.Files.Select(file => new DownloadProgress(file.Name, DownloadStage.Kept, 0, null)), reports);
    }

    [Fact]
    public async Task Fetch_CutFileThere_ReplacesIt()
    {
        using var server = ServerOf(_small.Archive);
        await FetchAsync(server, _small.Dataset);
        _directory.Write("set/train.bin", CifarBytes.Record(1, 0, 0));

        await FetchAsync(server, _small.Dataset);

        Assert.Equal([99, 0], _small.Dataset.Load(_directory.File("set"), DatasetSplit.Train).Labels.ToArray());
    }

    [Fact]
    public async Task Fetch_OtherArchive_GivesBothHashesAndLeavesNothing()
    {
        var other = _small.Archive.ToArray();
        other[^9] ^= 1; // within the data, so that the length stays
        using var server = ServerOf(other);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => FetchAsync(server, _small.Dataset));

        Assert.StartsWith($"{server.Address}/small.tar.gz: SHA-256 is ", error.Message, StringComparison.Ordinal);
        Assert.Contains(_small.Dataset.Archive!.Sha256, error.Message, StringComparison.Ordinal);
        Assert.Contains(CifarBytes.Publish(_small.Dataset, other).Archive!.Sha256, error.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Files());
    }

    [Theory]
    [InlineData(-1, "has {0}")]
    [InlineData(1, "has at most {0}")]
    public async Task Fetch_OtherLength_SaysSo(int difference, string message)
    {
        using var server = ServerOf(difference < 0 ? _small.Archive[..^1] : [.. _small.Archive, 0]);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => FetchAsync(server, _small.Dataset));

        Assert.EndsWith(string.Format(null, message, _small.Archive.Length), error.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Files());
    }

    public static TheoryData<string, string> Evil() => new()
    {
        { "links out of the folder", "set/train.bin is of type SymbolicLink, not a file" },
        { "hard link", "set/train.bin is of type HardLink, not a file" },
        { "directory", "set/train.bin is of type Directory, not a file" },
        { "device", "set/train.bin is of type CharacterDevice, not a file" },
        { "too long", "set/train.bin has 6149 bytes, not 6148" },
        { "too short", "set/train.bin has 6147 bytes, not 6148" },
        { "other places", "the archive lacks set/train.bin, set/test.bin" },
        { "nothing", "the archive lacks set/train.bin, set/test.bin" },
    };

    [Theory]
    [MemberData(nameof(Evil))]
    public async Task Fetch_EvilArchive_WritesNothing(string kind, string message)
    {
        byte[] train = new byte[6148], test = new byte[3074];
        TarEntry[] entries = kind switch
        {
            "links out of the folder" => [CifarBytes.Link("set/train.bin", "../../outside"), CifarBytes.File("set/train.bin", train)],
            "hard link" => [CifarBytes.Link("set/train.bin", "/etc/passwd", TarEntryType.HardLink)],
            "directory" => [new PaxTarEntry(TarEntryType.Directory, "set/train.bin"), CifarBytes.File("set/test.bin", test)],
            "device" => [new PaxTarEntry(TarEntryType.CharacterDevice, "set/train.bin")],
            "too long" => [CifarBytes.File("set/train.bin", new byte[6149])],
            "too short" => [CifarBytes.File("set/train.bin", new byte[6147])],
            "other places" =>
            [
                CifarBytes.File("../train.bin", train), CifarBytes.File($"{_directory.Path}/test.bin", test), CifarBytes.File("set/../train.bin", train),
                CifarBytes.File("./set/train.bin", train), CifarBytes.File("train.bin", train), CifarBytes.Link("set", "/"),
                CifarBytes.File("set/batches.bin", train),
            ],
            _ => [CifarBytes.File("set/readme.html", train)],
        };
        var archive = CifarBytes.Archive(entries);
        using var server = ServerOf(archive);

        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => FetchAsync(server, CifarBytes.Publish(_small.Dataset, archive)));

        Assert.StartsWith($"{server.Address}/small.tar.gz: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Files().Except(["set/test.bin"]));
    }

    [Theory]
    [InlineData("no gzip")]
    [InlineData("no tar")]
    [InlineData("cut")]
    [InlineData("huge size")]
    public async Task Fetch_DamagedArchive_IsNamedAndLeavesNothing(string kind)
    {
        var archive = kind switch
        {
            "no gzip" => "<html>not found</html>"u8.ToArray(),
            "no tar" => IdxBytes.Gzip(Enumerable.Repeat((byte)'x', 2000).ToArray()),
            "cut" => IdxBytes.Gzip(Tar(6148)[..4096]),
            _ => IdxBytes.Gzip(WithSize(Tar(6148), "77777777777")),
        };
        using var server = ServerOf(archive);

        var error = await Assert.ThrowsAsync<InvalidDataException>(
            () => FetchAsync(server, CifarBytes.Publish(_small.Dataset, archive)));

        Assert.StartsWith($"{server.Address}/small.tar.gz: damaged archive: ", error.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Files());
    }

    /// <summary>An archive of train.bin alone, not compressed, whose first block is its header.</summary>
    private static byte[] Tar(int length)
    {
        var stream = new MemoryStream();
        using (var writer = new TarWriter(stream, TarEntryFormat.Ustar, leaveOpen: true))
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "set/train.bin") { DataStream = new MemoryStream(new byte[length]) });
        return stream.ToArray();
    }

    /// <summary>States another size (octal) in the first header, with the right checksum.</summary>
    private static byte[] WithSize(byte[] tar, string size)
    {
        System.Text.Encoding.ASCII.GetBytes(size).CopyTo(tar, 124);
        tar.AsSpan(148, 8).Fill((byte)' ');
        var sum = tar.AsSpan(0, 512).ToArray().Sum(value => value);
        System.Text.Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(tar, 148);
        return tar;
    }

    private static LoopbackServer ServerOf(byte[] archive) => LoopbackServer.Of(new Dictionary<string, byte[]> { ["small.tar.gz"] = archive });

    private Task FetchAsync(LoopbackServer server, KnownDataset dataset, IProgress<DownloadProgress>? progress = null) =>
        DatasetDownload.FetchAsync(dataset, _directory.File("set"), server.Address, progress, null, TestContext.Current.CancellationToken);

    private sealed class Reports(List<DownloadProgress> list) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => list.Add(value);
    }
}
