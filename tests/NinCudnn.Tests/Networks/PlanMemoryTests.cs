using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Tests.Devices;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class PlanMemoryTests
{
    private static readonly PlanOptions _options = new() { Batch = 5, Height = TinyNetwork.ImageSize, Width = TinyNetwork.ImageSize };

    [Fact]
    public void Measure_IsWhatCompilingTakes()
    {
        using var network = new NetworkFixture(TinyNetwork.Architecture(), _options);
        PlanMemory memory = Measure();
        Assert.Equal(network.Plan.ArenaBytes, memory.ArenaBytes);
        Assert.Equal(network.Plan.Steps.Select(step => $"{step.Layer} {step.Kind}"), memory.Steps);
    }

    [Fact]
    public void Measure_Places_OverlapOnlyWhereNeverNeededTogether()
    {
        PlanMemory memory = Measure();
        foreach (TensorPlace a in memory.Tensors)
        {
            Assert.InRange(a.Offset + a.Bytes, 1, memory.ArenaBytes);
            foreach (TensorPlace b in memory.Tensors.Where(b => b != a && a.FirstStep <= b.LastStep && b.FirstStep <= a.LastStep))
                Assert.True(a.Offset + a.Bytes <= b.Offset || b.Offset + b.Bytes <= a.Offset, $"{a} and {b}");
        }
    }

    [Fact]
    public void PeakStep_NeedsMostAndFitsTheArena()
    {
        PlanMemory memory = Measure();
        Assert.All(Enumerable.Range(0, memory.Steps.Length), step => Assert.True(memory.At(step).Sum(tensor => tensor.Bytes) <= memory.PeakBytes));
        Assert.InRange(memory.PeakBytes, 1, memory.ArenaBytes);
    }

    private static PlanMemory Measure()
    {
        using DeviceStream stream = TestDevice.Shared.CreateStream();
        using var parameters = new ParameterStore(stream.Device, TinyNetwork.Architecture());
        using var stepInput = new StepInput(stream, _options.Batch);
        using var loss = new RunningLoss(stream);
        using var arena = new DeviceArena(stream.Device);
        PlanMemory memory = ExecutionPlan.Measure(
            TinyNetwork.Architecture(), _options, new PlanResources(stream, parameters, stepInput, loss, arena, parameters.Values));
        Assert.Equal(0, arena.Bytes);
        return memory;
    }
}
