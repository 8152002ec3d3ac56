using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;
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
        using DeviceBuffer<LossScalerState> scaler = TestDevice.Shared.Allocate<LossScalerState>(1); // as every training has one
        using var arena = new DeviceArena(TestDevice.Shared);
        using ExecutionPlan plan = ExecutionPlan.Compile(TinyNetwork.Architecture(), _options, new PlanResources(
            network.Stream, network.Parameters, network.StepInput, network.Loss, arena, network.Parameters.Values)
        { LossScaler = scaler.Memory });

        PlanMemory memory = Measure();

        Assert.Equal(plan.ArenaBytes, memory.ArenaBytes);
        Assert.Equal(network.Parameters.Bytes, memory.ParameterBytes);
        Assert.Equal(plan.Steps.Select(step => $"{step.Layer} {step.Kind}"), memory.Steps);
    }

    [Fact]
    public void Measure_MovingAverage_CountsAmongTheParameters() => Assert.Equal(
        2 * Measure().ParameterBytes,
        PlanMemory.Measure(TestDevice.Shared, TinyNetwork.Architecture(), _options with { EmaDecay = 0.9 }).ParameterBytes);

    [Fact]
    public void Measure_TakesNothingOfTheArena()
    {
        using var network = new NetworkFixture(TinyNetwork.Architecture(), _options);
        using var arena = new DeviceArena(network.Stream.Device);
        var resources = new PlanResources(network.Stream, network.Parameters, network.StepInput, network.Loss, arena, network.Parameters.Values);

        PlanMemory memory = new PlanCompiler(TinyNetwork.Architecture(), _options, resources).Measure();

        Assert.Equal(network.Plan.ArenaBytes, memory.ArenaBytes);
        Assert.Equal(0, arena.Bytes);
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

    private static PlanMemory Measure() => PlanMemory.Measure(TestDevice.Shared, TinyNetwork.Architecture(), _options);
}
