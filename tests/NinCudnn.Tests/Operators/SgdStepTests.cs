using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class SgdStepTests
{
    [Theory]
    [InlineData(0.0, 0.0, false)]
    [InlineData(0.5, 0.0, false)]
    [InlineData(0.5, 0.25, false)]
    [InlineData(0.5, 0.25, true)]
    public void Run_PowersOfTwo_EqualsTheFormulaExactly(double momentum, double weightDecay, bool nesterov)
    {
        // Every factor is a power of two and every number a small multiple of 2⁻¹²: nothing is rounded in three steps.
        const int Count = 1003;
        const float Rate = 0.25f, LossScale = 4;
        using var fixture = new OperatorFixture();
        var sgd = new SgdStep(fixture.Stream, Count, new SgdSettings(momentum, weightDecay, nesterov));
        float[] p = TestNumbers.Integers(Count, 16, 1), buffer = new float[Count];
        DeviceMemory parameter = fixture.Upload<float>(p), momentumBuffer = fixture.Upload<float>(buffer);

        for (int step = 0; step < 3; step++)
        {
            float[] gradient = TestNumbers.Integers(Count, 32, (ulong)step + 2);
            DeviceMemory gradientMemory = fixture.Upload<float>(gradient);
            sgd.Run(gradientMemory, fixture.Upload<StepState>([new StepState(Rate, step, LossScale)]), parameter, momentum == 0 ? default : momentumBuffer);
            for (int i = 0; i < Count; i++)
            {
                double g = gradient[i] / LossScale + weightDecay * p[i];
                buffer[i] = (float)(momentum * buffer[i] + g);
                p[i] -= (float)(Rate * (nesterov ? g + momentum * buffer[i] : buffer[i]));
            }
            Comparison.Check<float>(fixture.Download<float>(parameter), p, [Count], Tolerance.Exact, $"parameters after step {step}");
            Assert.Equal(gradient, fixture.Download<float>(gradientMemory));
        }
        Assert.Equal(momentum == 0 ? new float[Count] : buffer, fixture.Download<float>(momentumBuffer));
    }

    [Fact]
    public void Run_Average_FollowsTheParameters()
    {
        // By 1/2 from the eighth step on, (1 + 8) / (10 + 8), and all numbers are small multiples of 2⁻⁶: nothing is rounded.
        const int Count = 1003;
        using var fixture = new OperatorFixture();
        var sgd = new SgdStep(fixture.Stream, Count, new SgdSettings(), averageDecay: 0.5);
        float[] p = TestNumbers.Integers(Count, 16, 1), average = TestNumbers.Integers(Count, 16, 2);
        DeviceMemory parameter = fixture.Upload<float>(p), averageMemory = fixture.Upload<float>(average);
        for (int step = 8; step < 11; step++)
        {
            float[] gradient = TestNumbers.Integers(Count, 8, (ulong)step);
            sgd.Run(fixture.Upload<float>(gradient), fixture.Upload<StepState>([new StepState(0.25f, step)]), parameter, default, average: averageMemory);
            for (int i = 0; i < Count; i++)
            {
                p[i] -= 0.25f * gradient[i];
                average[i] = (average[i] + p[i]) / 2;
            }
        }
        Assert.Equal(p, fixture.Download<float>(parameter));
        Assert.Equal(average, fixture.Download<float>(averageMemory));
    }

    [Theory]
    [InlineData(1.0)]
    [InlineData(-0.1)]
    [InlineData(double.NaN)]
    public void Create_AverageDecayOutsideItsRange_Throws(double averageDecay)
    {
        using var fixture = new OperatorFixture();
        Assert.Throws<ArgumentOutOfRangeException>(() => new SgdStep(fixture.Stream, 1, new SgdSettings(), averageDecay: averageDecay));
    }

    [Fact]
    public void Create_NesterovWithoutMomentum_IsRefused()
    {
        using var fixture = new OperatorFixture();
        var error = Assert.Throws<ArgumentException>(() => new SgdStep(fixture.Stream, 1, new SgdSettings(Nesterov: true)));
        Assert.Equal("Nesterov's step needs a momentum above 0", error.Message);
    }

    [Fact]
    public void Run_OneByteTooShort_IsRefused()
    {
        using var fixture = new OperatorFixture();
        var sgd = new SgdStep(fixture.Stream, 10, new SgdSettings(Momentum: 0.9));
        OperatorFixture.CheckShortOperands(
            o => sgd.Run(o[0], o[1], o[2], o[3]), fixture.Output(40), fixture.Output(16), fixture.Output(40), fixture.Output(40));
        var averaging = new SgdStep(fixture.Stream, 10, new SgdSettings(), DataType.BFloat16, 0.9);
        OperatorFixture.CheckShortOperands(
            o => averaging.Run(o[0], o[1], o[2], default, o[3], default, o[4], o[5]),
            fixture.Output(20), fixture.Output(16), fixture.Output(40), fixture.Output(20), fixture.Output(40), fixture.Output(20));
    }
}
