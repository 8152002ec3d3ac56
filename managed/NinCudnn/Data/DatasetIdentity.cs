using System.Runtime.InteropServices;
using NinCudnn.Numerics;

namespace NinCudnn.Data;

/// <summary>What a data set's content is known by.</summary>
/// <param name="Samples">Images.</param>
/// <param name="Height">Rows of an image.</param>
/// <param name="Width">Columns of an image.</param>
/// <param name="ImagesSha1">Git's name of the pixels (N, H, W, C), see <see cref="GitBlob"/>.</param>
/// <param name="LabelsSha1">Git's name of the labels as little-endian numbers of 16 bits.</param>
public sealed record DatasetIdentity(int Samples, int Height, int Width, string ImagesSha1, string LabelsSha1)
{
    /// <summary>Reads all images and labels.</summary>
    public static DatasetIdentity Of(ImageDataset dataset)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        return new DatasetIdentity(
            dataset.Count, dataset.Height, dataset.Width, GitBlob.Hash(dataset.Images), GitBlob.Hash(MemoryMarshal.AsBytes(dataset.Labels)));
    }

    /// <inheritdoc/>
    public override string ToString() => FormattableString.Invariant($"{Samples} images of {Height}×{Width}, {ImagesSha1}, labels {LabelsSha1}");
}
