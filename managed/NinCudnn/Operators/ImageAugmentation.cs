using System.Runtime.InteropServices;
using NinCudnn.Numerics;

namespace NinCudnn.Operators;

/// <summary>How one sample of a batch is changed, as the kernels keep it in device memory (native/kernels/image_augmentation.h).</summary>
/// <param name="Flip">Whether it is flipped left to right: 1 or 0.</param>
/// <param name="RowShift">The stored image's row that takes the place of row 0; outside the image it is black.</param>
/// <param name="ColumnShift">The same of columns.</param>
/// <param name="ErasedRow">The first row of the erased rectangle, in the resized and flipped image.</param>
/// <param name="ErasedColumn">Its first column.</param>
/// <param name="ErasedHeight">Its rows, 0 if nothing is erased.</param>
/// <param name="ErasedWidth">Its columns.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct ImageAugmentation(
    int Flip, int RowShift, int ColumnShift, int ErasedRow, int ErasedColumn, int ErasedHeight, int ErasedWidth)
{
    private const uint Stream = 0x80000000;
    private const uint BlocksPerSample = 16;
    private const uint Attempts = 10;

    /// <summary>
    /// What <see cref="AugmentationDraw"/> draws for a sample, to the bit; native/kernels/augmentation.cu has the formulas. For example, of
    /// a batch of 28×28 images, with flips at 0.5, a padding of 4 and erasing at 1, seed 42 and step 3 flip sample 1, shift it by -3 rows and
    /// -3 columns, and erase 7×8 pixels from row 10 and column 7 on.
    /// </summary>
    /// <param name="augmentation">The kinds of changes.</param>
    /// <param name="height">Height of the network's input.</param>
    /// <param name="width">Width of the network's input.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="step">The step's number.</param>
    /// <param name="sample">The sample's position in the batch.</param>
    public static ImageAugmentation Draw(Augmentation augmentation, int height, int width, ulong seed, long step, int sample)
    {
        ArgumentNullException.ThrowIfNull(augmentation);
        var (flip, row, column, erase) = Words(0);
        int shifts = 2 * augmentation.CropPadding + 1;
        var drawn = new ImageAugmentation(
            flip < Threshold(augmentation.HorizontalFlip) ? 1 : 0,
            Below(row, shifts) - augmentation.CropPadding, Below(column, shifts) - augmentation.CropPadding, 0, 0, 0, 0);
        if (erase >= Threshold(augmentation.ErasingProbability))
            return drawn;
        for (uint attempt = 0; attempt < Attempts; attempt++)
        {
            var (share, ratio, top, left) = Words(1 + attempt);
            float side = MathF.Sqrt((0.02f + 0.31f * Unit(share)) * ((float)height * width)), stretch = Exp(-0.601986402f + 1.19894763f * Unit(ratio));
            int erasedHeight = (int)(side * stretch + 0.5f), erasedWidth = (int)(side / stretch + 0.5f);
            if (erasedHeight < height && erasedWidth < width)
            {
                return drawn with
                {
                    ErasedRow = Below(top, height - erasedHeight + 1),
                    ErasedColumn = Below(left, width - erasedWidth + 1),
                    ErasedHeight = erasedHeight,
                    ErasedWidth = erasedWidth,
                };
            }
        }
        return drawn;

        (uint, uint, uint, uint) Words(uint block) =>
            Philox4x32.Block((uint)sample * BlocksPerSample + block, Stream, (uint)step, (uint)(step >> 32), seed);
    }

    /// <summary>The bound below which a random word lies with this probability.</summary>
    internal static ulong Threshold(double probability) => (ulong)Math.Round(probability * 4294967296.0);

    private static int Below(uint word, int count) => (int)((ulong)word * (uint)count >> 32);

    private static float Unit(uint word) => (word >> 8) * (1f / (1 << 24));

    /// <summary>The exponential function's series to x⁷, which gives the same bits as the kernel's.</summary>
    private static float Exp(float x)
    {
        float sum = 1;
        for (int k = 7; k > 0; k--)
            sum = 1 + x * sum / k;
        return sum;
    }
}
