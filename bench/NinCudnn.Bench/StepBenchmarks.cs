using BenchmarkDotNet.Attributes;
using NinCudnn.Networks;

namespace NinCudnn.Bench;

/// <summary>A whole training step of the seed network, 64 images of 96×96, to its end.</summary>
public class StepBenchmarks : DeviceBenchmark
{
    private NetworkStep _step = null!;

    [Benchmark]
    public void Replayed()
    {
        _step.Send();
        _step.Run();
        _step.Synchronize();
    }

    private protected override void Prepare() =>
        _step = Own(new NetworkStep(Device, Architecture.Seed(), SyntheticData.Images(64, 28), batch: 64, imageSize: 96));
}
