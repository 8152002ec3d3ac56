using System.Net;
using NinCudnn.Formats;

namespace NinCudnn.Data;

/// <summary>What has happened to a file.</summary>
public enum DownloadStage
{
    /// <summary>The right file was there already.</summary>
    Kept,

    /// <summary>Bytes have arrived.</summary>
    Receiving,

    /// <summary>The file is complete, verified and in its place.</summary>
    Done,
}

/// <summary>A report about one file.</summary>
/// <param name="FileName">The published name.</param>
/// <param name="Stage">What has happened.</param>
/// <param name="ReceivedBytes">Bytes received so far; 0 for a kept file.</param>
/// <param name="TotalBytes">Bytes to receive, if the server has told.</param>
public readonly record struct DownloadProgress(string FileName, DownloadStage Stage, long ReceivedBytes, long? TotalBytes);

/// <summary>Downloads published data sets and checks every byte before a file appears under its name.</summary>
public static class DatasetDownload
{
    private const int BufferBytes = 1 << 16;

    /// <summary>
    /// Makes a directory hold the files: right ones are kept, missing or wrong ones are downloaded, verified by SHA-256 and put in place
    /// one by one. Of a set that is published as an archive, the archive is downloaded if a file is missing or has the wrong length,
    /// verified by SHA-256, and the files are extracted. A download that fails or is cancelled leaves no part of itself behind.
    /// </summary>
    /// <param name="dataset">The data set.</param>
    /// <param name="directory">Where the files go; created if missing.</param>
    /// <param name="baseAddress">A mirror to take instead of the official address.</param>
    /// <param name="progress">Receives reports, on the thread that downloads.</param>
    /// <param name="stallTimeout">How long the server may send nothing; one minute unless given.</param>
    /// <param name="cancellationToken">Stops the download.</param>
    /// <exception cref="HttpRequestException">The server cannot be reached, breaks off or answers with an error.</exception>
    /// <exception cref="InvalidDataException">A file is too long or has the wrong content; the message has both hashes.</exception>
    /// <exception cref="TimeoutException">The server sent nothing for <paramref name="stallTimeout"/>.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="IOException">The directory cannot be written.</exception>
    public static async Task FetchAsync(
        KnownDataset dataset,
        string directory,
        Uri? baseAddress = null,
        IProgress<DownloadProgress>? progress = null,
        TimeSpan? stallTimeout = null,
        CancellationToken cancellationToken = default)
    {
        Directory.CreateDirectory(directory);
        var root = (baseAddress ?? dataset.BaseAddress).AbsoluteUri.TrimEnd('/');
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan }; // a limit on silence replaces the limit on the whole
        var receiver = new Receiver(client, root, progress, stallTimeout ?? TimeSpan.FromMinutes(1), cancellationToken);
        if (dataset.Archive is { } archive)
            await FetchArchiveAsync(receiver, dataset, archive, directory).ConfigureAwait(false);
        else
            await FetchFilesAsync(receiver, dataset, directory).ConfigureAwait(false);
    }

    private static async Task FetchFilesAsync(Receiver receiver, KnownDataset dataset, string directory)
    {
        foreach (var file in dataset.Files)
        {
            if (IsRight(file, directory, receiver.CancellationToken))
            {
                receiver.Progress?.Report(new(file.Name, DownloadStage.Kept, 0, null));
                continue;
            }

            using var target = new AtomicFile(Path.Combine(directory, file.Name));
            var limit = file.ContentBytes + BufferBytes; // gzip makes nothing longer by more
            var received = await receiver.ReceiveAsync(file.Name, limit, target.Stream).ConfigureAwait(false);
            target.Finish();
            file.Verify(target.TemporaryPath, receiver.AddressOf(file.Name).AbsoluteUri, receiver.CancellationToken);
            target.Commit();
            receiver.Progress?.Report(new(file.Name, DownloadStage.Done, received, received));
        }
    }

    private static async Task FetchArchiveAsync(Receiver receiver, KnownDataset dataset, DatasetArchive archive, string directory)
    {
        if (dataset.Files.All(file => IsRight(file, directory, receiver.CancellationToken)))
        {
            foreach (var file in dataset.Files)
                receiver.Progress?.Report(new(file.Name, DownloadStage.Kept, 0, null));
            return;
        }

        using var temporary = new AtomicFile(Path.Combine(directory, archive.Name)); // never committed: only what it holds is kept
        await receiver.ReceiveAsync(archive.Name, archive.Bytes, temporary.Stream).ConfigureAwait(false);
        temporary.Finish();
        var shownAs = receiver.AddressOf(archive.Name).AbsoluteUri;
        archive.Verify(temporary.TemporaryPath, shownAs);
        archive.Extract(
            temporary.TemporaryPath, shownAs, dataset.Files, directory,
            file => receiver.Progress?.Report(new(file.Name, DownloadStage.Done, file.ContentBytes, file.ContentBytes)),
            receiver.CancellationToken);
    }

    private static bool IsRight(DatasetFile file, string directory, CancellationToken cancellationToken)
    {
        if (file.FindIn(directory) is not { } path)
            return false;
        try
        {
            file.Verify(path, cancellationToken);
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    /// <summary>Receives files from one address.</summary>
    private sealed record Receiver(
        HttpClient Client, string Root, IProgress<DownloadProgress>? Progress, TimeSpan StallTimeout, CancellationToken CancellationToken)
    {
        public Uri AddressOf(string fileName) => new($"{Root}/{fileName}");

        /// <returns>The bytes received, at most <paramref name="limit"/>.</returns>
        public async Task<long> ReceiveAsync(string fileName, long limit, Stream destination)
        {
            var address = AddressOf(fileName);
            using var stall = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken);
            try
            {
                stall.CancelAfter(StallTimeout);
                using var response = await Client
                    .GetAsync(address, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
                var status = response.StatusCode;
                if (status != HttpStatusCode.OK)
                    throw new HttpRequestException($"the server answered {(int)status} {response.ReasonPhrase}", null, status);

                var totalBytes = response.Content.Headers.ContentLength;
                var source = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
                var buffer = new byte[BufferBytes];
                long received = 0;
                while (true)
                {
                    if (received > limit || totalBytes > limit)
                        throw new InvalidDataException($"{address}: {totalBytes ?? received} bytes or more, {fileName} has at most {limit}");
                    stall.CancelAfter(StallTimeout);
                    var count = await source.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
                    if (count == 0)
                        return received;
                    await destination.WriteAsync(buffer.AsMemory(0, count), CancellationToken).ConfigureAwait(false);
                    received += count;
                    Progress?.Report(new(fileName, DownloadStage.Receiving, received, totalBytes));
                }
            }
            catch (Exception e) when (e is HttpRequestException or HttpIOException)
            {
                throw new HttpRequestException($"{address}: {e.Message}", e, (e as HttpRequestException)?.StatusCode);
            }
            catch (OperationCanceledException e) when (!CancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"{address}: the server sent nothing for {StallTimeout.TotalSeconds} s", e);
            }
        }
    }
}
