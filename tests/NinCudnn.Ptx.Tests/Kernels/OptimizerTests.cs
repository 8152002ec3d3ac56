using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

public class OptimizerTests
{
    public static TheoryData<DataType, uint, uint> TypesAndLaunches => TestData.TypesAndLaunches();

    internal static KernelCase Case(DataType type, uint blocks, uint blockSize, int count, float momentum = 0.9f, float weightDecay = 5e-4f,
        int nesterov = 0, bool hasBuffer = true, float lossScale = 1024, int misalignment = 0, float? gradientFactor = null,
        float? averageDecay = null, long step = 12)
    {
        KernelCase test = new KernelCase("optimizer", $"sgd_step_{Elements.Suffix(type)}", blocks, blockSize)
            .Input("gradient", Elements.From(type, TestData.SpecialNumbers(count, 1)), misalignment)
            .Input("state", Elements.From(new StepState(0.05f, step, lossScale)));
        test = gradientFactor is { } factor ? test.Input("gradient_factor", Elements.From([factor])) : test.Null();
        test = test.Update("parameter", Elements.From(TestData.SpecialNumbers(count + 1, 2)[1..]), misalignment);
        test = hasBuffer ? test.Update("momentum_buffer", Elements.From(TestData.Numbers(count, 3)), misalignment) : test.Null();
        if (type != DataType.Float32)
            test = test.Output("compute_parameter", Elements.Of(type), count, misalignment);
        test = averageDecay is null ? test.Null() : test.Update("average", Elements.From(TestData.SpecialNumbers(count, 4)), misalignment);
        if (type != DataType.Float32)
            test = averageDecay is null ? test.Null() : test.Output("compute_average", Elements.Of(type), count, misalignment);
        return test.Value((long)count).Value(momentum).Value(weightDecay).Value(nesterov).Value(averageDecay ?? 0);
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SgdStep_AnyCount_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (int count in (int[])[0, 1, 31, 33, 1027])
        {
            foreach (int nesterov in (int[])[0, 1, -1])
                Case(type, blocks, blockSize, count, nesterov: nesterov, misalignment: count % 3).CheckSameBits();
            Case(type, blocks, blockSize, count, weightDecay: 0).CheckSameBits();
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SgdStep_GradientFactor_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (float factor in (float[])[1, 0.3f, 0, float.NaN])
        {
            Case(type, blocks, blockSize, 100, gradientFactor: factor).CheckSameBits();
            Case(type, blocks, blockSize, 100, momentum: 0, hasBuffer: false, gradientFactor: factor).CheckSameBits();
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SgdStep_Average_EqualsHostAndTheFormula(DataType type, uint blocks, uint blockSize)
    {
        foreach (var (decay, step, used) in ((float, long, float)[])[
            (0.999f, 0, 0.1f), (0.999f, 12, 13f / 22), (0.5f, 12, 0.5f), (0.999f, 1L << 40, 0.999f), (0, 5, 0)])
        {
            foreach (bool hasBuffer in (bool[])[false, true])
            {
                var results = Case(type, blocks, blockSize, 100, hasBuffer: hasBuffer, averageDecay: decay, step: step, misalignment: 1).CheckSameBits();
                float[] before = TestData.SpecialNumbers(100, 4);
                float[] expected = [.. before.Select((average, i) => average + (1 - used) * ((float)results["parameter"].Number(i) - average))];
                Assert.Null(results["average"].FirstDifference(Elements.From(expected)));
                if (type != DataType.Float32)
                    Assert.Null(results["compute_average"].FirstDifference(Elements.From(type, expected)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SgdStep_LossScaleOfZero_ChangesNothing(DataType type, uint blocks, uint blockSize)
    {
        IReadOnlyDictionary<string, Elements> results = Case(type, blocks, blockSize, 100, lossScale: 0, averageDecay: 0.5f).CheckSameBits();
        Assert.Equal(Elements.From(TestData.SpecialNumbers(100, 4)).Bytes, results["average"].Bytes);
        Assert.Equal(Elements.From(TestData.SpecialNumbers(101, 2)[1..]).Bytes, results["parameter"].Bytes);
        Assert.Equal(Elements.From(TestData.Numbers(100, 3)).Bytes, results["momentum_buffer"].Bytes);
        if (type != DataType.Float32)
            Assert.Equal(Elements.Poison(Elements.Of(type), 100).Bytes, results["compute_parameter"].Bytes);
    }

    [Theory]
    [MemberData(nameof(TypesAndLaunches))]
    public void SgdStep_NoMomentumBuffer_EqualsHost(DataType type, uint blocks, uint blockSize)
    {
        foreach (int count in (int[])[0, 1, 257])
        {
            Case(type, blocks, blockSize, count, momentum: 0, hasBuffer: false).CheckSameBits();
            Case(type, blocks, blockSize, count, momentum: 0, weightDecay: 0, nesterov: 1, hasBuffer: false, lossScale: 1).CheckSameBits();
        }
    }
}
