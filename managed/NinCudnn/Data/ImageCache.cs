using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using NinCudnn.Formats;
using NinCudnn.Numerics;
using SkiaSharp;

namespace NinCudnn.Data;

/// <summary>
/// Keeps decoded images on disk, in a file whose name is a hash of all that they depend on: the files' relative paths, lengths and times,
/// the size, the kind of pixels, and the decoder's version. A file that can't be read or written costs the decoding again, and nothing else.
/// </summary>
/// <remarks>
/// The file, little-endian: 8 bytes "NINIMG01"; int32 length and UTF-8 bytes of what the images depend on; int32 channels; a byte per file,
/// 1 if it was decoded; uint64 checksum; the images (N, H, W, C). The checksum is the <see cref="Fnv1a"/> hash of all that goes before it,
/// followed by the hash of each image.
/// </remarks>
internal sealed class ImageCache
{
    private static ReadOnlySpan<byte> Magic => "NINIMG01"u8;

    private readonly string _path;
    private readonly byte[] _manifest;
    private readonly int _fileCount;
    private readonly int _imagePixels;

    public ImageCache(IReadOnlyList<ImageFile> files, ImageFolderOptions options)
    {
        var kind = options.Channels == 1 ? "luma" : "colour";
        var decoder = typeof(SKCodec).Assembly.GetName().Version;
        var manifest = new StringBuilder();
        manifest.Append(CultureInfo.InvariantCulture, $"{options.Height}×{options.Width} {kind} skip {options.SkipBroken} by {decoder}\0");
        foreach (var file in files)
            manifest.Append(CultureInfo.InvariantCulture, $"{file.RelativePath}\0{file.Bytes} {file.Modified.Ticks}\0");
        _manifest = Encoding.UTF8.GetBytes(manifest.ToString());
        _path = Path.Combine(
            options.CacheDirectory, string.Create(CultureInfo.InvariantCulture, $"{Fnv1a.Hash64(_manifest):x16}.images"));
        _fileCount = files.Count;
        _imagePixels = options.Height * options.Width;
    }

    /// <summary>Returns the images, or null if the file is not there or not right; the latter is noted.</summary>
    public DecodedImages? Read(Action<string>? note)
    {
        try
        {
            using var file = new FileStream(_path, FileMode.Open, FileAccess.Read, FileShare.Read);
            if (Read(file) is { } images)
                return images;
            note?.Invoke($"{_path} is damaged; the images are decoded again");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }

        return null;
    }

    public void Write(DecodedImages images)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            using var file = new AtomicFile(_path);
            var header = Header(images);
            file.Stream.Write(header);
            file.Stream.Write(BitConverter.GetBytes(Checksum(header, images)));
            file.Stream.Write(images.Pixels);
            file.Finish();
            file.Commit();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
        }
    }

    private byte[] Header(DecodedImages images)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write(Magic);
        writer.Write(_manifest.Length);
        writer.Write(_manifest);
        writer.Write(images.Channels);
        writer.Write(MemoryMarshal.AsBytes(images.IsDecoded.AsSpan()));
        return stream.ToArray();
    }

    /// <summary>Reads back what <see cref="Write"/> wrote; null if a single bit differs.</summary>
    private DecodedImages? Read(FileStream file)
    {
        // The header's length is known beforehand, so nothing in the file decides how much memory is taken for it.
        var header = new byte[Magic.Length + sizeof(int) + _manifest.Length + sizeof(int) + _fileCount];
        var checksum = new byte[sizeof(ulong)];
        if (file.Length < header.Length + checksum.Length)
            return null;
        file.ReadExactly(header);
        file.ReadExactly(checksum);
        var isDecoded = Array.ConvertAll(header[^_fileCount..], value => value != 0);
        var channels = BitConverter.ToInt32(header, header.Length - _fileCount - sizeof(int));
        var bytes = isDecoded.LongCount(value => value) * _imagePixels * channels;
        if (channels is not (1 or 3) || bytes > Array.MaxLength || file.Length != header.Length + checksum.Length + bytes)
            return null;

        var images = new DecodedImages(new byte[bytes], channels, isDecoded);
        file.ReadExactly(images.Pixels);
        return header.AsSpan().SequenceEqual(Header(images)) && BitConverter.ToUInt64(checksum) == Checksum(header, images) ? images : null;
    }

    private ulong Checksum(byte[] header, DecodedImages images)
    {
        var imageBytes = _imagePixels * images.Channels;
        var hashes = new ulong[images.Pixels.Length / imageBytes];
        Parallel.For(0, hashes.Length, i => hashes[i] = Fnv1a.Hash64(images.Pixels.AsSpan(i * imageBytes, imageBytes)));
        return Fnv1a.Hash64([.. header, .. MemoryMarshal.AsBytes(hashes.AsSpan())]);
    }
}
