using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class LossScalingTests
{
    private const int Count = 300;

    [Fact]
    public void Steps_OverflowAndGrowth_FollowGradScaler()
    {
        using var fixture = new OperatorFixture();
        var scaling = new LossScaling(fixture.Stream, Count, DataType.Float16, growthInterval: 2);
        var sgd = new SgdStep(fixture.Stream, Count, new SgdSettings(Momentum: 0.5), DataType.Float16);
        DeviceMemory scaler = fixture.Upload<LossScalerState>([new LossScalerState(8, 0, 0, 0)]);
        DeviceMemory parameter = fixture.Upload<float>(new float[Count]), momentum = fixture.Upload<float>(new float[Count]);
        DeviceMemory compute = fixture.Output(Count * 2);

        // Gradients of 1 at the step's scale; the rate is 1.
        Step(false, new(8, 1, 0, 0), -1, 1);
        Step(false, new(16, 0, 0, 0), -2.5f, 1.5f);
        Step(true, new(8, 0, 1, 0, 1), -2.5f, 1.5f); // skipped: parameters, their copy and momentum stay
        Step(false, new(8, 1, 1, 0), -4.25f, 1.75f);

        void Step(bool overflows, LossScalerState expected, float expectedParameter, float expectedMomentum)
        {
            DeviceMemory state = fixture.Upload<StepState>([new StepState(1, 0)]);
            scaling.Begin(scaler, state);
            float scale = fixture.Download<StepState>(state)[0].LossScale;
            Half[] gradient = [.. Enumerable.Repeat((Half)scale, Count)];
            if (overflows)
                gradient[Count - 1] = Half.PositiveInfinity;
            DeviceMemory gradients = fixture.Upload<Half>(gradient);
            scaling.End(gradients, scaler, state);
            sgd.Run(gradients, state, parameter, momentum, compute);

            Assert.Equal([expected], fixture.Download<LossScalerState>(scaler));
            Assert.All(fixture.Download<float>(parameter), value => Assert.Equal(expectedParameter, value));
            Assert.All(fixture.Download<Half>(compute), value => Assert.Equal((Half)expectedParameter, value));
            Assert.All(fixture.Download<float>(momentum), value => Assert.Equal(expectedMomentum, value));
        }
    }

    [Theory]
    [InlineData(DataType.Float32)]
    [InlineData(DataType.BFloat16)]
    public void Steps_OtherTypes_AreSkippedWithoutAScale(DataType type)
    {
        using var fixture = new OperatorFixture();
        var scaling = new LossScaling(fixture.Stream, Count, type, growthInterval: 1);
        DeviceMemory scaler = fixture.Upload<LossScalerState>([LossScalerState.Initial(type)]);
        float[] good = new float[Count], bad = [.. good];
        bad[7] = float.NaN;

        Step(1, good, good, isSkipped: false, new(1, 1, 0, 0));
        Step(2, bad, good, isSkipped: true, new(1, 0, 1, 0, 1, NonFinite.Loss, 2));
        Step(3, good, bad, isSkipped: true, new(1, 0, 2, 0, 2, NonFinite.Loss, 2));
        Step(4, good, good, isSkipped: false, new(1, 1, 2, 0, 0, NonFinite.Loss, 2));

        void Step(long step, float[] loss, float[] gradient, bool isSkipped, LossScalerState expected)
        {
            DeviceMemory state = fixture.Upload<StepState>([new StepState(1, step)]);
            scaling.Begin(scaler, state);
            scaling.CheckLoss(fixture.Upload<float>(loss), scaler);
            scaling.End(fixture.Upload<byte>(StoredElements.Encode(gradient, type)), scaler, state);
            Assert.Equal([expected], fixture.Download<LossScalerState>(scaler));
            Assert.Equal(isSkipped ? 0 : 1, fixture.Download<StepState>(state)[0].LossScale);
        }
    }
}
