using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Goldens;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class TinyNetworkGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "nin_forward_backward", MemberType = typeof(GoldenSet))]
    public void ExecutionPlan_TinyGolden_MatchesPyTorchsActivationsAndGradients(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] shape = item.Shape("x");
        var options = new PlanOptions { Batch = shape[0], Height = shape[2], Width = shape[3], Sgd = null, InputGradient = true, KeepLayerOutputs = true };
        using var network = new NetworkFixture(NetworkFixture.Architecture(item), options);
        network.Parameters.Load(item.TensorNames("params").ToDictionary(tensor => tensor, tensor => item.Singles(tensor, "params")));

        double loss = network.Run(item.Singles("x"), shape, item.Int64s("labels"), new StepState(0, 0));

        item.Check("loss", [(float)loss]);
        item.Check("logits", network.Download(network.Plan.Logits));
        for (int i = 0; i < network.Plan.LayerOutputs.Length; i++)
        {
            int[] outputShape = item.Shape($"act.{i}");
            float[] output = network.Download(network.Plan.LayerOutputs[i]);
            item.Check($"act.{i}", outputShape.Length == 4 ? Layout.ToNchw(output, outputShape) : output);
        }
        item.Check("dx", Layout.ToNchw(network.Download(network.Plan.InputGradient), shape));
        Dictionary<string, float[]> gradients = network.Parameters.DownloadGradients();
        foreach (string tensor in item.TensorNames("grads"))
            item.Check(tensor, gradients[tensor], "grads", "grad_tolerance");
    }

    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "nin_train", MemberType = typeof(GoldenSet))]
    public void ExecutionPlan_TrainingGolden_MatchesPyTorchsLossesAndParameters(string name)
    {
        GoldenCase item = GoldenSet.Current[name];
        int[] shape = [.. item.Params.GetProperty("input").EnumerateArray().Select(value => value.GetInt32())];
        var sgd = new SgdSettings(
            item.Params.GetProperty("momentum").GetDouble(), item.Params.GetProperty("weight_decay").GetDouble(), item.Params.GetProperty("nesterov").GetBoolean());
        float rate = item.Params.GetProperty("lr").GetSingle();
        int steps = item.Params.GetProperty("steps").GetInt32();
        using var network = new NetworkFixture(
            NetworkFixture.Architecture(item), new PlanOptions { Batch = shape[0], Height = shape[2], Width = shape[3], Sgd = sgd });
        network.Parameters.Load(item.TensorNames("params").ToDictionary(tensor => tensor, tensor => item.Singles(tensor, "params")));
        byte[] images = item.Bytes("x_u8", "batches");
        long[] labels = item.Int64s("labels", "batches");
        int pixels = images.Length / steps, samples = shape[0];

        var losses = new float[steps];
        for (int i = 0; i < steps; i++)
        {
            float[] x = [.. images.Skip(i * pixels).Take(pixels).Select(value => value / 255f)];
            losses[i] = (float)network.Run(x, shape, labels[(i * samples)..((i + 1) * samples)], new StepState(rate, i));
        }

        item.Check("losses", losses);
        Dictionary<string, float[]> parameters = network.Parameters.DownloadValues();
        foreach (string tensor in item.TensorNames("final_params"))
            item.Check(tensor, parameters[tensor], "final_params", "final_params_tolerance");
    }
}
