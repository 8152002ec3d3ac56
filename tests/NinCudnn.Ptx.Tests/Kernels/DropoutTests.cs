using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class DropoutTests
{
    private const uint HalfRate = 1u << 31;

    public static TheoryData<DataType, uint, uint> TypesAndLaunches => TestData.TypesAndLaunches();

    internal static KernelCase Case(string direction, DataType type, uint blocks, uint blockSize, Elements x,
        uint threshold = HalfRate, long step = 0, ulong seed = 42, uint layer = 6, float scale = 2, bool inPlace = false, int misalignment = 0)
    {
        var test = new KernelCase("dropout", $"dropout_{direction}_{Elements.Suffix(type)}", blocks, blockSize);
        test = inPlace ? test.Update("x", x, misalignment) : test.Input("x", x, misalignment);
        test = test.Input("state", Elements.From(new StepState(0.1f, step)));
        test = inPlace ? test.Same("x") : test.Output("y", x.Type, x.Count, misalignment);
        return test.Value((long)x.Count).Value(seed).Value(layer).Value(threshold).Value(scale);
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void Dropout_AnyCount_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (int count in (int[])[0, 1, 2, 3, 4, 5, 127, 1030])
        {
            Elements x = Elements.From(type, TestData.SpecialNumbers(count, count));
            Case("forward", type, blocks, blockSize, x, step: 3).CheckSameBits();
            Case("backward", type, blocks, blockSize, x, step: 1L << 40 | 7, seed: 0x9e3779b97f4a7c15, layer: uint.MaxValue, misalignment: 1)
                .CheckSameBits();
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void Dropout_InPlace_EqualsHost(DataType type, uint blocks, uint blockSize) =>
        Case("forward", type, blocks, blockSize, Elements.From(type, TestData.Numbers(999, 1)), inPlace: true).CheckSameBits();

    [Theory]
    [InlineData(0u, 0)] // keeps all
    [InlineData(uint.MaxValue, 64)] // keeps what has the one greatest word
    public void Dropout_ExtremeThreshold_KeepsAllOrNone(uint threshold, int zeros)
    {
        float[] ones = [.. Enumerable.Repeat(1f, 64)];
        double[] y = Case("forward", DataType.Float32, 1, 32, Elements.From(ones), threshold).CheckSameBits()["y"].Numbers();
        Assert.Equal(zeros, y.Count(value => value == 0));
        Assert.Equal(64 - zeros, y.Count(value => value == 2));
    }

    // The words are those that native/kernels/dropout.cu states for seed 42 and layer 6.
    [Theory]
    [InlineData(0, 0, 0x7fff8d7fu)]
    [InlineData(5, 0, 0x95a52778u)]
    [InlineData(3, 1, 0x7f72dc30u)]
    public void Dropout_WordAtThreshold_IsKept(int element, long step, uint word)
    {
        Elements ones = Elements.From([.. Enumerable.Repeat(1f, 8)]);
        Assert.Equal(2, Case("forward", DataType.Float32, 1, 32, ones, word, step).CheckSameBits()["y"].Number(element));
        Assert.Equal(0, Case("forward", DataType.Float32, 1, 32, ones, word + 1, step).CheckSameBits()["y"].Number(element));
    }
}
