using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

/// <summary>The cache of decoded images, seen through what is decoded again.</summary>
public sealed class ImageCacheTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _cache = new();
    private readonly List<string> _notes = [];

    public ImageCacheTests()
    {
        for (byte i = 0; i < 3; i++)
        {
            WriteImage($"a/{i}.png", i);
            WriteImage($"b/{i}.png", (byte)(100 + i));
        }
    }

    public void Dispose()
    {
        _directory.Dispose();
        _cache.Dispose();
    }

    [Fact]
    public void Load_ASecondTime_DecodesNothingAndGivesTheSame()
    {
        var (first, decodedFirst) = Load();
        var (second, decodedSecond) = Load();

        Assert.Equal((6, 0), (decodedFirst, decodedSecond));
        Assert.Equal(first.Images.ToArray(), second.Images.ToArray());
        Assert.Equal(first.Labels.ToArray(), second.Labels.ToArray());
        Assert.Equal((first.Height, first.Width, first.Channels), (second.Height, second.Width, second.Channels));
        Assert.Single(_cache.Files());
        Assert.Empty(_notes);
    }

    [Fact]
    public void Load_TheFolderMoved_TakesTheCache()
    {
        Load();
        using var elsewhere = new TemporaryDirectory();
        foreach (var name in _directory.Files())
        {
            elsewhere.Write(name, File.ReadAllBytes(_directory.File(name)));
            File.SetLastWriteTimeUtc(elsewhere.File(name), File.GetLastWriteTimeUtc(_directory.File(name)));
        }

        Assert.Equal(0, Load(elsewhere.Path).Decoded);
    }

    [Theory]
    [InlineData("content")]
    [InlineData("time")]
    [InlineData("added")]
    [InlineData("removed")]
    [InlineData("renamed")]
    [InlineData("size")]
    [InlineData("luma")]
    [InlineData("skip")]
    public void Load_AfterAnyChange_DecodesAgain(string change)
    {
        Load();
        var options = Options();
        var path = _directory.File("a/1.png");
        switch (change)
        {
            case "content":
                var time = File.GetLastWriteTimeUtc(path);
                File.WriteAllBytes(path, ImageBytes.Png(9, 9, 1, 2, 3));
                File.SetLastWriteTimeUtc(path, time);
                break;
            case "time":
                File.SetLastWriteTimeUtc(path, File.GetLastWriteTimeUtc(path).AddMilliseconds(1));
                break;
            case "added":
                WriteImage("b/4.png", 4);
                break;
            case "removed":
                File.Delete(path);
                break;
            case "renamed":
                File.Move(path, _directory.File("a/5.png"));
                break;
            case "size":
                options = options with { Width = 3 };
                break;
            case "luma":
                options = options with { Channels = 1 };
                break;
            default:
                options = options with { SkipBroken = true };
                break;
        }

        var (set, decoded) = Load(options: options);

        Assert.Equal(set.Count, decoded);
        Assert.Empty(_notes);
        Assert.Equal(0, Load(options: options).Decoded);
    }

    [Fact]
    public void Load_ThreeChannelsAsked_TakesTheCacheOfThoseNotAsked()
    {
        Load();

        var (set, decoded) = Load(options: Options() with { Channels = 3 });

        Assert.Equal((3, 0), (set.Channels, decoded));
    }

    [Fact]
    public void Load_AnyDamagedByte_IsFoundAndRepaired()
    {
        var (expected, _) = Load();
        var path = _cache.File(Assert.Single(_cache.Files()));
        var whole = File.ReadAllBytes(path);
        for (var offset = 0; offset < whole.Length; offset++)
        {
            var damaged = whole.ToArray();
            damaged[offset] ^= (byte)(1 << offset % 8);
            File.WriteAllBytes(path, damaged);
            _notes.Clear();

            var (set, decoded) = Load();

            Assert.Equal((6, offset), (decoded, offset));
            Assert.Equal(expected.Images.ToArray(), set.Images.ToArray());
            Assert.Equal($"{path} is damaged; the images are decoded again", Assert.Single(_notes));
            Assert.Equal(whole, File.ReadAllBytes(path));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    [InlineData(-1)]
    [InlineData(1)]
    public void Load_CacheOfAnotherLength_IsRepaired(int length)
    {
        Load();
        var path = _cache.File(Assert.Single(_cache.Files()));
        var whole = File.ReadAllBytes(path);
        File.WriteAllBytes(path, length == 1 ? [.. whole, 0] : whole[..(length < 0 ? whole.Length + length : length)]);

        Assert.Equal(6, Load().Decoded);

        Assert.Single(_notes);
        Assert.Equal(whole, File.ReadAllBytes(path));
    }

    [Fact]
    public void Load_CacheCannotBeWritten_WorksWithout()
    {
        var file = _cache.Write("file", []);
        var options = Options() with { CacheDirectory = Path.Combine(file, "images") };

        Assert.Equal(6, Load(options: options).Decoded);
        Assert.Equal(6, Load(options: options).Decoded);
        Assert.Empty(_notes);
    }

    [Fact]
    public void Load_OneSplitAfterTheOther_KeepsBoth()
    {
        var folder = ImageFolder.Open(_directory.Path);
        var decoded = 0;
        var options = Options() with { Progress = (_, _) => Interlocked.Increment(ref decoded) };

        folder.LoadBoth(options);
        folder.Load(DatasetSplit.Test, options);

        Assert.Equal(6, decoded);
        Assert.Equal(2, _cache.Files().Length);
    }

    private void WriteImage(string path, byte red) => _directory.Write(path, ImageBytes.Png(2, 2, red, 7, 7));

    private ImageFolderOptions Options() => new() { Height = 2, Width = 2, CacheDirectory = _cache.Path, Note = _notes.Add };

    private (ImageDataset Set, int Decoded) Load(string? directory = null, ImageFolderOptions? options = null)
    {
        var decoded = 0;
        options = (options ?? Options()) with { Progress = (_, _) => Interlocked.Increment(ref decoded) };
        var set = ImageFolder.Open(directory ?? _directory.Path, new FolderSplit(1)).Load(DatasetSplit.Test, options);
        return (set, decoded);
    }
}
