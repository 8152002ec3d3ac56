using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public sealed class KnownDatasetTests : IDisposable
{
    private const string DebianDirectory = "/usr/share/datasets/fashion-mnist";

    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Load_BothSplits_TakesTheRightFiles()
    {
        SmallDataset.Write(_directory, "", isGzip: true);

        var train = KnownDatasets.FashionMnist.Load(_directory.Path, DatasetSplit.Train);
        var test = KnownDatasets.FashionMnist.Load(_directory.Path, DatasetSplit.Test);

        Assert.Equal((4, 3, 5, 1, 10), (train.Count, train.Height, train.Width, train.Channels, train.Classes));
        Assert.Equal([0, 9, 5, 3], train.Labels.ToArray());
        Assert.Equal("fashion-mnist train", train.Name);
        Assert.Equal(2, test.Count);
        Assert.Equal([1, 2], test.Labels.ToArray());
        Assert.Equal("fashion-mnist test", test.Name);
        Assert.Equal("Ankle boot", test.ClassNames[9]);
    }

    [Fact]
    public void Load_WithoutADirectory_TakesTheLocatedOne()
    {
        Assert.SkipUnless(new DatasetLocator().Find(KnownDatasets.FashionMnist) is not null, "Fashion-MNIST is not installed");
        Assert.Equal(10_000, KnownDatasets.FashionMnist.Load(DatasetSplit.Test).Count);
    }

    [Fact]
    public void Load_PlainNames_AreTakenToo()
    {
        SmallDataset.Write(_directory, "", isGzip: false);

        Assert.Equal(4, KnownDatasets.Mnist.Load(_directory.Path, DatasetSplit.Train).Count);
    }

    [Fact]
    public void Load_MissingFile_NamesIt()
    {
        SmallDataset.Write(_directory, "", isGzip: true);
        File.Delete(_directory.File("train-labels-idx1-ubyte.gz"));

        var error = Assert.Throws<FileNotFoundException>(() => KnownDatasets.Mnist.Load(_directory.Path, DatasetSplit.Train));
        Assert.Contains("train-labels-idx1-ubyte.gz of MNIST is missing", error.Message, StringComparison.Ordinal);
        Assert.Equal(2, KnownDatasets.Mnist.Load(_directory.Path, DatasetSplit.Test).Count);
    }

    [Fact]
    public void Load_LabelsOfAnotherNumber_Throws()
    {
        SmallDataset.Write(_directory, "", isGzip: true);
        _directory.Write("train-labels-idx1-ubyte.gz", IdxBytes.Labels(1, 2, 3));

        var error = Assert.Throws<InvalidDataException>(() => KnownDatasets.Mnist.Load(_directory.Path, DatasetSplit.Train));
        Assert.Contains("3 labels at offset 4", error.Message, StringComparison.Ordinal);
        Assert.Contains("has 4 images", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_LabelWithoutClass_SaysWhere()
    {
        SmallDataset.Write(_directory, "", isGzip: true);
        var path = _directory.Write("train-labels-idx1-ubyte.gz", IdxBytes.Labels(1, 2, 10, 3));

        var error = Assert.Throws<InvalidDataException>(() => KnownDatasets.Mnist.Load(_directory.Path, DatasetSplit.Train));
        Assert.Equal($"{path}: label 10 at offset 10, MNIST has 10 classes", error.Message);
    }

    [Fact]
    public void Load_ImagesAndLabelsSwapped_Throws()
    {
        SmallDataset.Write(_directory, "", isGzip: true);
        _directory.Write("t10k-images-idx3-ubyte.gz", IdxBytes.Labels(1, 2));

        Assert.Throws<InvalidDataException>(() => KnownDatasets.Mnist.Load(_directory.Path, DatasetSplit.Test));
    }

    [Theory]
    [InlineData("fashion-mnist", "Fashion-MNIST")]
    [InlineData("Fashion-MNIST", "Fashion-MNIST")]
    [InlineData("mnist", "MNIST")]
    [InlineData("cifar10", "CIFAR-10")]
    [InlineData("cifar100", "CIFAR-100")]
    public void Get_KnownName_IsFound(string name, string title) => Assert.Equal(title, KnownDatasets.Get(name).Title);

    [Fact]
    public void Get_UnknownName_ListsTheNames()
    {
        var error = Assert.Throws<ArgumentException>(() => KnownDatasets.Get("cifar"));
        Assert.Contains("'cifar'; known are fashion-mnist, mnist, cifar10, cifar100", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void All_Entries_AreWellFormed() => Assert.All(KnownDatasets.All, dataset =>
    {
        Assert.Equal(dataset.Name == "cifar100" ? 100 : 10, dataset.ClassNames.Distinct().Count());
        Assert.Equal(dataset.Files.Count, dataset.Files.Select(file => file.Name).Distinct().Count());
        string?[] hashes = dataset.Archive is { } archive ? [archive.Sha256] : [.. dataset.Files.Select(file => file.Sha256)];
        Assert.Equal(hashes.Length, hashes.Distinct().Count());
        Assert.All(hashes, hash => Assert.Matches("^[0-9a-f]{64}$", hash));
        Assert.EndsWith("/", dataset.BaseAddress.AbsoluteUri, StringComparison.Ordinal);
    });

    [Fact]
    public void FashionMnist_DebianPackage_IsTheDataSet()
    {
        Assert.SkipUnless(Directory.Exists(DebianDirectory), $"{DebianDirectory} does not exist (package dataset-fashion-mnist)");

        foreach (var file in KnownDatasets.FashionMnist.Files)
            file.Verify(file.FindIn(DebianDirectory)!);
        var train = KnownDatasets.FashionMnist.Load(DebianDirectory, DatasetSplit.Train);
        var test = KnownDatasets.FashionMnist.Load(DebianDirectory, DatasetSplit.Test);

        Assert.Equal((60000, 28, 28), (train.Count, train.Height, train.Width));
        Assert.Equal((10000, 28, 28), (test.Count, test.Height, test.Width));
        Assert.Equal([9, 0, 0, 3, 0], train.Labels[..5].ToArray());
        Assert.Equal([9, 2, 1, 1, 6], test.Labels[..5].ToArray());
    }

    [Fact]
    public void Verify_OtherContent_GivesBothHashes()
    {
        var file = SmallDataset.File("labels.gz", IdxBytes.Labels(1, 2, 3));
        var path = _directory.Write("labels.gz", IdxBytes.Gzip(IdxBytes.Labels(1, 2, 4)));

        var error = Assert.Throws<InvalidDataException>(() => file.Verify(path));
        Assert.Contains(file.Sha256!, error.Message, StringComparison.Ordinal);
        Assert.Contains(SmallDataset.File("other", IdxBytes.Labels(1, 2, 4)).Sha256!, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Verify_RightContent_PassesPlainAndCompressed(bool isGzip)
    {
        var content = IdxBytes.Labels(1, 2, 3);
        SmallDataset.File("labels.gz", content).Verify(_directory.Write("labels", isGzip ? IdxBytes.Gzip(content) : content));
    }

    [Fact]
    public void Verify_TwoGzipMembers_Throws()
    {
        var content = IdxBytes.Labels(1, 2, 3);
        var path = _directory.Write("labels.gz", [.. IdxBytes.Gzip(content), .. IdxBytes.Gzip(content)]);

        var error = Assert.Throws<InvalidDataException>(() => SmallDataset.File("labels.gz", content).Verify(path));
        Assert.Contains("more content than the 11 bytes", error.Message, StringComparison.Ordinal);
    }
}
