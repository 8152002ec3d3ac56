using NinCudnn.Operators;
using NinCudnn.Ptx.Tests.Ptx;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

/// <summary>
/// Kernels beyond 2^32 elements. Only a few blocks of a huge grid run, and of each array only the part exists that they
/// touch, so that an index cut to 32 bits is out of bounds.
/// </summary>
public class LargeIndexTests
{
    private const uint BlockSize = 256;
    private const uint Blocks = 1u << 30;
    private const uint FirstBlock = (1u << 24) + 5; // its first thread has the index 2^32 + 1280
    private const uint BlockCount = 3;
    private const long FirstItem = (long)FirstBlock * BlockSize;
    private const long EndItem = FirstItem + BlockCount * BlockSize;

    public static TheoryData<DataType> Types => [.. TestData.Types];

    // An array's part from the element `first` on; the pointer is that to the whole array.
    private static byte[] Pointer(GlobalMemory memory, string name, Elements part, long first) =>
        BitConverter.GetBytes(memory.Add(name, part.Bytes) - (ulong)(first * Elements.Size(part.Type)));

    private static void Launch(PtxEntry entry, GlobalMemory memory, byte[][] arguments) =>
        PtxMachine.Launch(entry, memory, Blocks, BlockSize, arguments, only: (FirstBlock, BlockCount));

    [Theory]
    [MemberData(nameof(Types))]
    public void ReluBiasBackward_ItemsBeyond32Bits_AreMaskedAndSummed(DataType type)
    {
        PtxModule module = ShippedPtx.Module("activation");
        RunReluBiasBackward(module, type, 1);
        RunReluBiasBackward(module, type, 7);
        RunReluBiasBackward(module, type, 96);
    }

    internal static void RunReluBiasBackward(PtxModule module, DataType type, int channels)
    {
        // One row a tile: partial is the masked gradient, in float.
        const long Rows = 1L << 33;
        int width = 16 / Elements.Size(Elements.Of(type));
        int columns = channels % width == 0 ? channels / width : channels, channelsPerColumn = channels / columns;
        long firstRow = FirstItem / columns, first = firstRow * channels;
        int count = (int)(EndItem / columns + 1 - firstRow) * channels;

        Elements y = Elements.From(type, TestData.Numbers(count, 1)), gradient = Elements.From(type, TestData.Numbers(count, 2));
        var dy = gradient with { Bytes = (byte[])gradient.Bytes.Clone() };
        Elements partial = Elements.Poison(ElementType.Float32, count);
        var memory = new GlobalMemory();
        Launch(module.Entries[$"relu_bias_backward_{Elements.Suffix(type)}"], memory,
        [
            Pointer(memory, "y", y, first), Pointer(memory, "dy", dy, first), Pointer(memory, "partial", partial, first),
            BitConverter.GetBytes(Rows), BitConverter.GetBytes(channels), BitConverter.GetBytes(1),
        ]);

        double poison = Elements.Poison(ElementType.Float32, 1).Number(0);
        for (int i = 0; i < count; i++)
        {
            long item = (first + i) / channelsPerColumn;
            bool isTouched = item is >= FirstItem and < EndItem;
            double masked = y.Number(i) > 0 ? gradient.Number(i) : 0;
            Assert.Equal(isTouched ? masked : gradient.Number(i), dy.Number(i));
            Assert.Equal(isTouched ? masked : poison, partial.Number(i));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void SgdStep_ElementsBeyond32Bits_AreUpdated(DataType type)
    {
        const int Count = (int)(EndItem - FirstItem);
        Elements gradient = Elements.From(type, TestData.Numbers(Count, 1));
        float[] initial = TestData.Numbers(Count, 2);
        Elements parameter = Elements.From(initial), average = Elements.From(initial);
        Elements compute = Elements.Poison(Elements.Of(type), Count), computeAverage = Elements.Poison(Elements.Of(type), Count);
        var memory = new GlobalMemory();
        byte[] state = Pointer(memory, "state", Elements.From(new StepState(0.5f, 0, 4)), 0);
        byte[] none = new byte[8]; // no factor, no momentum
        byte[][] pointers =
            [Pointer(memory, "gradient", gradient, FirstItem), state, none, Pointer(memory, "parameter", parameter, FirstItem), none];
        byte[][] averagePointers = [Pointer(memory, "average", average, FirstItem)];
        if (type != DataType.Float32)
        {
            averagePointers =
                [Pointer(memory, "compute_parameter", compute, FirstItem), .. averagePointers, Pointer(memory, "compute_average", computeAverage, FirstItem)];
        }
        byte[] zero = BitConverter.GetBytes(0f); // momentum, decay, nesterov, and the average's decay, by which it follows at once
        Launch(
            ShippedPtx.Module("optimizer").Entries[$"sgd_step_{Elements.Suffix(type)}"], memory,
            [.. pointers, .. averagePointers, BitConverter.GetBytes(1L << 38), zero, zero, zero, zero]);

        float[] expected = [.. initial.Select((value, i) => value - 0.5f * ((float)gradient.Number(i) * 0.25f))];
        Assert.Null(parameter.FirstDifference(Elements.From(expected)));
        float[] expectedAverage = [.. initial.Zip(expected).Select(pair => pair.First + (pair.Second - pair.First))];
        Assert.Null(average.FirstDifference(Elements.From(expectedAverage)));
        if (type != DataType.Float32)
        {
            Assert.Null(compute.FirstDifference(Elements.From(type, expected)));
            Assert.Null(computeAverage.FirstDifference(Elements.From(type, expectedAverage)));
        }
    }
}
