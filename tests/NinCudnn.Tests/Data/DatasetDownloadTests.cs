using System.Net;
using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public sealed class DatasetDownloadTests : IDisposable
{
    private const string First = "train-images-idx3-ubyte.gz";
    private const string Second = "train-labels-idx1-ubyte.gz";

    private static readonly IdxDataset _dataset = SmallDataset.Description;
    private static readonly string[] _names = [.. SmallDataset.Contents.Keys.Order()];

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Fetch_EmptyDirectory_GetsFourVerifiedFiles()
    {
        var served = Compressed();
        using var server = LoopbackServer.Of(served);
        var target = _directory.File("new/deep");

        await Fetch(server, target);

        Assert.Equal(_dataset.Files.Select(file => file.Name), server.Requests);
        Assert.Equal(_names, Directory.GetFiles(target).Select(Path.GetFileName).Order());
        Assert.All(_names, name => Assert.Equal(served[name], File.ReadAllBytes(Path.Combine(target, name))));
        Assert.Equal(4, _dataset.Load(target, DatasetSplit.Train).Count);
    }

    [Fact]
    public async Task Fetch_RightFilesThere_KeepsThem()
    {
        SmallDataset.Write(_directory, "", isGzip: false);
        using var server = LoopbackServer.Of(Compressed());
        var reports = new Reports();

        await Fetch(server, _directory.Path, reports);

        Assert.Empty(server.Requests);
        Assert.Equal(_dataset.Files.Select(file => new DownloadProgress(file.Name, DownloadStage.Kept, 0, null)), reports);
    }

    [Fact]
    public async Task Fetch_WrongFileThere_ReplacesOnlyThat()
    {
        SmallDataset.Write(_directory, "", isGzip: true);
        _directory.Write(Second, IdxBytes.Gzip(IdxBytes.Labels(0, 9, 5, 4)));
        using var server = LoopbackServer.Of(Compressed());

        await Fetch(server, _directory.Path);

        Assert.Equal([Second], server.Requests);
        Assert.Equal(_names, _directory.Files());
        Assert.Equal([0, 9, 5, 3], _dataset.Load(_directory.Path, DatasetSplit.Train).Labels.ToArray());
    }

    [Fact]
    public async Task Fetch_TruncatedFileThere_ReplacesIt()
    {
        SmallDataset.Write(_directory, "", isGzip: true);
        _directory.Write(First, File.ReadAllBytes(_directory.File(First))[..^3]);
        using var server = LoopbackServer.Of(Compressed());

        await Fetch(server, _directory.Path);

        Assert.Equal([First], server.Requests);
    }

    [Fact]
    public async Task Fetch_Progress_CountsEachFileUp()
    {
        var served = Compressed();
        using var server = LoopbackServer.Of(served);
        var reports = new Reports();

        await Fetch(server, _directory.Path, reports);

        foreach (var name in _names)
        {
            var size = served[name].Length;
            var mine = reports.Where(report => report.FileName == name).ToArray();
            Assert.Equal(new DownloadProgress(name, DownloadStage.Done, size, size), mine[^1]);
            Assert.Equal(new DownloadProgress(name, DownloadStage.Receiving, size, size), mine[^2]);
            Assert.Equal(mine.Select(report => report.ReceivedBytes).Order(), mine.Select(report => report.ReceivedBytes));
        }
    }

    [Fact]
    public async Task Fetch_WrongContent_GivesBothHashesAndLeavesNothing()
    {
        var served = Compressed();
        var wrong = IdxBytes.Labels(0, 9, 5, 4);
        served[Second] = IdxBytes.Gzip(wrong);
        using var server = LoopbackServer.Of(served);

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Fetch(server, _directory.Path));

        Assert.StartsWith($"{server.Address}/{Second}: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(_dataset.TrainLabels.Sha256!, error.Message, StringComparison.Ordinal);
        Assert.Contains(SmallDataset.File("wrong", wrong).Sha256!, error.Message, StringComparison.Ordinal);
        Assert.Equal([First], _directory.Files());
    }

    [Fact]
    public async Task Fetch_WrongContent_LeavesAnOldFileAlone()
    {
        var old = IdxBytes.Gzip(IdxBytes.Images(1, 3, 5));
        _directory.Write(First, old);
        using var server = LoopbackServer.Of(new Dictionary<string, byte[]> { [First] = IdxBytes.Gzip(IdxBytes.Images(3, 3, 5)) });

        await Assert.ThrowsAsync<InvalidDataException>(() => Fetch(server, _directory.Path));

        Assert.Equal([First], _directory.Files());
        Assert.Equal(old, File.ReadAllBytes(_directory.File(First)));
    }

    [Fact]
    public async Task Fetch_GzipCutByTheServer_LeavesNothing()
    {
        var served = Compressed();
        served[First] = served[First][..^4]; // the content is complete, the trailer is not
        using var server = LoopbackServer.Of(served);

        await Assert.ThrowsAsync<InvalidDataException>(() => Fetch(server, _directory.Path));

        Assert.Empty(_directory.Files());
    }

    [Theory]
    [InlineData(404)]
    [InlineData(500)]
    [InlineData(204)]
    public async Task Fetch_ErrorAnswer_GivesAddressAndStatus(int status)
    {
        using var server = new LoopbackServer((context, _) =>
        {
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        });

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => Fetch(server, _directory.Path));

        Assert.StartsWith($"{server.Address}/{First}: the server answered {status}", error.Message, StringComparison.Ordinal);
        Assert.Equal((HttpStatusCode)status, error.StatusCode);
        Assert.Empty(_directory.Files());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fetch_TooLong_StopsEarly(bool isLengthTold)
    {
        const int Length = 10_000_000;
        using var server = new LoopbackServer(async (context, _) =>
        {
            if (isLengthTold)
                context.Response.ContentLength64 = Length;
            for (var sent = 0; sent < Length; sent += 100_000)
                await context.Response.OutputStream.WriteAsync(new byte[100_000]);
        });
        var reports = new Reports();

        var error = await Assert.ThrowsAsync<InvalidDataException>(() => Fetch(server, _directory.Path, reports));

        Assert.Contains($"{First} has at most", error.Message, StringComparison.Ordinal);
        Assert.All(reports, report => Assert.InRange(report.ReceivedBytes, 0, 200_000));
        Assert.Empty(_directory.Files());
    }

    [Fact]
    public async Task Fetch_ConnectionBreaks_LeavesNothing()
    {
        using var server = new LoopbackServer(async (context, _) =>
        {
            context.Response.ContentLength64 = 1000;
            await context.Response.OutputStream.WriteAsync(new byte[10]);
            await context.Response.OutputStream.FlushAsync();
            context.Response.Abort();
        });

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => Fetch(server, _directory.Path));

        Assert.StartsWith($"{server.Address}/{First}: ", error.Message, StringComparison.Ordinal);
        Assert.Empty(_directory.Files());
    }

    [Fact]
    public async Task Fetch_NoServer_GivesTheAddress()
    {
        var server = LoopbackServer.Of(Compressed());
        server.Dispose();

        var error = await Assert.ThrowsAsync<HttpRequestException>(() => Fetch(server, _directory.Path));

        Assert.StartsWith($"{server.Address}/{First}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_CancelledWhileReceiving_LeavesNothing()
    {
        using var cancel = new CancellationTokenSource();
        using var server = new LoopbackServer(SendTenBytesThenWaitAsync);
        var reports = new Reports(_ => cancel.Cancel());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => DatasetDownload.FetchAsync(_dataset, _directory.Path, server.Address, reports, null, cancel.Token));

        Assert.Equal(10, Assert.Single(reports).ReceivedBytes);
        Assert.Empty(_directory.Files());
    }

    [Fact]
    public async Task Fetch_ServerFallsSilent_TimesOut()
    {
        using var server = new LoopbackServer(SendTenBytesThenWaitAsync);

        var error = await Assert.ThrowsAsync<TimeoutException>(() => DatasetDownload.FetchAsync(
            _dataset, _directory.Path, server.Address, null, TimeSpan.FromSeconds(0.5), TestContext.Current.CancellationToken));

        Assert.Equal($"{server.Address}/{First}: the server sent nothing for 0.5 s", error.Message);
        Assert.Empty(_directory.Files());
    }

    private static async Task SendTenBytesThenWaitAsync(HttpListenerContext context, string name)
    {
        context.Response.ContentLength64 = 1000;
        await context.Response.OutputStream.WriteAsync(new byte[10]);
        await context.Response.OutputStream.FlushAsync();
        await Task.Delay(Timeout.Infinite);
    }

    private static Dictionary<string, byte[]> Compressed() =>
        SmallDataset.Contents.ToDictionary(file => file.Key, file => IdxBytes.Gzip(file.Value));

    private static Task Fetch(LoopbackServer server, string directory, Reports? reports = null) =>
        DatasetDownload.FetchAsync(_dataset, directory, server.Address, reports, null, TestContext.Current.CancellationToken);

    /// <summary>Collects reports on the thread that makes them.</summary>
    private sealed class Reports(Action<DownloadProgress>? then = null) : List<DownloadProgress>, IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value)
        {
            Add(value);
            then?.Invoke(value);
        }
    }
}
