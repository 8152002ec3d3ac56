using System.Collections.Immutable;
using NinCudnn.Networks;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class ArchitectureTests
{
    [Fact]
    public void Seed_At224_HasTheBooksTable()
    {
        (string Layer, TensorShape Output)[] expected =
        [
            ("NiN block 96, 11×11 stride 4 pad 1", new(1, 96, 54, 54)),
            ("max pool 3×3 stride 2", new(1, 96, 26, 26)),
            ("NiN block 256, 5×5 stride 1 pad 2", new(1, 256, 26, 26)),
            ("max pool 3×3 stride 2", new(1, 256, 12, 12)),
            ("NiN block 384, 3×3 stride 1 pad 1", new(1, 384, 12, 12)),
            ("max pool 3×3 stride 2", new(1, 384, 5, 5)),
            ("dropout 0.5", new(1, 384, 5, 5)),
            ("NiN block 10, 3×3 stride 1 pad 1", new(1, 10, 5, 5)),
            ("global average pool", new(1, 10, 1, 1)),
            ("flatten", new(1, 10, 1, 1)),
        ];

        Architecture seed = Architecture.Seed();

        Assert.Equal(expected, seed.Layers.Select(Architecture.Describe).Zip(seed.InferShapes(1, 224, 224)));
        Assert.All(seed.Layers.OfType<NinBlock>(), block => Assert.Equal([block.Channels, block.Channels], block.PointwiseChannels));
        Assert.Equal(1_992_166, Parameter.Enumerate(seed).Sum(parameter => (long)parameter.Count));
    }

    [Fact]
    public void Cifar_At32_HasThePapersBlocks()
    {
        TensorShape[] expected =
        [
            new(128, 96, 32, 32), new(128, 96, 16, 16), new(128, 96, 16, 16),
            new(128, 192, 16, 16), new(128, 192, 8, 8), new(128, 192, 8, 8),
            new(128, 10, 8, 8), new(128, 10, 1, 1), new(128, 10, 1, 1),
        ];

        Architecture cifar = Architecture.Cifar();

        Assert.Equal(expected, cifar.InferShapes(128, 32, 32));
        Assert.Equal(
            [192, 160, 96, 192, 192, 192, 192, 192, 10],
            cifar.Layers.OfType<NinBlock>().SelectMany(block => block.PointwiseChannels.Prepend(block.Channels)));
    }

    [Fact]
    public void InferShapes_NotSquare_KeepsHeightAndWidthApart() =>
        Assert.Equal(new TensorShape(2, 96, 54, 29), Architecture.Seed().InferShapes(2, 224, 124)[0]);

    [Fact]
    public void Preset_EveryName_IsThere()
    {
        Assert.Equal(["seed", "cifar", "imagenet"], ArchitecturePreset.All.Select(preset => preset.Name));
        foreach (string name in ArchitecturePreset.All.Select(preset => preset.Name))
        {
            Architecture preset = ArchitecturePreset.Get(name).Create(3, 7);
            Assert.Equal((name, 3, 7), (preset.Name, preset.InputChannels, preset.Classes));
            Assert.Equal(new TensorShape(1, 7, 1, 1), preset.InferShapes(1, 224, 224)[^1]);
        }
    }

    [Fact]
    public void Preset_UnknownName_ListsTheKnown()
    {
        var error = Assert.Throws<ArgumentException>(() => ArchitecturePreset.Get("vgg"));
        Assert.Equal("there is no architecture 'vgg'; there are seed, cifar, imagenet", error.Message);
    }

    [Theory]
    [InlineData(8, "seed on 8×8 images: layer 0 (NiN block 96, 11×11 stride 4 pad 1): 11×11 kernel on 8×8 input with padding 1,1")]
    [InlineData(12, "seed on 12×12 images: layer 1 (max pool 3×3 stride 2): 3×3 window on 1×1 input with padding 0")]
    [InlineData(32, "seed on 32×32 images: layer 3 (max pool 3×3 stride 2): 3×3 window on 2×2 input with padding 0")]
    [InlineData(0, "seed on 0×0 images: layer 0 (NiN block 96, 11×11 stride 4 pad 1): extents and strides must be at least 1: 1×1×0×0 → 96, 11×11 stride 4 pad 1")]
    public void InferShapes_ImageTooSmall_NamesTheLayerAndTheSizes(int size, string expected) =>
        Assert.Equal(expected, Assert.Throws<ArgumentException>(() => Architecture.Seed().InferShapes(1, size, size)).Message);

    [Fact]
    public void InferShapes_KernelLargerThanItsInput_NamesTheLayerAndTheSizes()
    {
        Architecture architecture = With(new NinBlock(3, 3, 1, 1), new MaxPool(3, 2), new NinBlock(3, 5, 1, 0));
        var error = Assert.Throws<ArgumentException>(() => architecture.InferShapes(1, 7, 7));
        Assert.Equal("test on 7×7 images: layer 2 (NiN block 3, 5×5 stride 1 pad 0): 5×5 kernel on 3×3 input with padding 0,0", error.Message);
    }

    public static TheoryData<string, Architecture> Invalid() => new()
    {
        { "the last two layers must be a global average pool and a flatten", new Architecture("test", 1, 3, []) },
        { "the last two layers must be", new Architecture("test", 1, 3, [new NinBlock(3, 1, 1, 0), new GlobalAveragePool()]) },
        { "the last two layers must be", new Architecture("test", 1, 3, [new NinBlock(3, 1, 1, 0), new Flatten(), new GlobalAveragePool()]) },
        { "global average pool and flatten can only stand at the end", With(new NinBlock(3, 1, 1, 0), new Flatten()) },
        { "global average pool and flatten can only stand at the end", With(new GlobalAveragePool(), new NinBlock(3, 1, 1, 0)) },
        { "it has no block", With(new MaxPool(2, 2)) },
        { "the last block has 4 channels, but there are 3 classes", With(new NinBlock(3, 1, 1, 0, [3, 4])) },
        { "the last block has 5 channels, but there are 3 classes", With(new NinBlock(5, 1, 1, 0, [])) },
        { "layer 0 (NiN block 0, 1×1 stride 1 pad 0): extents and strides must be at least 1", With(new NinBlock(0, 1, 1, 0), new NinBlock(3, 1, 1, 0)) },
        { "layer 0 (NiN block 3, 0×0 stride 1 pad 0)", With(new NinBlock(3, 0, 1, 0)) },
        { "layer 0 (NiN block 3, 1×1 stride 0 pad 0)", With(new NinBlock(3, 1, 0, 0)) },
        { "layer 0 (NiN block 3, 1×1 stride 1 pad -1): padding can't be negative", With(new NinBlock(3, 1, 1, -1)) },
        { "layer 0 (max pool 3×3 stride 0): extents and strides must be at least 1", With(new MaxPool(3, 0), new NinBlock(3, 1, 1, 0)) },
        { "layer 0 (max pool 0×0 stride 1)", With(new MaxPool(0, 1), new NinBlock(3, 1, 1, 0)) },
        { "layer 0 (max pool 3×3 stride 2 pad 2): padding must lie between 0 and half the window", With(new MaxPool(3, 2, 2), new NinBlock(3, 1, 1, 0)) },
        { "layer 1 (dropout 1): the rate 1 is not at least 0 and below 1", With(new NinBlock(3, 1, 1, 0), new DropoutLayer(1)) },
        { "layer 1 (dropout -0.5)", With(new NinBlock(3, 1, 1, 0), new DropoutLayer(-0.5)) },
        { "layer 1 (dropout NaN)", With(new NinBlock(3, 1, 1, 0), new DropoutLayer(double.NaN)) },
        { "0 input channels and 3 classes; there must be at least one of each", With(new NinBlock(3, 1, 1, 0)) with { InputChannels = 0 } },
        { "1 input channels and 0 classes", With(new NinBlock(0, 1, 1, 0)) with { Classes = 0 } },
        // Twice this padding is negative in 32 bits.
        { "layer 0 (NiN block 3, 1×1 stride 1 pad 2147483647): the padded input has more than 2147483647 rows or columns", With(new NinBlock(3, 1, 1, int.MaxValue)) },
        { "layer 0 (max pool 3×3 stride 2 pad 2147483647): padding must lie between 0 and half the window", With(new MaxPool(3, 2, int.MaxValue), new NinBlock(3, 1, 1, 0)) },
    };

    [Theory]
    [MemberData(nameof(Invalid))]
    public void InferShapes_InvalidArchitecture_SaysWhatIsWrong(string expected, Architecture architecture)
    {
        var error = Assert.Throws<ArgumentException>(() => architecture.InferShapes(1, 16, 16));
        Assert.StartsWith("test", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LargestBatch_OneImageOfMoreElementsThanALongHolds_IsZero() =>
        Assert.Equal(0, With(new NinBlock(3, 1, 1, 1_000_000_000, [3])).LargestBatch(16, 16));

    [Fact]
    public void InferShapes_PoolingOfAlmostAllPadding_CountsRight() =>
        Assert.Equal(new TensorShape(1, 1, 17, 17), With(new MaxPool(int.MaxValue - 1, 1, int.MaxValue / 2), new NinBlock(3, 1, 1, 0)).InferShapes(1, 16, 16)[0]);

    [Fact]
    public void Summary_Seed_AddsUpParametersAndWork()
    {
        NetworkSummary summary = NetworkSummary.Create(Architecture.Seed(), 224, 224);

        Assert.Equal(1_992_166, summary.Parameters);
        Assert.Equal(summary.Lines.Where(line => line.IsPart).Sum(line => line.Parameters), summary.Parameters);
        Assert.Equal(summary.Lines.Where(line => line.IsPart).Sum(line => line.MultiplyAdds), summary.MultiplyAdds);
        Assert.Equal(
            ["0", "0.0", "0.2", "0.4", "1", "2", "2.0", "2.2", "2.4", "3", "4", "4.0", "4.2", "4.4", "5", "6", "7", "7.0", "7.2", "7.4", "8", "9"],
            summary.Lines.Select(line => line.Name));
        SummaryLine first = summary.Lines[1];
        Assert.Equal((96 * 121 + 96, 54L * 54 * 96 * 121), (first.Parameters, first.MultiplyAdds));
    }

    private static Architecture With(params ImmutableArray<Layer> layers) =>
        new("test", 1, 3, [.. layers, new GlobalAveragePool(), new Flatten()]);
}
