using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public sealed class CifarDatasetTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Load_Cifar10_JoinsTheBatchesAndInterleavesTheChannels()
    {
        for (var batch = 1; batch <= 5; batch++)
            _directory.Write($"data_batch_{batch}.bin", [.. CifarBytes.Record(batch, (byte)batch), .. CifarBytes.Record(batch + 10, 9)]);
        _directory.Write("test_batch.bin", CifarBytes.Record(7, 0));

        var train = KnownDatasets.Cifar10.Load(_directory.Path, DatasetSplit.Train);
        var test = KnownDatasets.Cifar10.Load(_directory.Path, DatasetSplit.Test);

        Assert.Equal((10, 32, 32, 3, 10, "cifar10 train"), (train.Count, train.Height, train.Width, train.Channels, train.Classes, train.Name));
        Assert.Equal([1, 9, 2, 9, 3, 9, 4, 9, 5, 9], train.Labels.ToArray());
        AssertImage(train, 4, seed: 3);
        AssertImage(train, 9, seed: 15);
        Assert.Equal((1, "cifar10 test"), (test.Count, test.Name));
        AssertImage(test, 0, seed: 7);
        Assert.Equal("airplane", test.ClassNames[test.Labels[0]]);
    }

    [Fact]
    public void Load_Cifar100_TakesTheFineLabels()
    {
        _directory.Write("train.bin", [.. CifarBytes.Record(1, 4, 0), .. CifarBytes.Record(2, 19, 99)]);
        _directory.Write("test.bin", CifarBytes.Record(3, 0, 54));

        var train = KnownDatasets.Cifar100.Load(_directory.Path, DatasetSplit.Train);
        var test = KnownDatasets.Cifar100.Load(_directory.Path, DatasetSplit.Test);

        Assert.Equal([0, 99], train.Labels.ToArray());
        AssertImage(train, 1, seed: 2);
        Assert.Equal(["apple", "worm"], train.Labels.ToArray().Select(label => train.ClassNames[label]));
        Assert.Equal("orchid", test.ClassNames[test.Labels[0]]);
    }

    [Fact]
    public void Cifar100_ClassNames_AreInAlphabeticalOrder() =>
        Assert.Equal(KnownDatasets.Cifar100.ClassNames.Order(StringComparer.Ordinal), KnownDatasets.Cifar100.ClassNames);

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(3073, 0, 3073)]
    [InlineData(3074 * 2 - 1, 3074, 3073)]
    [InlineData(3074 * 2 + 1, 3074 * 2, 1)]
    public void Load_LengthOfNoRecords_SaysWhereTheLastBegins(int length, int offset, int rest)
    {
        var path = _directory.Write("train.bin", new byte[length]);

        var error = Assert.Throws<InvalidDataException>(() => KnownDatasets.Cifar100.Load(_directory.Path, DatasetSplit.Train));

        Assert.Equal(
            $"{path}: {length} bytes are not records of 3074; the last one begins at offset {offset} and has {rest}", error.Message);
    }

    [Theory]
    [InlineData(20, 0, "coarse label 20 at offset 3074, CIFAR-100 has 20 classes")]
    [InlineData(19, 100, "label 100 at offset 3075, CIFAR-100 has 100 classes")]
    public void Load_LabelWithoutClass_SaysWhere(byte coarse, byte fine, string message)
    {
        var path = _directory.Write("test.bin", [.. CifarBytes.Record(1, 0, 0), .. CifarBytes.Record(2, coarse, fine)]);

        var error = Assert.Throws<InvalidDataException>(() => KnownDatasets.Cifar100.Load(_directory.Path, DatasetSplit.Test));

        Assert.Equal($"{path}: {message}", error.Message);
    }

    [Fact]
    public void Load_Cifar10LabelWithoutClass_SaysWhere()
    {
        var path = _directory.Write("test_batch.bin", [.. CifarBytes.Record(1, 9), .. CifarBytes.Record(2, 10)]);

        var error = Assert.Throws<InvalidDataException>(() => KnownDatasets.Cifar10.Load(_directory.Path, DatasetSplit.Test));

        Assert.Equal($"{path}: label 10 at offset 3073, CIFAR-10 has 10 classes", error.Message);
    }

    [Fact]
    public void Load_MoreThanAnArrayHolds_ThrowsBeforeItAllocates()
    {
        // 4 GiB of nothing: the file system keeps no blocks for it.
        using (var file = File.Create(_directory.File("train.bin")))
            file.SetLength(3074L * 1_400_000);

        var error = Assert.Throws<InvalidDataException>(() => KnownDatasets.Cifar100.Load(_directory.Path, DatasetSplit.Train));

        Assert.Contains("1400000 images, more than an array holds", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_MissingBatch_NamesIt()
    {
        _directory.Write("data_batch_1.bin", CifarBytes.Record(1, 0));

        var error = Assert.Throws<FileNotFoundException>(() => KnownDatasets.Cifar10.Load(_directory.Path, DatasetSplit.Train));

        Assert.Contains("data_batch_2.bin of CIFAR-10 is missing", error.Message, StringComparison.Ordinal);
    }

    private static void AssertImage(ImageDataset set, int index, int seed) => Assert.Equal(
        Enumerable.Range(0, CifarBytes.ImageBytes).Select(i => CifarBytes.Pixel(seed, i % 3, i / 3)), set.Image(index).ToArray());
}
