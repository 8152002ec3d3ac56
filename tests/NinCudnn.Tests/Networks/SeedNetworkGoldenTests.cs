using NinCudnn.Networks;
using NinCudnn.Numerics;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class SeedNetworkGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "nin_seed", MemberType = typeof(GoldenSet))]
    public void ExecutionPlan_SeedGolden_MatchesPyTorchsLogitsLossAndGradients(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] shape = item.Shape("x_u8");
        var options = new PlanOptions { Batch = shape[0], Height = shape[2], Width = shape[3], KeepLayerOutputs = true };
        using var network = new NetworkFixture(NetworkFixture.Architecture(item), options);
        network.Parameters.Load(network.Parameters.Parameters.ToDictionary(
            parameter => parameter.Name, parameter => ByFormula(parameter, item.Params.GetProperty("name_prefix").GetString()!)));
        float[] x = [.. item.Bytes("x_u8").Select(value => value / 255f)];
        long[] labels = item.Int64s("labels");
        float rate = item.Params.GetProperty("lr").GetSingle();
        int steps = item.Params.GetProperty("steps").GetInt32();

        // losses[i] is the loss after i steps, so the last one takes one more run.
        var losses = new float[steps + 1];
        for (int i = 0; i <= steps; i++)
        {
            losses[i] = (float)network.Run(x, shape, labels, new StepState(rate, i));
            if (i == 0)
                CheckFirstRun(item, network);
        }
        item.Check("loss", losses.AsSpan(0, 1));
        item.Check("losses", losses);
    }

    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "parameter_count", MemberType = typeof(GoldenSet))]
    public void Parameters_Golden_HavePyTorchsNamesAndShapes(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        Dictionary<string, int[]> expected = item.Params.GetProperty("shapes").EnumerateObject()
            .ToDictionary(entry => entry.Name, entry => entry.Value.EnumerateArray().Select(value => value.GetInt32()).ToArray());

        var parameters = Parameter.Enumerate(Architecture.Seed());

        Assert.Equal(expected.Keys.Order(), parameters.Select(parameter => parameter.Name).Order());
        Assert.All(parameters, parameter => Assert.Equal(expected[parameter.Name], parameter.Shape));
        Assert.Equal(item.Params.GetProperty("total").GetInt64(), parameters.Sum(parameter => (long)parameter.Count));
    }

    private static void CheckFirstRun(GoldenCase item, NetworkFixture network)
    {
        item.Check("logits", network.Download(network.Plan.Logits));
        item.Check("act_l2", [.. network.Plan.LayerOutputs.Select(output => Norm(network.Download(output)))]);
        foreach (var (tensor, gradient) in network.Parameters.DownloadGradients())
        {
            item.Check($"grad_l2.{tensor}", [Norm(gradient)]);
            item.Check($"grad_sum.{tensor}", [(float)gradient.Sum(value => (double)value)]);
            item.Check($"grad_head.{tensor}", gradient.AsSpan(0, item.Shape($"grad_head.{tensor}")[0]));
        }
    }

    private static float Norm(float[] values) => (float)Math.Sqrt(values.Sum(value => (double)value * value));

    private static float[] ByFormula(Parameter parameter, string prefix)
    {
        var values = new float[parameter.Count];
        double bound = parameter.IsWeight ? ParameterRandom.WeightBound((int)parameter.FanIn) : ParameterRandom.BiasBound;
        ParameterRandom.FillUniform(prefix + parameter.Name, bound, values);
        return values;
    }
}
