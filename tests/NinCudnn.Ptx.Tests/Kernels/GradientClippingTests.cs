using NinCudnn.Operators;
using NinCudnn.Ptx.Tests.Ptx;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class GradientClippingTests
{
    private const float LossScale = 4;

    public static TheoryData<DataType, uint, uint> TypesAndLaunches => TestData.TypesAndLaunches();

    public static TheoryData<DataType> Types => [.. TestData.Types];

    internal static KernelCase SquareSum(
        DataType type, uint blocks, uint blockSize, float[] gradient, long elementsPerSum, int misalignment = 0) =>
        new KernelCase("gradient_clipping", $"gradient_square_sum_{Elements.Suffix(type)}", blocks, blockSize)
            .Input("gradient", Elements.From(type, gradient), misalignment)
            .Output("partial", ElementType.Float64, elementsPerSum > 0 ? (int)((gradient.Length + elementsPerSum - 1) / elementsPerSum) : 0)
            .Value((long)gradient.Length).Value(elementsPerSum);

    /// <param name="blocks">Blocks.</param>
    /// <param name="blockSize">Threads per block.</param>
    /// <param name="roots">The square roots of the partial sums.</param>
    /// <param name="maxNorm">The largest norm.</param>
    /// <param name="lossScale">The gradients' scale.</param>
    internal static KernelCase ClipFactor(uint blocks, uint blockSize, float[] roots, float maxNorm, float lossScale = LossScale) =>
        new KernelCase("gradient_clipping", "gradient_clip_factor", blocks, blockSize)
            .Input("partial", Elements.From([.. roots.Select(root => (double)root * root)]))
            .Input("state", Elements.From(new StepState(0.1f, 7, lossScale)))
            .Output("factor", ElementType.Float32, 1)
            .Value(roots.Length).Value(maxNorm);

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SquareSum_AnyCount_EqualsHostAndThePlainSum(DataType type, uint blocks, uint blockSize)
    {
        foreach (int count in (int[])[0, 1, 31, 32, 33, 64, 500, 1027])
        {
            foreach (int elementsPerSum in (int[])[1, 32, 70, 2000])
            {
                float[] gradient = TestData.Numbers(count, count);
                Elements partial = SquareSum(type, blocks, blockSize, gradient, elementsPerSum, misalignment: count % 3).CheckSameBits()["partial"];
                double[] values = Elements.From(type, gradient).Numbers();
                double[] expected = [.. values.Chunk(elementsPerSum).Select(piece => piece.Sum(value => value * value))];
                Comparison.Check<double>(
                    partial.Numbers(), expected, [expected.Length],
                    Tolerance.Of(0, count * Math.ScaleB(1, -53), "one rounding per addition, all terms positive"), $"{count} elements by {elementsPerSum}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SquareSum_SpecialNumbers_EqualsHost(DataType type, uint blocks, uint blockSize) =>
        SquareSum(type, blocks, blockSize, TestData.SpecialNumbers(300, 4), 40).CheckSameBits();

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    [InlineData(long.MinValue)]
    public void SquareSum_SenselessPieces_TouchesNothing(long elementsPerSum) =>
        SquareSum(DataType.Float32, 1, 32, TestData.Numbers(10, 1), elementsPerSum).CheckSameBits();

    [Theory]
    [InlineData(1, 32)]
    [InlineData(2, 100)]
    public void ClipFactor_AnySums_IsTorchs(uint blocks, uint blockSize)
    {
        foreach (int partials in (int[])[0, 1, 31, 33, 200])
        {
            float[] roots = TestData.Numbers(partials, partials + 1);
            double norm = Math.Sqrt(roots.Sum(root => (double)root * root)) / LossScale;
            foreach (double share in (double[])[0.1, 0.999, 1.001, 5])
            {
                float maxNorm = partials == 0 ? 1 : (float)(share * norm);
                double expected = Math.Min(1, maxNorm / (norm + 1e-6));
                double factor = ClipFactor(blocks, blockSize, roots, maxNorm).CheckSameBits()["factor"].Number(0);
                Assert.Equal(expected, factor, Math.ScaleB(1, -24) + expected * partials * Math.ScaleB(1, -53));
            }
        }
    }

    [Theory]
    [InlineData(float.NaN, 1, float.NaN)] // as in torch, all gradients become NaN
    [InlineData(float.PositiveInfinity, 1, 0f)]
    [InlineData(0, 1, 1f)]
    [InlineData(3e38f, 1, 1f / 3e38f)] // its square is no float
    public void ClipFactor_SpecialNorm_IsTorchs(float norm, float maxNorm, float expected) =>
        Assert.Equal(expected, (float)ClipFactor(1, 32, [norm], maxNorm, lossScale: 1).CheckSameBits()["factor"].Number(0));

    [Fact]
    public void ClipFactor_StepToBeSkipped_EqualsHost() => ClipFactor(1, 32, [1, 2], 1, lossScale: 0).CheckSameBits();

    [Theory]
    [MemberData(nameof(Types))]
    public void SquareSum_ElementsBeyond32Bits_AreAddedUp(DataType type) => RunBeyond32Bits(ShippedPtx.Module("gradient_clipping"), type);

    /// <summary>One block of a huge grid, whose pieces begin beyond 2^32 elements; only the part of the arrays exists that it touches.</summary>
    internal static void RunBeyond32Bits(PtxModule module, DataType type)
    {
        const uint Block = 1u << 24, WarpsPerBlock = 2;
        const long ElementsPerSum = 200, FirstPiece = (long)Block * WarpsPerBlock, First = FirstPiece * ElementsPerSum;
        const int Count = (int)(WarpsPerBlock * ElementsPerSum);
        Elements gradient = Elements.From(type, TestData.Numbers(Count, 1)), partial = Elements.Poison(ElementType.Float64, (int)WarpsPerBlock);
        var memory = new GlobalMemory();
        byte[] gradientPointer = BitConverter.GetBytes(memory.Add("gradient", gradient.Bytes) - (ulong)(First * Elements.Size(gradient.Type)));
        byte[] partialPointer = BitConverter.GetBytes(memory.Add("partial", partial.Bytes) - (ulong)(FirstPiece * sizeof(double)));
        PtxMachine.Launch(
            module.Entries[$"gradient_square_sum_{Elements.Suffix(type)}"], memory, 1u << 30, 32 * WarpsPerBlock,
            [gradientPointer, partialPointer, BitConverter.GetBytes(First + Count), BitConverter.GetBytes(ElementsPerSum)], only: (Block, 1));

        double[] expected = [.. gradient.Numbers().Chunk((int)ElementsPerSum).Select(piece => piece.Sum(value => value * value))];
        Comparison.Check<double>(
            partial.Numbers(), expected, [expected.Length], Tolerance.Of(0, ElementsPerSum * Math.ScaleB(1, -53), "one rounding per addition"), "pieces");
    }
}
