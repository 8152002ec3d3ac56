using NinCudnn.Data;
using Xunit;

namespace NinCudnn.Tests.Data;

public class ImageDatasetTests
{
    private static readonly string[] _classes = ["a", "b", "c"];

    [Fact]
    public void Constructor_ValidData_HasAllProperties()
    {
        var set = Create(3);

        Assert.Equal((3, 2, 5, 2, 3, 20), (set.Count, set.Height, set.Width, set.Channels, set.Classes, set.ImageBytes));
        Assert.Equal("things", set.Name);
        Assert.Equal(60, set.Images.Length);
        Assert.Equal([0, 1, 2], set.Labels.ToArray());
        Assert.Equal(set.Images[20..40].ToArray(), set.Image(1).ToArray());
    }

    [Fact]
    public void Take_Some_KeepsTheFirst()
    {
        var set = Create(3).Take(2);

        Assert.Equal(2, set.Count);
        Assert.Equal([0, 1], set.Labels.ToArray());
        Assert.Equal(Create(3).Images[..40].ToArray(), set.Images.ToArray());
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Image(2).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Take(3));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(4)]
    public void Take_NotThere_SaysHowManyThereAre(int count)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Create(3).Take(count));
        Assert.Contains("things has 3 images", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Constructor_Empty_Throws() => Assert.Throws<ArgumentException>(() => Create(0));

    [Theory]
    [InlineData(59)]
    [InlineData(61)]
    [InlineData(0)]
    public void Constructor_ImagesDoNotFitLabels_Throws(int imageBytes) =>
        Assert.Throws<ArgumentException>(() => new ImageDataset("things", new byte[imageBytes], [0, 1, 2], 2, 5, 2, _classes));

    [Fact]
    public void Constructor_SizesThatOverflow_Throws() =>
        Assert.Throws<ArgumentException>(() => new ImageDataset("things", [], [0], 1 << 16, 1 << 16, 1, _classes));

    [Theory]
    [InlineData(0, 5, 2)]
    [InlineData(2, -5, 2)]
    [InlineData(2, 5, 0)]
    public void Constructor_NoSize_Throws(int height, int width, int channels) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageDataset("things", [], [0], height, width, channels, _classes));

    [Fact]
    public void Constructor_LabelOutsideTheClasses_SaysWhich()
    {
        var error = Assert.Throws<ArgumentException>(() => new ImageDataset("things", new byte[3], [0, 3, 1], 1, 1, 1, _classes));
        Assert.Contains("label 1 is 3, there are 3 classes", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65537)]
    public void Constructor_ImpossibleNumberOfClasses_Throws(int classes) => Assert.Throws<ArgumentException>(
        () => new ImageDataset("things", [1], [0], 1, 1, 1, [.. Enumerable.Range(0, classes).Select(index => $"{index}")]));

    [Fact]
    public void Constructor_ThousandClasses_KeepsTheLabels()
    {
        var set = new ImageDataset("things", new byte[2], [999, 256], 1, 1, 1, [.. Enumerable.Range(0, 1000).Select(index => $"{index}")]);

        Assert.Equal([999, 256], set.Labels.ToArray());
    }

    [Fact]
    public void WithThreeChannels_OfGreyImages_RepeatsThem()
    {
        var grey = new ImageDataset("things", [1, 2, 3, 4, 9, 9], [2, 1, 0], 1, 2, 1, _classes).Take(2);

        var set = grey.WithThreeChannels();

        Assert.Equal((2, 3, "things"), (set.Count, set.Channels, set.Name));
        Assert.Equal([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4], set.Images.ToArray());
        Assert.Equal([2, 1], set.Labels.ToArray());
        Assert.Same(set, set.WithThreeChannels());
    }

    private static ImageDataset Create(int count) => new(
        "things", CountUp(count * 20), [.. CountUp(count)], 2, 5, 2, _classes);

    private static byte[] CountUp(int length) => [.. Enumerable.Range(0, length).Select(value => (byte)value)];
}
