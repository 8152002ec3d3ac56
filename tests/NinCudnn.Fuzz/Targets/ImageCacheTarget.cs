using NinCudnn.Data;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>The file of decoded images. Only what was written is accepted, to the bit.</summary>
internal sealed class ImageCacheTarget : FuzzTarget<DecodedImages>
{
    private static readonly ImageFile[] _files = [.. Enumerable.Range(0, 3).Select(i => new ImageFile($"cat/{i}.png", 0, 100, DateTime.UnixEpoch))];

    public ImageCacheTarget()
        : base("image-cache")
    {
        using var directory = new TemporaryDirectory();
        Cache(directory.Path).Write(new DecodedImages([.. Enumerable.Range(0, 2 * 6 * 5).Select(i => (byte)i)], 1, [true, false, true]));
        string path = Directory.GetFiles(directory.Path).Single();
        FileName = Path.GetFileName(path);
        Corpus = [File.ReadAllBytes(path)];
    }

    public override IReadOnlyList<byte[]> Corpus { get; }

    public override string FileName { get; }

    protected override DecodedImages? Read(string path) => Cache(Path.GetDirectoryName(path)!).Read(null);

    protected override void Check(DecodedImages value, string path, byte[] input) => Assert.Equal(Corpus[0], input);

    private static ImageCache Cache(string directory) => new(_files, new ImageFolderOptions { Height = 6, Width = 5, CacheDirectory = directory });
}
