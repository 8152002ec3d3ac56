using BenchmarkDotNet.Attributes;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>Every convolution of the seed network, in all directions.</summary>
public class ConvolutionBenchmarks : DeviceBenchmark
{
    private ConvolutionOperator _convolution = null!;
    private DeviceMemory _x, _w, _b, _y, _workspace;

    public static IEnumerable<string> Layers => SeedLayers.Convolutions.Keys;

    [ParamsSource(nameof(Layers))]
    public string Layer { get; set; } = "";

    [Benchmark]
    public void Forward()
    {
        _convolution.Forward(_x, _w, _b, _y, _workspace);
        Stream.Synchronize();
    }

    [Benchmark]
    public void BackwardData()
    {
        _convolution.BackwardData(_w, _y, _x, _workspace);
        Stream.Synchronize();
    }

    [Benchmark]
    public void BackwardFilter()
    {
        _convolution.BackwardFilter(_x, _y, _w, _workspace);
        Stream.Synchronize();
    }

    private protected override void Prepare()
    {
        ConvolutionShape shape = SeedLayers.Convolutions[Layer];
        _convolution = Own(ConvolutionOperator.Create(Stream, shape, Activation.Relu));
        (_x, _w, _b, _y) = (Floats(shape.Input.Count), Floats(shape.FilterCount), Floats(shape.K), Floats(shape.Output.Count));
        _workspace = Bytes(Math.Max(
            Math.Max(_convolution.ForwardWorkspaceBytes, _convolution.BackwardDataWorkspaceBytes), _convolution.BackwardFilterWorkspaceBytes));
    }
}
