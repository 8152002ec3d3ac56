using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary><c>nin data list</c>, <c>nin data info</c>, and training on a colour data set.</summary>
public sealed class DataTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void List_OneSetThere_SaysWhereAndHowToGetTheOthers()
    {
        string cifar = WriteCifar10("data/cifar10");

        string[] lines = NinProgram.RunIn(_root.Path, [], "data", "list").Succeeded().Lines;

        Assert.Equal(6, lines.Length);
        Assert.Matches($@"^cifar10 +50,000 \+ 10,000 colour images of animals and vehicles, 32×32  10 +{cifar}$", lines[4]);
        Assert.Matches(@"^cifar100 +50,000 \+ .+  100 +\(nin data fetch --dataset cifar100\)$", lines[5]);
    }

    [Fact]
    public void Info_OfADataSet_CountsTheClasses()
    {
        string data = WriteCifar10("here");

        string[] lines = NinProgram.Run("data", "info", "--dataset", "cifar10", "--data", data).Succeeded().Lines;

        Assert.Equal(
            ["data set CIFAR-10, 50,000 + 10,000 colour images of animals and vehicles, 32×32", $"files in {data}", "images   10 to train on, 2 to test on, 10 classes"],
            lines[..3]);
        Assert.Equal(15, lines.Length);
        Assert.Matches("^airplane +1 +1$", lines[5]);
        Assert.Matches("^truck +1 +0$", lines[14]);
    }

    [Fact]
    public void Info_OfAFolder_CountsTheClassesWithoutDecoding()
    {
        for (int i = 0; i < 10; i++)
        {
            _root.Write($"pets/cat/{i}.png", []);
            _root.Write($"pets/dog/{i}.jpg", []);
        }

        string[] lines = NinProgram.Run("data", "info", "--images", _root.File("pets"), "--test-fraction", "0.3").Succeeded().Lines;

        Assert.Equal($"folder   {_root.File("pets")}", lines[0]);
        Assert.Matches("^cache    .+, .+ of all folders$", lines[1]);
        Assert.Equal("images   14 to train on, 6 to test on, 2 classes", lines[2]);
        Assert.Equal(["cat", "7", "3"], lines[5].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["dog", "7", "3"], lines[6].Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("cifar", "32")]
    [InlineData("seed", "68")]
    public void Train_OnCifar10_TakesColours(string architecture, string size)
    {
        string[] arguments = ["train", "--dataset", "cifar10", "--data", WriteCifar10("here"), "--arch", architecture, "--resize", size];
        ProgramResult result = NinProgram.Run(
            [.. arguments, "--batch", "5", "--epochs", "1", "--device", "cpu", "--json", "--output", _root.File("run")]).Succeeded();

        Assert.Equal("cifar10", result.Events[0].GetProperty("dataset").GetString());
        Assert.Equal(10, result.Events[0].GetProperty("train_samples").GetInt32());
    }

    /// <summary>Two records a batch, one of each class, and two to test on.</summary>
    private string WriteCifar10(string directory)
    {
        for (byte batch = 0; batch < 5; batch++)
            _root.Write($"{directory}/data_batch_{batch + 1}.bin", [.. CifarBytes.Record(batch, batch), .. CifarBytes.Record(batch, (byte)(batch + 5))]);
        _root.Write($"{directory}/test_batch.bin", [.. CifarBytes.Record(7, 0), .. CifarBytes.Record(8, 1)]);
        return _root.File(directory);
    }
}
