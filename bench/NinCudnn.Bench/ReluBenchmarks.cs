using BenchmarkDotNet.Attributes;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>The rectifier's gradient together with the bias's, behind every block's convolutions.</summary>
public class ReluBenchmarks : DeviceBenchmark
{
    private Relu _relu = null!;
    private DeviceMemory _y, _dy, _db, _workspace;

    public static IEnumerable<string> Layers => SeedLayers.Convolutions.Keys.Where(name => name.EndsWith(".2", StringComparison.Ordinal));

    [ParamsSource(nameof(Layers))]
    public string Layer { get; set; } = "";

    [Benchmark]
    public void Backward()
    {
        _relu.Backward(_y, _dy, _db, _workspace);
        Stream.Synchronize();
    }

    private protected override void Prepare()
    {
        TensorShape shape = SeedLayers.Convolutions[Layer].Output;
        _relu = Own(new Relu(Stream, shape));
        (_y, _dy, _db) = (Floats(shape.Count), Floats(shape.Count), Floats(shape.C));
        _workspace = Bytes(_relu.BackwardWorkspaceBytes);
    }
}
