using NinCudnn.Numerics;

namespace NinCudnn.Data;

/// <summary>
/// Divides the images of each class by themselves into those to train on and those to evaluate on. An image's place in its class's order
/// is decided by its path and the seed alone: it is the first output of <see cref="SplitMix64"/> started at
/// <see cref="Fnv1a.Hash64(string)"/> of the relative path, xor the seed; the lowest ones are the test images. So an image that is added
/// or removed moves at most one other image of its class to the other side.
/// </summary>
/// <param name="TestFraction">The share of each class's images to evaluate on, above 0 and at most 1.</param>
/// <param name="Seed">Chooses among the divisions.</param>
public sealed record FolderSplit(double TestFraction = 0.2, ulong Seed = 0)
{
    /// <summary>
    /// Returns the test images of one class of n images: round(n·fraction) of them; unless the fraction is 1, at least one image is left to
    /// train on, and one to evaluate on if there are two.
    /// </summary>
    /// <exception cref="ArgumentException">The fraction is out of range.</exception>
    public IReadOnlySet<ImageFile> TestImages(IReadOnlyCollection<ImageFile> images)
    {
        if (TestFraction is not (> 0 and <= 1))
            throw new ArgumentException(FormattableString.Invariant($"the test fraction is {TestFraction}, but must be above 0 and at most 1"));
        var count = (int)Math.Round(images.Count * TestFraction, MidpointRounding.AwayFromZero);
        if (TestFraction < 1)
            count = Math.Min(Math.Max(count, 1), images.Count - 1);
        return InRandomOrder(images, Seed).Take(count).ToHashSet();
    }

    internal static IEnumerable<ImageFile> InRandomOrder(IEnumerable<ImageFile> images, ulong seed) =>
        images.OrderBy(image => new SplitMix64(Fnv1a.Hash64(image.RelativePath) ^ seed).NextUInt64());
}
