using BenchmarkDotNet.Attributes;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>From the data set to the network's input: an epoch's order, a step's indices, and a batch out of them.</summary>
public class DataBenchmarks : DeviceBenchmark
{
    private const int Batch = 128;
    private const int ImageSize = 224;

    private readonly int[] _order = new int[60_000];
    private StepInput _input = null!;
    private ImageInput _images = null!;
    private DeviceDataset _dataset = null!;
    private DeviceMemory _batch;

    [Benchmark]
    public void ShuffleEpoch() => new EpochOrder(0, 1).Fill(_order);

    [Benchmark]
    public void SendIndices()
    {
        _input.Send(new StepState(NetworkStep.LearningRate, 0), _order.AsSpan(0, Batch));
        Stream.Synchronize();
    }

    [Benchmark]
    public void MakeBatch()
    {
        _images.Forward(_dataset.Images, _input.Indices, _batch);
        Stream.Synchronize();
    }

    private protected override void Prepare()
    {
        var shape = new TensorShape(Batch, 1, ImageSize, ImageSize);
        _input = Own(new StepInput(Stream, Batch));
        _dataset = Own(new DeviceDataset(Device, SyntheticData.Images(_order.Length, 28)));
        _images = Own(new ImageInput(Stream, _dataset.Shape, shape, Normalization.None(1)));
        _batch = Floats(shape.Count);
        ShuffleEpoch();
        SendIndices();
    }
}
