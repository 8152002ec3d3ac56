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
    /// Makes a directory hold the four files: right ones are kept, missing or wrong ones are downloaded, verified by SHA-256 and put
    /// in place one by one. A download that fails or is cancelled leaves no part of itself behind.
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
        var silence = stallTimeout ?? TimeSpan.FromMinutes(1);
        using var client = new HttpClient { Timeout = Timeout.InfiniteTimeSpan }; // a limit on silence replaces the limit on the whole
        foreach (var file in dataset.Files)
        {
            if (IsRight(file, directory, cancellationToken))
            {
                progress?.Report(new(file.Name, DownloadStage.Kept, 0, null));
                continue;
            }

            var address = new Uri($"{root}/{file.Name}");
            using var target = new AtomicFile(Path.Combine(directory, file.Name));
            var received = await ReceiveAsync(client, address, file, target.Stream, progress, silence, cancellationToken)
                .ConfigureAwait(false);
            target.Finish();
            file.Verify(target.TemporaryPath, address.AbsoluteUri, cancellationToken);
            target.Commit();
            progress?.Report(new(file.Name, DownloadStage.Done, received, received));
        }
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

    private static async Task<long> ReceiveAsync(
        HttpClient client,
        Uri address,
        DatasetFile file,
        Stream destination,
        IProgress<DownloadProgress>? progress,
        TimeSpan stallTimeout,
        CancellationToken cancellationToken)
    {
        using var stall = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        try
        {
            stall.CancelAfter(stallTimeout);
            using var response = await client
                .GetAsync(address, HttpCompletionOption.ResponseHeadersRead, stall.Token).ConfigureAwait(false);
            var status = response.StatusCode;
            if (status != HttpStatusCode.OK)
                throw new HttpRequestException($"the server answered {(int)status} {response.ReasonPhrase}", null, status);

            var totalBytes = response.Content.Headers.ContentLength;
            var limit = file.ContentBytes + BufferBytes; // gzip makes nothing longer by more
            var source = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
            var buffer = new byte[BufferBytes];
            long received = 0;
            while (true)
            {
                if (received > limit || totalBytes > limit)
                    throw new InvalidDataException($"{address}: {totalBytes ?? received} bytes or more, {file.Name} has at most {limit}");
                stall.CancelAfter(stallTimeout);
                var count = await source.ReadAsync(buffer, stall.Token).ConfigureAwait(false);
                if (count == 0)
                    return received;
                await destination.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
                received += count;
                progress?.Report(new(file.Name, DownloadStage.Receiving, received, totalBytes));
            }
        }
        catch (Exception e) when (e is HttpRequestException or HttpIOException)
        {
            throw new HttpRequestException($"{address}: {e.Message}", e, (e as HttpRequestException)?.StatusCode);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{address}: the server sent nothing for {stallTimeout.TotalSeconds} s", e);
        }
    }
}
