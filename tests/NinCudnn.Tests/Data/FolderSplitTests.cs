using NinCudnn.Data;
using NinCudnn.Numerics;
using Xunit;

namespace NinCudnn.Tests.Data;

public class FolderSplitTests
{
    [Theory]
    [InlineData(0.2, 10, 2)]
    [InlineData(0.25, 10, 3)]
    [InlineData(0.5, 3, 2)]
    [InlineData(0.01, 10, 1)]
    [InlineData(0.99, 10, 9)]
    [InlineData(0.2, 2, 1)]
    [InlineData(0.9, 1, 0)]
    [InlineData(1, 10, 10)]
    [InlineData(1, 1, 1)]
    public void TestImages_OfAClass_AreTheFraction(double fraction, int images, int expected) =>
        Assert.Equal(expected, new FolderSplit(fraction).TestImages(Images(images)).Count);

    [Theory]
    [InlineData(0)]
    [InlineData(-0.1)]
    [InlineData(1.1)]
    [InlineData(double.NaN)]
    public void TestImages_ImpossibleFraction_Throws(double fraction)
    {
        var error = Assert.Throws<ArgumentException>(() => new FolderSplit(fraction).TestImages(Images(3)));
        Assert.Contains("must be above 0 and at most 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TestImages_WithTheSameSeed_AreTheSameInAnyOrder()
    {
        var images = Images(100);
        var split = new FolderSplit(0.3, 5);

        Assert.Equal(Paths(split.TestImages(images)), Paths(split.TestImages([.. images.Reverse()])));
        Assert.NotEqual(Paths(split.TestImages(images)), Paths((split with { Seed = 6 }).TestImages(images)));
    }

    [Fact]
    public void TestImages_AreThoseWithTheLowestDocumentedHash()
    {
        var images = Images(50);
        var expected = images.OrderBy(image => new SplitMix64(Fnv1a.Hash64(image.RelativePath) ^ 9).NextUInt64()).Take(10);

        Assert.Equal(Paths(expected), Paths(new FolderSplit(0.2, 9).TestImages(images)));
    }

    [Fact]
    public void TestImages_WhenAnImageIsAdded_MoveAtMostOneOther()
    {
        var images = Images(200);
        var split = new FolderSplit(0.2);
        for (var count = 20; count < images.Length; count++)
        {
            ImageFile[] before = images[..count], after = images[..(count + 1)];
            var moved = before.Count(image => split.TestImages(before).Contains(image) != split.TestImages(after).Contains(image));
            Assert.InRange(moved, 0, 1);
        }
    }

    private static ImageFile[] Images(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new ImageFile($"cat/{i}.png", 0, 1, DateTime.UnixEpoch))];

    private static IEnumerable<string> Paths(IEnumerable<ImageFile> images) => images.Select(image => image.RelativePath).Order(StringComparer.Ordinal);
}
