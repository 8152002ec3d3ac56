using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class AugmentationTests
{
    private const ulong Seed = 0x9e3779b97f4a7c15;
    private const long Step = 1L << 40 | 7;

    internal static KernelCase Case(
        uint blocks, uint blockSize, int n, Augmentation augmentation, int height, int width, ulong seed = Seed, long step = Step) =>
        new KernelCase("augmentation", "augmentation_draw", blocks, blockSize)
            .Input("state", Elements.From(new StepState(0.1f, step)))
            .Output("augmentations", ElementType.Int32, n * 7)
            .Value(seed).Value(n).Value(augmentation.CropPadding).Value(height).Value(width)
            .Value(Threshold(augmentation.HorizontalFlip)).Value(Threshold(augmentation.ErasingProbability));

    public static TheoryData<double, int, double, int, int> Augmentations => new()
    {
        { 0, 0, 0, 28, 28 },
        { 0.5, 4, 0.5, 28, 28 },
        { 1, 0, 1, 224, 160 },
        { 0.25, 4096, 1, 3, 2 },
        { 0.5, 1, 1, 1, 1 }, // no rectangle fits
        { 0.5, 1, 1, 4096, 4096 },
        { 0.5, 1, 1, 1, 40 },
    };

    [Theory]
    [MemberData(nameof(Augmentations))]
    public void Draw_AnySettings_EqualsHostAndTheManagedTwin(double flip, int padding, double erasing, int height, int width)
    {
        var augmentation = new Augmentation(flip, padding, erasing);
        foreach (var (n, blocks, blockSize) in ((int, uint, uint)[])[(0, 1, 32), (1, 1, 32), (77, 2, 20), (500, 40, 256)])
        {
            Elements drawn = Case(blocks, blockSize, n, augmentation, height, width).CheckSameBits()["augmentations"];
            Elements expected = Elements.From([.. Enumerable.Range(0, n).Select(i => ImageAugmentation.Draw(augmentation, height, width, Seed, Step, i))]);
            Assert.Null(drawn.FirstDifference(expected));
        }
    }

    private static ulong Threshold(double probability) => (ulong)Math.Round(probability * 4294967296.0);
}
