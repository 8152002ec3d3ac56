using System.Globalization;
using Google.Protobuf;
using NinCudnn.Formats.TensorBoard;

namespace NinCudnn.Formats;

/// <summary>
/// Appends events to a file that TensorBoard reads: <c>events.out.tfevents.&lt;seconds since 1970&gt;.&lt;host&gt;</c>. Each call appends one
/// whole record to the file before it returns, so a reader beside it sees every event at once, and a process that dies leaves all
/// events but at most the one being written, whose checksum readers refuse. Owns the open file. One thread at a time.
/// </summary>
/// <remarks>
/// A record frames one <c>Event</c> message (event.proto); the first one holds the file's version.
/// </remarks>
public sealed class EventFileWriter : IDisposable
{
    private const string FileVersion = "brain.Event:2";

    private static readonly byte[] _pngSignature = [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    private readonly FileStream _file;

    private EventFileWriter(FileStream file)
    {
        _file = file;
        Append(new Event { FileVersion = FileVersion });
    }

    /// <summary>The file.</summary>
    public string Path => _file.Name;

    /// <summary>Makes a new file in a directory, which is made too where it is missing.</summary>
    /// <param name="directory">TensorBoard calls it a run, and shows it by its name.</param>
    /// <exception cref="IOException">It can't be written.</exception>
    public static EventFileWriter Create(string directory)
    {
        Directory.CreateDirectory(directory);
        string name = string.Create(
            CultureInfo.InvariantCulture, $"events.out.tfevents.{DateTimeOffset.UtcNow.ToUnixTimeSeconds():d10}.{Environment.MachineName}");
        string path = System.IO.Path.Combine(directory, name);
        // A second file of the same second gets a number.
        for (int i = 1; File.Exists(path); i++)
            path = System.IO.Path.Combine(directory, string.Create(CultureInfo.InvariantCulture, $"{name}.{i}"));
        // Without a buffer, each record is one call of the system.
        return new EventFileWriter(new OutputFileStream(path, FileMode.CreateNew));
    }

    /// <summary>Adds a point to a curve.</summary>
    /// <param name="tag">The curve's name; a slash makes a group.</param>
    /// <param name="step">Its place on the horizontal axis.</param>
    /// <param name="value">Its height, which need not be finite.</param>
    /// <exception cref="IOException">The disk is full, or the like.</exception>
    public void Scalar(string tag, long step, float value) => Append(tag, step, new Summary.Types.Value { SimpleValue = value });

    /// <summary>Adds an image.</summary>
    /// <param name="tag">The series' name.</param>
    /// <param name="step">Its place in the series.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="channels">1 grey, 2 grey with alpha, 3 RGB, 4 RGBA.</param>
    /// <param name="png">The image as a PNG file.</param>
    /// <exception cref="ArgumentException">An extent or the number of channels is impossible, or the bytes are no PNG file.</exception>
    /// <exception cref="IOException">The disk is full, or the like.</exception>
    public void Image(string tag, long step, int height, int width, int channels, ReadOnlySpan<byte> png)
    {
        if (height < 1 || width < 1 || channels is < 1 or > 4)
            throw new ArgumentException($"{tag}: an image of {height}×{width} pixels with {channels} channels");
        if (!png.StartsWith(_pngSignature))
            throw new ArgumentException($"{tag}: {png.Length} bytes that do not begin as a PNG file does");
        var image = new Summary.Types.Image { Height = height, Width = width, Colorspace = channels, EncodedImageString = ByteString.CopyFrom(png) };
        Append(tag, step, new Summary.Types.Value { Image = image });
    }

    /// <summary>Adds how values are distributed: their counts in 30 intervals of equal width between the smallest and the largest.</summary>
    /// <param name="tag">The series' name.</param>
    /// <param name="step">Its place in the series.</param>
    /// <param name="values">The values. Those that are not finite are left out of all figures.</param>
    /// <exception cref="IOException">The disk is full, or the like.</exception>
    public void Histogram(string tag, long step, ReadOnlySpan<float> values) =>
        Append(tag, step, new Summary.Types.Value { Histo = EventHistogram.Of(values) });

    /// <summary>Waits until the disk has everything, and closes the file.</summary>
    public void Dispose()
    {
        if (!_file.CanWrite)
            return;
        _file.Flush(flushToDisk: true);
        _file.Dispose();
    }

    private void Append(string tag, long step, Summary.Types.Value value)
    {
        ArgumentException.ThrowIfNullOrEmpty(tag);
        value.Tag = tag;
        Append(new Event { Step = step, Summary = new Summary { Value = { value } } });
    }

    private void Append(Event item)
    {
        item.WallTime = (DateTime.UtcNow - DateTime.UnixEpoch).TotalSeconds;
        _file.Write(EventRecord.Frame(item.ToByteArray()));
    }
}
