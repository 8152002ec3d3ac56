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
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 10)] // fewer samples than a batch
    [InlineData(10, 10)]
    [InlineData(11, 10)]
    [InlineData(29, 10)]
    [InlineData(30, 10)]
    [InlineData(7, 1)]
    public void Run_EveryBatch_TakesEverySampleOnce(int samples, int batch)
    {
        ImageDataset dataset = TinyNetwork.Dataset(samples, 3);
        using var stream = TestDevice.Shared.CreateStream();
        using var arena = new NinCudnn.Devices.DeviceArena(TestDevice.Shared);
        using var parameters = new ParameterStore(TestDevice.Shared, TinyNetwork.Architecture());
        using var images = new DeviceDataset(TestDevice.Shared, dataset);
        using var loss = new RunningLoss(stream);
        using var input = new StepInput(stream, Math.Min(samples, batch));
        var options = new PlanOptions { Batch = batch, Height = TinyNetwork.ImageSize, Width = TinyNetwork.ImageSize, Mode = PlanMode.Evaluation };
        using var plans = new BatchPlans(
            TinyNetwork.Architecture(), options, new PlanResources(stream, parameters, input, loss, arena, images.Labels, images), samples);
        int[] order = [.. Enumerable.Range(0, samples).Reverse()];

        loss.Reset();
        for (int i = 0; i < plans.BatchCount; i++)
            plans.Run(i, order, new StepState(0, i));
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
