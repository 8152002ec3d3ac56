using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class BatchPlansTests
{
    public static TheoryData<int, int, DataPlacement> Cases
    {
        get
        {
            var cases = new TheoryData<int, int, DataPlacement>();
            (int Samples, int Batch)[] sizes = [(1, 1), (3, 10), (10, 10), (11, 10), (29, 10), (30, 10), (7, 1)]; // 3: fewer samples than a batch
            foreach (var (samples, batch) in sizes)
            {
                cases.Add(samples, batch, DataPlacement.Resident);
                cases.Add(samples, batch, DataPlacement.Stream);
            }
            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Run_EveryBatch_TakesEverySampleOnce(int samples, int batch, DataPlacement placement)
    {
        ImageDataset dataset = TinyNetwork.Dataset(samples, 3);
        using var stream = TestDevice.Shared.CreateStream();
        using var arena = new NinCudnn.Devices.DeviceArena(TestDevice.Shared);
        using var parameters = new ParameterStore(TestDevice.Shared, TinyNetwork.Architecture());
        using var loss = new RunningLoss(stream);
        using var input = new StepInput(stream, Math.Min(samples, batch));
        var options = new PlanOptions { Batch = batch, Height = TinyNetwork.ImageSize, Width = TinyNetwork.ImageSize, Mode = PlanMode.Evaluation };
        using var plans = new BatchPlans(
            TinyNetwork.Architecture(), options, new PlanResources(stream, parameters, input, loss, arena, Labels: default), dataset, placement);

        loss.Reset();
        plans.Begin(new EpochOrder(5, 1));
        for (int i = 0; i < plans.BatchCount; i++)
            plans.Run(i, new StepState(0, i));
        loss.BeginRead();
        LossSummary summary = loss.EndRead();

        Assert.Equal((int)Math.Ceiling((double)samples / batch), plans.BatchCount);
        Assert.Equal(samples, summary.Samples);
        // All parameters are 0, and so all logits: each sample costs ln 3, and the first class is the answer.
        Assert.Equal(samples * Math.Log(3), summary.LossSum, tolerance: samples * Math.Pow(2, -18));
        Assert.Equal(dataset.Labels.ToArray().Count(label => label == 0), summary.Correct);
        Assert.Equal(0, plans.SamplesIn(0));
        Assert.Equal(Math.Min(samples, batch), plans.SamplesIn(1));
        Assert.Equal(samples, plans.SamplesIn(plans.BatchCount));
    }
}
