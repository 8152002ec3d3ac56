using System.Collections.Immutable;
using NinCudnn.Benchmarks;
using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Cli.Output;

/// <summary>What a benchmark found.</summary>
/// <param name="Device">The device.</param>
/// <param name="Network">The network.</param>
/// <param name="Options">What was measured.</param>
/// <param name="ArenaBytes">Device memory that the plan's tensors take.</param>
/// <param name="Run">Times of whole runs.</param>
/// <param name="Peaks">What the device can do; null where only whole runs were measured.</param>
/// <param name="Steps">The steps' times; empty where only whole runs were measured.</param>
internal sealed record BenchReport(
    Device Device, Architecture Network, BenchmarkOptions Options, long ArenaBytes, RunTiming Run, DevicePeaks? Peaks, ImmutableArray<StepTiming> Steps)
{
    public double SamplesPerSecond => Options.Batch / Run.Replayed.Median.TotalSeconds;

    /// <summary>Time of all steps, call by call.</summary>
    public TimeSpan StepsTime => Steps.Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Time.Median);

    /// <summary>Time of the steps of one kind.</summary>
    public TimeSpan TimeOf(params PlanStepKind[] kinds) =>
        Steps.Where(step => kinds.Contains(step.Step.Kind)).Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Time.Median);

    /// <summary>How near a step comes to the time that the device's peaks allow, 0 to 1.</summary>
    public double ShareOfPeak(StepTiming step) => Peaks!.LeastTime(step.Flops, step.Step.Bytes) / step.Time.Median;
}
