using NinCudnn.Data;
using NinCudnn.Operators;

namespace NinCudnn.Tests;

/// <summary>What an <see cref="ImageAugmentation"/> means, one change after the other on whole images.</summary>
internal static class AugmentedImage
{
    /// <summary>Shifts an image (H, W, C), resizes it, flips it, and erases a rectangle.</summary>
    public static byte[] Make(
        ReadOnlySpan<byte> image, int height, int width, int channels, int outHeight, int outWidth, ImageAugmentation augmentation)
    {
        var shifted = new byte[image.Length];
        for (int row = 0; row < height; row++)
        {
            for (int column = 0; column < width; column++)
            {
                int sourceRow = row + augmentation.RowShift, sourceColumn = column + augmentation.ColumnShift;
                if (sourceRow < 0 || sourceRow >= height || sourceColumn < 0 || sourceColumn >= width)
                    continue;
                image.Slice((sourceRow * width + sourceColumn) * channels, channels).CopyTo(shifted.AsSpan((row * width + column) * channels));
            }
        }

        byte[] resized = BilinearResize.Resize(shifted, height, width, channels, outHeight, outWidth), result = new byte[resized.Length];
        for (int row = 0; row < outHeight; row++)
        {
            for (int column = 0; column < outWidth; column++)
            {
                bool isErased = row >= augmentation.ErasedRow && row < augmentation.ErasedRow + augmentation.ErasedHeight
                    && column >= augmentation.ErasedColumn && column < augmentation.ErasedColumn + augmentation.ErasedWidth;
                int sourceColumn = augmentation.Flip != 0 ? outWidth - 1 - column : column;
                if (!isErased)
                    resized.AsSpan((row * outWidth + sourceColumn) * channels, channels).CopyTo(result.AsSpan((row * outWidth + column) * channels));
            }
        }
        return result;
    }
}
