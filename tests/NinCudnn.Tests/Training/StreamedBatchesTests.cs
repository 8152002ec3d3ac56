using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

/// <summary>A step on data that streams, alone with the process: what other threads allocate is counted too.</summary>
[Collection(DeviceAlone.Name)]
public sealed class StreamedBatchesTests : IDisposable
{
    private const int Steps = 100;

    private readonly DeviceStream _stream = TestDevice.Shared.CreateStream();
    private readonly DeviceArena _arena = new(TestDevice.Shared);
    private readonly ParameterStore _parameters = new(TestDevice.Shared, TinyNetwork.Architecture());
    private readonly StepInput _input;
    private readonly RunningLoss _loss;
    private readonly BatchPlans _plans;

    public StreamedBatchesTests()
    {
        _input = new StepInput(_stream, 4);
        _loss = new RunningLoss(_stream);
        var options = new PlanOptions { Batch = 4, Height = TinyNetwork.ImageSize, Width = TinyNetwork.ImageSize, Augmentation = new Augmentation(0.5, 1) };
        _plans = new BatchPlans(
            TinyNetwork.Architecture(), options, new PlanResources(_stream, _parameters, _input, _loss, _arena, Labels: default),
            TinyNetwork.Dataset(4 * Steps - 1), DataPlacement.Stream);
    }

    public void Dispose()
    {
        _plans.Dispose();
        _loss.Dispose();
        _input.Dispose();
        _parameters.Dispose();
        _arena.Dispose();
        _stream.Dispose();
    }

    [Fact]
    public void Run_Steps_AllocateNothing()
    {
        Pass(); // compiles, captures, and lets the runtime recompile
        Pass();
        // The whole process, to count the gathering thread. What the test runner does meanwhile now and then, no step does: of some passes one is free of it.
        long[] allocated = [.. Enumerable.Range(0, 10).Select(_ =>
        {
            long device = TestDevice.Shared.FreeBytes, before = GC.GetTotalAllocatedBytes(precise: true);
            Pass();
            long managed = GC.GetTotalAllocatedBytes(precise: true) - before;
            Assert.Equal(device, TestDevice.Shared.FreeBytes);
            return managed;
        })];
        Assert.Equal(0, allocated.Min());
    }

    private void Pass()
    {
        _plans.Begin(new EpochOrder(1, 1));
        for (int i = 0; i < _plans.BatchCount; i++)
            _plans.Run(i, new StepState(0.001f, i));
        _stream.Synchronize();
    }
}
