using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class GradientClippingTests
{
    private const float LossScale = 8;

    [Theory]
    [InlineData(1, 0.25)]
    [InlineData(1003, 0.5)]
    [InlineData(1003, 0.9999)]
    [InlineData(1003, 1.0001)]
    [InlineData(2_100_001, 0.1)] // more than 1024 pieces of 1024
    public void Run_RandomGradient_IsTorchsFactor(int count, double share)
    {
        using var fixture = new OperatorFixture();
        float[] gradient = TestNumbers.Uniform(count, -1, 1, 1);
        double norm = Math.Sqrt(gradient.Sum(value => (double)value * value)) / LossScale, maxNorm = share * norm;

        float factor = Factor(fixture, fixture.Upload<float>(gradient), count, maxNorm, DataType.Float32);

        // float32 rounds the factor, and the largest norm before.
        Assert.Equal(Math.Min(1, maxNorm / (norm + 1e-6)), factor, Math.ScaleB(1, -23));
    }

    [Fact]
    public void Run_HalfPrecision_TakesTheNormWithoutTheScale()
    {
        // 3 and 4 in every type, and what their squares give is no float16.
        using var fixture = new OperatorFixture();
        float[] gradient = new float[500];
        (gradient[7], gradient[499]) = (3 * 8192, 4 * 8192);
        DeviceMemory half = fixture.Upload<Half>([.. gradient.Select(value => (Half)value)]);
        DeviceMemory brain = fixture.Upload<ushort>([.. gradient.Select(value => (ushort)(BitConverter.SingleToUInt32Bits(value) >> 16))]);
        double expected = 100 / (5 * 8192 / LossScale + 1e-6);

        Assert.Equal((float)expected, Factor(fixture, half, 500, 100, DataType.Float16));
        Assert.Equal((float)expected, Factor(fixture, brain, 500, 100, DataType.BFloat16));
    }

    [Theory]
    [InlineData(float.NaN, float.NaN)]
    [InlineData(float.NegativeInfinity, 0f)]
    public void Run_NoNumber_IsTorchsFactor(float value, float expected)
    {
        using var fixture = new OperatorFixture();
        float[] gradient = TestNumbers.Uniform(3000, -1, 1, 1);
        gradient[2999] = value;
        Assert.Equal(expected, Factor(fixture, fixture.Upload<float>(gradient), 3000, 1, DataType.Float32));
    }

    [Fact]
    public void SgdStep_Factor_ScalesTheGradientButNotTheDecay()
    {
        // Powers of two: nothing is rounded.
        using var fixture = new OperatorFixture();
        var sgd = new SgdStep(fixture.Stream, 2, new SgdSettings(0, WeightDecay: 0.5));
        DeviceMemory parameter = fixture.Upload<float>([8, -2]);
        sgd.Run(
            fixture.Upload<float>([32, 64]), fixture.Upload<StepState>([new StepState(1, 0, LossScale)]), parameter, default,
            gradientFactor: fixture.Upload<float>([0.25f]));
        Assert.Equal([8f - (1 + 4), -2f - (2 - 1)], fixture.Download<float>(parameter));
    }

    [Fact]
    public void Calls_OneByteTooShort_AreRefused()
    {
        using var fixture = new OperatorFixture();
        var clipping = new GradientClipping(fixture.Stream, 10, 1);
        var sgd = new SgdStep(fixture.Stream, 10, new SgdSettings());
        DeviceMemory gradient = fixture.Output(40), state = fixture.Output(16), factor = fixture.Output(4);
        OperatorFixture.CheckShortOperands(o => clipping.Run(o[0], o[1], o[2], o[3]), gradient, state, factor, fixture.Output(clipping.WorkspaceBytes));
        OperatorFixture.CheckShortOperands(o => sgd.Run(gradient, state, gradient, default, gradientFactor: o[0]), factor);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Create_NormOutsideItsRange_Throws(double maxNorm)
    {
        using var fixture = new OperatorFixture();
        Assert.Throws<ArgumentOutOfRangeException>(() => new GradientClipping(fixture.Stream, 10, maxNorm));
    }

    private static float Factor(OperatorFixture fixture, DeviceMemory gradient, int count, double maxNorm, DataType type)
    {
        var clipping = new GradientClipping(fixture.Stream, count, maxNorm, type);
        DeviceMemory factor = fixture.Output(sizeof(float)), workspace = fixture.Output(clipping.WorkspaceBytes);
        clipping.Run(gradient, fixture.Upload<StepState>([new StepState(0.1f, 3, LossScale)]), factor, workspace);
        return Assert.Single(fixture.Download<float>(factor));
    }
}
