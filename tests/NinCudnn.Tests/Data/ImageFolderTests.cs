using NinCudnn.Data;
using SkiaSharp;
using Xunit;

namespace NinCudnn.Tests.Data;

public sealed class ImageFolderTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly TemporaryDirectory _cache = new();
    private readonly List<string> _notes = [];

    public void Dispose()
    {
        _directory.Dispose();
        _cache.Dispose();
    }

    [Fact]
    public void Open_ClassFolders_AreOrderedByName()
    {
        Write("things/b/2.png");
        Write("things/b/10.PNG");
        Write("things/b/.hidden.png");
        Write("things/b/readme.txt");
        Write("things/a/x.jpeg");
        Write("things/C/x.webp");
        Write("things/.git/x.png");
        Write("things/readme.md");

        var folder = ImageFolder.Open(_directory.File("things/"), new FolderSplit(1));

        Assert.Equal("things", folder.Name);
        Assert.Equal(["C", "a", "b"], folder.ClassNames);
        Assert.Equal(
            [("C/x.webp", 0), ("a/x.jpeg", 1), ("b/10.PNG", 2), ("b/2.png", 2)],
            folder.Images(DatasetSplit.Test).Select(image => (image.RelativePath, (int)image.Label)));
        Assert.Empty(folder.Images(DatasetSplit.Train));
    }

    [Fact]
    public void Open_WithoutASplitOfItsOwn_SplitsEachClass()
    {
        for (var i = 0; i < 20; i++)
            Write($"a/{i}.png");
        for (var i = 0; i < 5; i++)
            Write($"b/{i}.png");

        var folder = ImageFolder.Open(_directory.Path);

        Assert.Equal([0, 0, 0, 0, 1], folder.Images(DatasetSplit.Test).Select(image => (int)image.Label));
        Assert.Equal(20, folder.Images(DatasetSplit.Train).Count);
        Assert.Empty(folder.Images(DatasetSplit.Train).Intersect(folder.Images(DatasetSplit.Test)));
    }

    [Theory]
    [InlineData("test", "val", "test")]
    [InlineData("val", "other", "val")]
    public void Open_TrainAndTestFolders_AreTheSplit(string first, string second, string taken)
    {
        foreach (var part in new[] { "train", first, second })
        {
            Write($"{part}/a/1.png");
            Write($"{part}/b/1.png");
        }

        var folder = ImageFolder.Open(_directory.Path);

        Assert.Equal(["a", "b"], folder.ClassNames);
        Assert.Equal(["train/a/1.png", "train/b/1.png"], folder.Images(DatasetSplit.Train).Select(image => image.RelativePath));
        Assert.Equal([$"{taken}/a/1.png", $"{taken}/b/1.png"], folder.Images(DatasetSplit.Test).Select(image => image.RelativePath));
        var error = Assert.Throws<ArgumentException>(() => ImageFolder.Open(_directory.Path, new FolderSplit()));
        Assert.Equal($"{_directory.Path} has the folders train and {taken}, so there is nothing to split", error.Message);
    }

    [Fact]
    public void Open_ClassNamedTrain_IsAClass()
    {
        Write("bus/1.png");
        Write("train/1.png");

        Assert.Equal(["bus", "train"], ImageFolder.Open(_directory.Path).ClassNames);
    }

    [Fact]
    public void Open_ClassInOneSplitOnly_NamesIt()
    {
        foreach (var path in new[] { "train/a/1.png", "train/b/1.png", "test/a/1.png", "test/c/1.png" })
            Write(path);

        var error = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_directory.Path));

        Assert.Equal($"{_directory.Path}: the class b is only in one of the folders train and test", error.Message);
    }

    [Theory]
    [InlineData("holds no folders; it must hold one folder of images per class")]
    [InlineData("holds no folders; it must hold one folder of images per class", "1.png", "2.png")]
    [InlineData("holds only the class a; there must be two or more folders of images", "a/1.png")]
    [InlineData("/b holds no images (.png, .jpg, .jpeg, .bmp, .webp)", "a/1.png", "b/1.txt")]
    [InlineData("/b holds the folder c; a class's folder must hold nothing but images", "a/1.png", "b/1.png", "b/c/1.png")]
    public void Open_FolderMadeOtherwise_SaysHow(string message, params string[] paths)
    {
        foreach (var path in paths)
            Write(path);

        var error = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_directory.Path));

        Assert.Equal(message.StartsWith('/') ? $"{_directory.Path}{message}" : $"{_directory.Path} {message}", error.Message);
    }

    [Fact]
    public void Open_ClassesThatDifferInCaseOnly_AreRefused()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || OperatingSystem.IsMacOS(), "the file system takes them for one");
        Write("Cat/1.png");
        Write("cat/1.png");

        var error = Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_directory.Path));

        Assert.Equal($"{_directory.Path}: the classes Cat and cat differ only in upper and lower case", error.Message);
    }

    [Fact]
    public void Open_NoFolder_SaysSo()
    {
        Write("file");

        Assert.Equal($"{_directory.File("none")} does not exist", Assert.ThrowsAny<IOException>(() => ImageFolder.Open(_directory.File("none"))).Message);
        Assert.Equal(
            $"{_directory.File("file")} is a file, not a folder", Assert.ThrowsAny<IOException>(() => ImageFolder.Open(_directory.File("file"))).Message);
    }

    [Fact]
    public void Load_MixedFiles_ResizesThemToOneSize()
    {
        var rgba = ImageBytes.Uniform(9, 7, 10, 20, 30);
        _directory.Write("a/1.png", ImageBytes.Encode(SKEncodedImageFormat.Png, 9, 7, rgba));
        _directory.Write("a/2.webp", ImageBytes.Encode(SKEncodedImageFormat.Webp, 9, 7, rgba));
        _directory.Write("b/3.bmp", ImageBytes.Bmp(2, 3, [.. Enumerable.Repeat<byte[]>([10, 20, 30], 6).SelectMany(pixel => pixel)]));
        _directory.Write("b/4.png", ImageBytes.Png(1, 1, 8, 0, [200]));

        var set = ImageFolder.Open(_directory.Path, new FolderSplit(1)).Load(DatasetSplit.Test, Options() with { Height = 4, Width = 6 });

        Assert.Equal((4, 4, 6, 3, 2), (set.Count, set.Height, set.Width, set.Channels, set.Classes));
        Assert.Equal([0, 0, 1, 1], set.Labels.ToArray());
        for (var i = 0; i < 3; i++)
            Assert.Equal(Enumerable.Repeat<byte[]>([10, 20, 30], 24).SelectMany(pixel => pixel), set.Image(i).ToArray());
        Assert.All(set.Image(3).ToArray(), value => Assert.Equal(200, value));
        Assert.Equal($"{Path.GetFileName(_directory.Path)} test", set.Name);
    }

    [Theory]
    [InlineData(null, false, 1)]
    [InlineData(null, true, 3)]
    [InlineData(1, false, 1)]
    [InlineData(1, true, 1)]
    [InlineData(3, false, 3)]
    [InlineData(3, true, 3)]
    public void Load_Channels_AreAsAskedOrAsTheImagesAre(int? asked, bool hasColour, int expected)
    {
        _directory.Write("a/1.png", ImageBytes.Png(2, 2, 50, 50, 50));
        _directory.Write("b/2.png", ImageBytes.Png(2, 2, 0, 0, hasColour ? (byte)255 : (byte)0));
        var options = Options() with { Channels = asked };

        for (var run = 0; run < 2; run++) // decoded, then from the cache
        {
            var set = ImageFolder.Open(_directory.Path, new FolderSplit(1)).Load(DatasetSplit.Test, options);

            Assert.Equal(expected, set.Channels);
            byte[] second = !hasColour ? [0, 0, 0] : expected == 1 ? [29] : [0, 0, 255]; // 255·0.114 is 29.07
            Assert.Equal(Enumerable.Repeat((byte)50, expected), set.Image(0)[..expected].ToArray());
            Assert.Equal(second[..expected], set.Image(1)[..expected].ToArray());
        }
    }

    [Fact]
    public void LoadBoth_ColoursInOneSplit_GivesBothThreeChannels()
    {
        foreach (var (part, red) in new[] { ("train", (byte)7), ("test", (byte)99) })
        {
            _directory.Write($"{part}/a/1.png", ImageBytes.Png(1, 1, 7, 7, 7));
            _directory.Write($"{part}/b/1.png", ImageBytes.Png(1, 1, red, 7, 7));
        }

        var (train, test) = ImageFolder.Open(_directory.Path).LoadBoth(Options() with { Height = 1, Width = 1 });

        Assert.Equal([7, 7, 7, 7, 7, 7], train.Images.ToArray());
        Assert.Equal([7, 7, 7, 99, 7, 7], test.Images.ToArray());
    }

    [Fact]
    public void Load_BrokenFiles_NamesTheFirst()
    {
        WriteColours(30);
        _directory.Write("a/21.png", "none"u8);
        _directory.Write("b/03.png", "none"u8);

        var error = Assert.Throws<InvalidDataException>(() => Load());

        Assert.Equal($"{_directory.File("a/21.png")}: no PNG, JPEG, BMP or WebP image, or its beginning is damaged", error.Message);
        Assert.Empty(_cache.Files());
    }

    [Fact]
    public void Load_BrokenFilesToSkip_AreLeftOutAndCounted()
    {
        WriteColours(3);
        _directory.Write("a/01.png", "none"u8);
        _directory.Write("b/02.png", ImageBytes.Png(1, 1, 0, 0, 0)[..40]);

        for (var run = 0; run < 2; run++) // decoded, then from the cache
        {
            var set = Load(Options() with { SkipBroken = true });

            Assert.Equal([0, 0, 1, 1], set.Labels.ToArray());
            Assert.Equal([0, 2, 128, 129], Enumerable.Range(0, 4).Select(i => (int)set.Image(i)[0]));
            Assert.Equal("2 of 6 test images can't be decoded and were skipped", _notes[run]);
        }
        Assert.Equal(2, _notes.Count);
    }

    [Fact]
    public void Load_NothingButBrokenFiles_Throws()
    {
        _directory.Write("a/1.png", "none"u8);
        _directory.Write("b/1.png", "none"u8);

        var error = Assert.Throws<InvalidDataException>(() => Load(Options() with { SkipBroken = true }));

        Assert.Equal($"{_directory.Path}: none of the 2 test images can be decoded", error.Message);
    }

    [Fact]
    public void Load_NothingLeftToTrainOn_Throws()
    {
        WriteColours(1);

        var error = Assert.Throws<InvalidDataException>(
            () => ImageFolder.Open(_directory.Path, new FolderSplit(1)).Load(DatasetSplit.Train, Options()));

        Assert.Equal($"{_directory.Path}: the split leaves no train images", error.Message);
    }

    [Fact]
    public void Load_WithALimit_TakesTheSameImagesOfAllClasses()
    {
        WriteColours(30);

        var set = Load(limit: 20);

        Assert.Equal(20, set.Count);
        Assert.Equal([0, 1], set.Labels.ToArray().Distinct());
        Assert.Equal(set.Images.ToArray(), Load(limit: 20).Images.ToArray());
        Assert.Equal(60, Load(limit: 61).Count);
    }

    [Fact]
    public void Load_MoreThanAnArrayHolds_ThrowsBeforeItDecodes()
    {
        for (var i = 0; i < 43; i++)
            Write($"{(i % 2 == 0 ? "a" : "b")}/{i}.png");

        var error = Assert.Throws<InvalidDataException>(() => Load(Options() with { Height = 4096, Width = 4096 }));

        Assert.StartsWith($"{_directory.Path}: 43 images of 4096×4096×3 are 2164260864 bytes, more than", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1, null)]
    [InlineData(1, 4097, null)]
    [InlineData(1, 1, 2)]
    public void Load_ImpossibleOptions_Throws(int height, int width, int? channels)
    {
        WriteColours(1);

        Assert.Throws<ArgumentException>(() => Load(Options() with { Height = height, Width = width, Channels = channels }));
    }

    [Fact]
    public void Load_Progress_CountsUpToAll()
    {
        WriteColours(10);
        var counts = new List<int>();

        Load(Options() with
        {
            Progress = (done, all) =>
            {
                lock (counts)
                    counts.Add(done);
                Assert.Equal(20, all);
            },
        });

        Assert.Equal(Enumerable.Range(1, 20), counts.Order());
    }

    [Fact]
    public void Load_Cancelled_Stops()
    {
        WriteColours(30);
        using var cancel = new CancellationTokenSource();

        Assert.ThrowsAny<OperationCanceledException>(
            () => Load(Options() with { Progress = (_, _) => cancel.Cancel() }, cancellationToken: cancel.Token));

        Assert.Empty(_cache.Files());
    }

    [Fact]
    public void Load_LinkedFiles_AreReadThroughTheLink()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "links need a privilege");
        WriteColours(1);
        var target = _directory.Write("elsewhere.bin", ImageBytes.Png(1, 1, 77, 77, 77));
        File.CreateSymbolicLink(_directory.File("a/link.png"), target);

        var folder = ImageFolder.Open(_directory.Path, new FolderSplit(1));

        Assert.Equal(new FileInfo(target).Length, folder.Images(DatasetSplit.Test)[1].Bytes);
        Assert.Equal(77, folder.Load(DatasetSplit.Test, Options()).Image(1)[0]);
    }

    /// <summary>Two classes of images of one colour each: grey 0, 1, … in a, 128, 129, … in b.</summary>
    private void WriteColours(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _directory.Write($"a/{i:00}.png", ImageBytes.Png(2, 2, 8, 0, [(byte)i, (byte)i], [(byte)i, (byte)i]));
            _directory.Write($"b/{i:00}.png", ImageBytes.Png(1, 1, 8, 0, [(byte)(128 + i)]));
        }
    }

    private void Write(string path) => _directory.Write(path, []);

    private ImageFolderOptions Options() => new() { Height = 2, Width = 2, CacheDirectory = _cache.Path, Note = _notes.Add };

    private ImageDataset Load(ImageFolderOptions? options = null, int? limit = null, CancellationToken cancellationToken = default) =>
        ImageFolder.Open(_directory.Path, new FolderSplit(1)).Load(DatasetSplit.Test, options ?? Options(), limit, cancellationToken);
}
