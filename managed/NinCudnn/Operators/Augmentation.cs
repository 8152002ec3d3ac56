namespace NinCudnn.Operators;

/// <summary>
/// Random changes of training images, drawn anew in every step. In this order: the stored image is shifted, then resized, flipped, and
/// partly erased.
/// </summary>
/// <param name="HorizontalFlip">The probability, 0 to 1, that an image is flipped left to right.</param>
/// <param name="CropPadding">
/// By how many pixels of the stored image, at most, it is shifted up or down and left or right, uniformly; what comes in from outside is
/// black. This is torchvision's RandomCrop to the image's own size with that padding.
/// </param>
/// <param name="ErasingProbability">
/// The probability, 0 to 1, that a rectangle is erased, as by torchvision's RandomErasing with scale (0.02, 0.33) and ratio (0.3, 3.3).
/// Erased pixels are black, that is 0 before the normalisation.
/// </param>
public sealed record Augmentation(double HorizontalFlip = 0, int CropPadding = 0, double ErasingProbability = 0)
{
    /// <summary>Leaves every image as it is.</summary>
    public static Augmentation None { get; } = new();
}
