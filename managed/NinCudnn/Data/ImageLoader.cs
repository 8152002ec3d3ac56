using System.Runtime.ExceptionServices;

namespace NinCudnn.Data;

/// <summary>Decoded images of one size.</summary>
/// <param name="Pixels">(N, H, W, C), the images that could be decoded in the order of the files.</param>
/// <param name="Channels">C, 1 or 3.</param>
/// <param name="IsDecoded">For each file whether it could be decoded; N are true.</param>
internal sealed record DecodedImages(byte[] Pixels, int Channels, bool[] IsDecoded);

/// <summary>Decodes many image files at once, or takes what an earlier run has decoded.</summary>
internal static class ImageLoader
{
    /// <summary>Loads files: with one channel if that is asked for, else with one if all of them are grey, else with three.</summary>
    /// <param name="directory">The folder that the files' paths are relative to.</param>
    /// <param name="files">The files.</param>
    /// <param name="options">The images' form, and what to report.</param>
    /// <param name="cancellationToken">Stops the decoding.</param>
    /// <exception cref="InvalidDataException">Too many pixels, or a file cannot be decoded and is not to be skipped: the first of them.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static DecodedImages Load(
        string directory, IReadOnlyList<ImageFile> files, ImageFolderOptions options, CancellationToken cancellationToken)
    {
        options.Validate();
        var imageBytes = options.Height * options.Width * DecodedChannels(options);
        if ((long)files.Count * imageBytes > Array.MaxLength)
        {
            throw new InvalidDataException(
                $"{directory}: {files.Count} images of {options.Height}×{options.Width}×{DecodedChannels(options)} are {(long)files.Count * imageBytes} bytes, "
                + $"more than the {Array.MaxLength} that are held in memory; choose a smaller size, or fewer images");
        }

        var cache = new ImageCache(files, options);
        if (cache.Read(options.Note) is { } cached)
            return cached;
        var decoded = Decode(directory, files, options, cancellationToken);
        cache.Write(decoded);
        return decoded;
    }

    private static int DecodedChannels(ImageFolderOptions options) => options.Channels == 1 ? 1 : 3;

    private static DecodedImages Decode(
        string directory, IReadOnlyList<ImageFile> files, ImageFolderOptions options, CancellationToken cancellationToken)
    {
        var channels = DecodedChannels(options);
        var imageBytes = options.Height * options.Width * channels;
        var pixels = new byte[files.Count * imageBytes]; // (files, H, W, channels)
        var isGrey = new bool[files.Count];
        var failures = new Exception?[files.Count];
        var done = 0;
        Parallel.For(0, files.Count, new ParallelOptions { CancellationToken = cancellationToken }, (i, loop) =>
        {
            try
            {
                isGrey[i] = ImageDecoder.Decode(
                    Path.Combine(directory, files[i].RelativePath), options.Height, options.Width, channels == 1,
                    pixels.AsSpan(i * imageBytes, imageBytes));
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                failures[i] = e;
                if (!CanSkip(e))
                    loop.Break(); // after the files before this one: the first failure is the same in every run
            }

            options.Progress?.Invoke(Interlocked.Increment(ref done), files.Count);
        });
        if (failures.FirstOrDefault(failure => failure is not null && !CanSkip(failure)) is { } first)
            ExceptionDispatchInfo.Throw(first);

        var isDecoded = Array.ConvertAll(failures, failure => failure is null);
        var isAllGrey = channels == 3 && isGrey.Zip(isDecoded).All(image => image.First || !image.Second);
        return new DecodedImages(Compact(pixels, imageBytes, isDecoded, isAllGrey), isAllGrey ? 1 : channels, isDecoded);

        bool CanSkip(Exception failure) => options.SkipBroken && failure is InvalidDataException;
    }

    /// <summary>Closes the gaps that undecoded images left and, of grey images with three equal channels, keeps one.</summary>
    private static byte[] Compact(byte[] pixels, int imageBytes, bool[] isDecoded, bool isAllGrey)
    {
        var to = 0;
        for (var i = 0; i < isDecoded.Length; i++)
        {
            if (!isDecoded[i])
                continue;
            ReadOnlySpan<byte> image = pixels.AsSpan(i * imageBytes, imageBytes);
            if (!isAllGrey)
            {
                image.CopyTo(pixels.AsSpan(to));
                to += imageBytes;
                continue;
            }

            for (var from = 0; from < imageBytes; from += 3)
                pixels[to++] = image[from];
        }

        Array.Resize(ref pixels, to);
        return pixels;
    }
}
