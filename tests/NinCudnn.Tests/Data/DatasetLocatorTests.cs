using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public sealed class DatasetLocatorTests : IDisposable
{
    private static readonly KnownDataset _dataset = KnownDatasets.FashionMnist;

    private readonly TemporaryDirectory _directory = new();
    private readonly DatasetLocator _locator;

    public DatasetLocatorTests() => _locator = new DatasetLocator
    {
        EnvironmentDirectory = _directory.File("env"),
        WorkingDirectory = _directory.File("work"),
        SystemDirectory = _directory.File("system"),
    };

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Locate_EveryPlace_IsFoundInTheDocumentedOrder()
    {
        string[] places = ["system/fashion-mnist", "work/data", "work/data/fashion-mnist", "env", "env/fashion-mnist"];
        foreach (var place in places)
        {
            SmallDataset.Write(_directory, place, isGzip: true);
            Assert.Equal(_directory.File(place), _locator.Locate(_dataset));
        }

        SmallDataset.Write(_directory, "option", isGzip: false);
        Assert.Equal(_directory.File("option"), _locator.Locate(_dataset, _directory.File("option")));
    }

    [Fact]
    public void Locate_ExplicitDirectory_MayHaveASubdirectory()
    {
        SmallDataset.Write(_directory, "option/fashion-mnist", isGzip: true);

        Assert.Equal(_directory.File("option/fashion-mnist"), _locator.Locate(_dataset, _directory.File("option")));
    }

    [Fact]
    public void Locate_IncompletePlace_IsPassedOver()
    {
        SmallDataset.Write(_directory, "env", isGzip: true);
        SmallDataset.Write(_directory, "work/data", isGzip: true);
        File.Delete(_directory.File("env/t10k-labels-idx1-ubyte.gz"));

        Assert.Equal(_directory.File("work/data"), _locator.Locate(_dataset));
    }

    [Fact]
    public void Locate_Nowhere_NamesEveryPlaceAndHowToGetTheData()
    {
        _directory.Write("env/train-images-idx3-ubyte.gz", []);

        var error = Assert.Throws<FileNotFoundException>(() => _locator.Locate(_dataset));

        Assert.DoesNotContain('\n', error.Message);
        Assert.Contains(
            $"{_directory.File("env")} lacks train-labels-idx1-ubyte.gz, t10k-images-idx3-ubyte.gz, t10k-labels-idx1-ubyte.gz;",
            error.Message,
            StringComparison.Ordinal);
        foreach (var place in new[] { "env/fashion-mnist", "work/data/fashion-mnist", "work/data", "system/fashion-mnist" })
            Assert.Contains($"{_directory.File(place)} does not exist", error.Message, StringComparison.Ordinal);
        Assert.Contains("'nin data fetch --dataset fashion-mnist' or 'apt-get install dataset-fashion-mnist'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Locate_SetWithoutPackage_OffersOnlyTheDownload()
    {
        var error = Assert.Throws<FileNotFoundException>(() => _locator.Locate(KnownDatasets.Mnist));

        Assert.Contains("'nin data fetch --dataset mnist'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("apt-get", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("option")]
    [InlineData("option/fashion-mnist")]
    public void Locate_ExplicitDirectoryLacksFiles_SaysWhichAndSearchesNoFurther(string place)
    {
        SmallDataset.Write(_directory, "env", isGzip: true);
        SmallDataset.Write(_directory, place, isGzip: true);
        File.Delete(_directory.File($"{place}/train-labels-idx1-ubyte.gz"));

        var error = Assert.Throws<FileNotFoundException>(() => _locator.Locate(_dataset, _directory.File("option")));

        var expected = $"Fashion-MNIST: {_directory.File(place)} lacks train-labels-idx1-ubyte.gz; ";
        Assert.StartsWith(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Locate_ExplicitDirectoryDoesNotExist_SaysSo()
    {
        var error = Assert.Throws<FileNotFoundException>(() => _locator.Locate(_dataset, _directory.File("none")));

        Assert.StartsWith($"Fashion-MNIST: {_directory.File("none")} does not exist; ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Locate_SetFromAnArchive_IsFoundInTheArchivesFolder()
    {
        string[] places = ["work/data", "work/data/cifar-10-batches-bin", "work/data/cifar10"];
        foreach (var place in places)
        {
            foreach (var file in KnownDatasets.Cifar10.Files)
                _directory.Write($"{place}/{file.Name}", []);
            Assert.Equal(_directory.File(place), _locator.Locate(KnownDatasets.Cifar10));
        }
    }

    [Fact]
    public void Locate_NoEnvironmentVariable_GoesOn()
    {
        SmallDataset.Write(_directory, "work/data", isGzip: true);

        Assert.Equal(_directory.File("work/data"), (_locator with { EnvironmentDirectory = "" }).Locate(_dataset));
        Assert.Equal(_directory.File("work/data"), (_locator with { EnvironmentDirectory = null }).Locate(_dataset));
    }
}
