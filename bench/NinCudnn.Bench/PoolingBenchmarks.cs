using BenchmarkDotNet.Attributes;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>The three maximum poolings of the seed network, and its global average.</summary>
public class PoolingBenchmarks : DeviceBenchmark
{
    private Pooling _pooling = null!;
    private DeviceMemory _x, _y, _dy, _dx, _workspace;

    public static IEnumerable<string> Layers => SeedLayers.Poolings.Keys;

    [ParamsSource(nameof(Layers))]
    public string Layer { get; set; } = "";

    [Benchmark]
    public void Forward()
    {
        _pooling.Forward(_x, _y, _workspace);
        Stream.Synchronize();
    }

    [Benchmark]
    public void Backward()
    {
        _pooling.Backward(_x, _y, _dy, _dx, _workspace);
        Stream.Synchronize();
    }

    private protected override void Prepare()
    {
        PoolingShape shape = SeedLayers.Poolings[Layer];
        _pooling = Own(new Pooling(Stream, shape));
        (_x, _y, _dy, _dx) = (Floats(shape.Input.Count), Floats(shape.Output.Count), Floats(shape.Output.Count), Floats(shape.Input.Count));
        _workspace = Bytes(_pooling.BackwardWorkspaceBytes);
        Forward(); // the backward pass looks for y in x
    }
}
