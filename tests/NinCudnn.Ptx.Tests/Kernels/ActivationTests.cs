using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class ActivationTests
{
    public static TheoryData<DataType, uint, uint> TypesAndLaunches => TestData.TypesAndLaunches();

    internal static KernelCase ReluBiasBackward(DataType type, uint blocks, uint blockSize, int rows, int channels, int rowsPerTile,
        int yMisalignment = 0, int dyMisalignment = 0)
    {
        int tiles = rowsPerTile > 0 ? (rows + rowsPerTile - 1) / rowsPerTile : 0;
        return new KernelCase("activation", $"relu_bias_backward_{Elements.Suffix(type)}", blocks, blockSize)
            .Input("y", Elements.From(type, TestData.SpecialNumbers(rows * channels, 1)), yMisalignment)
            .Update("dy", Elements.From(type, TestData.Numbers(rows * channels, 2)), dyMisalignment)
            .Output("partial", ElementType.Float32, tiles * channels)
            .Value((long)rows).Value(channels).Value(rowsPerTile);
    }

    internal static KernelCase BiasReduce(DataType type, uint blocks, uint blockSize, int tiles, int channels) =>
        new KernelCase("activation", $"bias_reduce_{Elements.Suffix(type)}", blocks, blockSize)
            .Input("partial", Elements.From(TestData.Numbers(tiles * channels, 3)))
            .Output("db", Elements.Of(type), channels)
            .Value(tiles).Value(channels);

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void ReluBiasBackward_AnyShape_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (int channels in (int[])[0, 1, 7, 8, 10, 96])
        {
            foreach (var (rows, rowsPerTile) in ((int, int)[])[(0, 4), (1, 1), (1, 64), (5, 4), (37, 5), (37, 8), (64, 16)])
                ReluBiasBackward(type, blocks, blockSize, rows, channels, rowsPerTile).CheckSameBits();
        }
    }

    // With 96 channels, 16 bytes at a time are possible except where a pointer forbids it.
    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void ReluBiasBackward_PointersNotOfVectorAlignment_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        ReluBiasBackward(type, blocks, blockSize, 11, 96, 4, yMisalignment: 1).CheckSameBits();
        ReluBiasBackward(type, blocks, blockSize, 11, 96, 4, dyMisalignment: 1).CheckSameBits();
        ReluBiasBackward(type, blocks, blockSize, 11, 96, 4, yMisalignment: 8, dyMisalignment: 8).CheckSameBits();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    [InlineData(int.MinValue)]
    public void ReluBiasBackward_SenselessTile_TouchesNothing(int rowsPerTile) =>
        ReluBiasBackward(DataType.Float32, 1, 32, 5, 3, rowsPerTile).CheckSameBits();

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void BiasReduce_AnyShape_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (int channels in (int[])[0, 1, 7, 10, 96])
        {
            foreach (int tiles in (int[])[0, 1, 31, 33, 200])
                BiasReduce(type, blocks, blockSize, tiles, channels).CheckSameBits();
        }
    }
}
