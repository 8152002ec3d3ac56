using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using NinCudnn.Networks;

namespace NinCudnn.Bench;

/// <summary>
/// What the host does for a training step: sending the input, and queueing. The host provider skips the arithmetic, and checks the operands in the
/// call: a thread of its own would compete for locks and memory, which a GPU does not.
/// </summary>
[Config(typeof(WithoutArithmetic))]
public class EnqueueBenchmarks : DeviceBenchmark
{
    private NetworkStep _step = null!;

    [Benchmark]
    public void Replayed()
    {
        _step.Send();
        _step.Run();
    }

    [Benchmark]
    public void Eager()
    {
        _step.Send();
        _step.RunEager();
    }

    private protected override void Prepare()
    {
        _step = Own(new NetworkStep(Device, Architecture.Seed(), SyntheticData.Images(64, 28), batch: 64, imageSize: 96));
        Replayed(); // the first run captures
    }

    private sealed class WithoutArithmetic : ManualConfig
    {
        public WithoutArithmetic() => AddJob(
            Job.Default.WithEnvironmentVariables(new EnvironmentVariable("NIN_HOST_SKIP_WORK", "1"), new EnvironmentVariable("NIN_HOST_STREAMS", "sync")).AsMutator());
    }
}
