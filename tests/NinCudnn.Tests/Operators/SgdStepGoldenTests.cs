using NinCudnn.Devices;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Operators;

public class SgdStepGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "sgd", MemberType = typeof(GoldenSet))]
    public void SgdStep_Golden_MatchesPyTorch(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        float[] p0 = item.Singles("p0"), gradients = item.Singles("grads");
        double[] rates = [.. item.Params.GetProperty("lr").EnumerateArray().Select(rate => rate.GetDouble())];
        var settings = new SgdSettings(
            item.Params.GetProperty("momentum").GetDouble(), item.Params.GetProperty("weight_decay").GetDouble(), item.Params.GetProperty("nesterov").GetBoolean());

        using var fixture = new OperatorFixture();
        var sgd = new SgdStep(fixture.Stream, p0.Length, settings);
        DeviceMemory parameter = fixture.Upload<float>(p0), momentum = fixture.Upload<float>(new float[p0.Length]);
        var after = new List<float>();
        for (int i = 0; i < rates.Length; i++)
        {
            // The loss scale must cancel out: gradients arrive multiplied by it.
            const float LossScale = 8;
            float[] scaled = [.. gradients.Skip(i * p0.Length).Take(p0.Length).Select(value => value * LossScale)];
            sgd.Run(fixture.Upload<float>(scaled), fixture.Upload<StepState>([new StepState((float)rates[i], i, LossScale)]), parameter, momentum);
            after.AddRange(fixture.Download<float>(parameter));
        }

        item.Check("params_after", [.. after]);
    }
}
