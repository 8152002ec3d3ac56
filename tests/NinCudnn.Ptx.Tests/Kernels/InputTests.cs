using NinCudnn.Data;
using NinCudnn.Operators;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class InputTests
{
    public static TheoryData<DataType, uint, uint> TypesAndLaunches => TestData.TypesAndLaunches();

    internal sealed record Shape(int Height, int Width, int Channels, int OutHeight, int OutWidth);

    internal static readonly Shape Larger = new(7, 5, 3, 9, 13);

    internal static readonly Shape[] Shapes =
    [
        Larger,
        new(1, 1, 1, 1, 1),
        new(13, 17, 2, 5, 4), // smaller
        new(8, 12, 1, 4, 6), // by half: 4 taps, as many as the compiler unrolls
        new(6, 10, 10, 6, 3), // rows copied, columns not
        new(3, 4, 96, 2, 5),
    ];

    private static byte[] Images(int count, Shape shape)
    {
        var images = new byte[count * shape.Height * shape.Width * shape.Channels];
        new Random(5).NextBytes(images);
        return images;
    }

    /// <summary>Weights of both signs whose sums leave 0…255, as no bilinear filter has them, and still fit 32 bits.</summary>
    internal static int[] OvershootingWeights(int[] weights) =>
        [.. weights.Select((weight, i) => i % 3 == 0 ? -weight : i % 3 == 1 ? weight + weight / 2 : weight)];

    /// <summary>Every second position takes no source at all, and becomes 0 before the normalisation.</summary>
    internal static int[] SomeWithoutTaps(int[] bounds) => [.. bounds.Select((bound, i) => i % 4 == 3 ? 0 : bound)];

    internal static KernelCase Case(DataType type, uint blocks, uint blockSize, Shape shape, int count, int[] indices,
        Func<int[], int[]>? changeWeights = null, Func<int[], int[]>? changeBounds = null, ImageAugmentation[]? augmentations = null)
    {
        changeWeights ??= weights => weights;
        changeBounds ??= bounds => bounds;
        ResizeAxis rows = BilinearResize.Axis(shape.Height, shape.OutHeight), columns = BilinearResize.Axis(shape.Width, shape.OutWidth);
        float[] mean = [.. Enumerable.Range(0, shape.Channels).Select(c => 0.25f + 0.03f * c)];
        float[] inverseStd = [.. Enumerable.Range(0, shape.Channels).Select(c => 3.1f - 0.02f * c)];
        KernelCase test = augmentations is null
            ? new KernelCase("input", $"input_forward_{Elements.Suffix(type)}", blocks, blockSize)
            : new KernelCase("input", $"input_augmented_{Elements.Suffix(type)}", blocks, blockSize)
                .Input("augmentations", Elements.From(augmentations), misalignment: 1);
        return test.Input("images", Elements.From(Images(count, shape)), misalignment: 1)
            .Input("indices", Elements.From(indices))
            .Input("row_bounds", Elements.From(changeBounds(rows.Bounds)))
            .Input("row_weights", Elements.From(changeWeights(rows.Weights)))
            .Input("column_bounds", Elements.From(changeBounds(columns.Bounds)))
            .Input("column_weights", Elements.From(changeWeights(columns.Weights)))
            .Input("mean", Elements.From(mean))
            .Input("inverse_std", Elements.From(inverseStd))
            .Output("y", Elements.Of(type), indices.Length * shape.OutHeight * shape.OutWidth * shape.Channels)
            .Value(count).Value(indices.Length).Value(shape.Height).Value(shape.Width).Value(shape.Channels)
            .Value(shape.OutHeight).Value(shape.OutWidth).Value(rows.Taps).Value(columns.Taps);
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void InputForward_AnyShape_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (Shape shape in Shapes)
        {
            Case(type, blocks, blockSize, shape, 3, [2, 0, 2]).CheckSameBits();
            Case(type, blocks, blockSize, shape, 1, [0]).CheckSameBits();
            Case(type, blocks, blockSize, shape, 2, []).CheckSameBits();
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void InputForward_FashionImage_EqualsHost(DataType type, uint blocks, uint blockSize) =>
        Case(type, blocks, blockSize, new Shape(28, 28, 1, 32, 32), 2, [1]).CheckSameBits();

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void InputForward_SumsBeyondABytesRange_AreClampedAsOnHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (Shape shape in Shapes)
            Case(type, blocks, blockSize, shape, 1, [0], OvershootingWeights).CheckSameBits();
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void InputForward_PositionsWithoutTaps_EqualHost(DataType type, uint blocks, uint blockSize) =>
        Case(type, blocks, blockSize, Larger, 1, [0], changeBounds: SomeWithoutTaps).CheckSameBits();

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void InputForward_IndexOutOfRange_GivesNanSample(DataType type, uint blocks, uint blockSize)
    {
        int[] indices = [-1, 1, 2, int.MaxValue, int.MinValue];
        Elements y = Case(type, blocks, blockSize, Larger, 2, indices).CheckSameBits()["y"];
        int sample = y.Count / indices.Length;
        for (int i = 0; i < y.Count; i++)
            Assert.Equal(i / sample != 1, double.IsNaN(y.Number(i)));
    }

    /// <summary>Shifts of every kind, the image's own size among them, both flips, and rectangles at the edges, of no size and of all.</summary>
    internal static ImageAugmentation[] Augmentations(Shape shape) =>
    [
        default,
        new(1, 0, 0, 0, 0, 0, 0),
        new(0, 2, -1, 0, 0, shape.OutHeight, 1),
        new(1, -3, 2, shape.OutHeight / 2, shape.OutWidth / 2, shape.OutHeight - shape.OutHeight / 2, shape.OutWidth - shape.OutWidth / 2),
        new(-7, shape.Height, 0, 0, 0, 1, 1),
        new(0, 1, -shape.Width, 0, 0, 0, 5),
        new(0, 0, 1, 0, 0, shape.OutHeight, shape.OutWidth),
    ];

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void InputAugmented_AnyShape_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (Shape shape in Shapes)
        {
            ImageAugmentation[] augmentations = Augmentations(shape);
            int[] indices = [.. augmentations.Select((_, i) => i % 3)];
            Case(type, blocks, blockSize, shape, 3, indices, augmentations: augmentations).CheckSameBits();
            Case(type, blocks, blockSize, shape, 3, indices, OvershootingWeights, augmentations: augmentations).CheckSameBits();
        }
        Elements y = Case(type, blocks, blockSize, Larger, 2, [-1, 1, 2], augmentations: [default, default, default]).CheckSameBits()["y"];
        Assert.Equal(Enumerable.Range(0, y.Count).Select(i => i / (y.Count / 3) != 1), y.Numbers().Select(double.IsNaN));
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void InputAugmented_NothingToChange_EqualsInputForward(DataType type, uint blocks, uint blockSize)
    {
        foreach (Shape shape in Shapes)
        {
            Elements y = Case(type, blocks, blockSize, shape, 2, [1, 0], augmentations: [default, default]).Interpret()["y"];
            Assert.Null(y.FirstDifference(Case(type, blocks, blockSize, shape, 2, [1, 0]).Interpret()["y"]));
        }
    }

    [Fact]
    public void InputAugmented_RandomImage_EqualsManagedChangesAndResize()
    {
        foreach (Shape shape in Shapes)
        {
            foreach (ImageAugmentation augmentation in Augmentations(shape))
            {
                byte[] changed = AugmentedImage.Make(
                    Images(1, shape), shape.Height, shape.Width, shape.Channels, shape.OutHeight, shape.OutWidth, augmentation);
                Elements y = Case(DataType.Float32, 2, 100, shape, 1, [0], augmentations: [augmentation]).Interpret()["y"];
                Assert.Null(y.FirstDifference(Elements.From(Normalised(changed, shape))));
            }
        }
    }

    private static float[] Normalised(byte[] pixels, Shape shape) => [.. pixels.Select((value, i) =>
        (value / 255f - (0.25f + 0.03f * (i % shape.Channels))) * (3.1f - 0.02f * (i % shape.Channels)))];

    // A second reference, which shares no code with the kernel: the managed resize.
    [Fact]
    public void InputForward_RandomImage_EqualsManagedResize()
    {
        foreach (Shape shape in Shapes)
        {
            byte[] resized = BilinearResize.Resize(Images(1, shape), shape.Height, shape.Width, shape.Channels, shape.OutHeight, shape.OutWidth);
            Elements y = Case(DataType.Float32, 2, 100, shape, 1, [0]).Interpret()["y"];
            Assert.Null(y.FirstDifference(Elements.From(Normalised(resized, shape))));
        }
    }
}
