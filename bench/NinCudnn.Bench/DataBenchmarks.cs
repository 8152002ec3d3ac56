using BenchmarkDotNet.Attributes;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Bench;

/// <summary>
/// From the data set to the network's input: an epoch's order, a step's indices, and a batch out of them; and the batches of a pass, one after
/// the other, of images that lie on the device or stream from host memory.
/// </summary>
public class DataBenchmarks : DeviceBenchmark
{
    private const int Batch = 128;
    private const int ImageSize = 224;
    private const int PassBatches = 64;

    private readonly int[] _order = new int[60_000];
    private StepInput _input = null!;
    private ImageInput _images = null!;
    private DeviceDataset _dataset = null!;
    private DeviceMemory _batch;
    private BatchSource _resident = null!;
    private BatchSource _streamed = null!;
    private ImageInput _residentImages = null!;
    private ImageInput _streamedImages = null!;

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

    [Benchmark(OperationsPerInvoke = PassBatches)]
    public void ResidentBatch() => Pass(_resident, _residentImages);

    [Benchmark(OperationsPerInvoke = PassBatches)]
    public void StreamedBatch() => Pass(_streamed, _streamedImages);

    private protected override void Prepare()
    {
        var shape = new TensorShape(Batch, 1, ImageSize, ImageSize);
        _input = Own(new StepInput(Stream, Batch));
        _dataset = Own(new DeviceDataset(Device, SyntheticData.Images(_order.Length, 28)));
        _images = Own(new ImageInput(Stream, _dataset.Shape, shape, Normalization.None(1)));
        _batch = Floats(shape.Count);
        ShuffleEpoch();
        SendIndices();

        ImageDataset images = SyntheticData.Images(Batch * PassBatches, 28);
        _resident = Own(BatchSource.Create(DataPlacement.Resident, Stream, _input, images, Batch));
        _streamed = Own(BatchSource.Create(DataPlacement.Stream, Stream, _input, images, Batch));
        _residentImages = Own(new ImageInput(Stream, _resident.Images.Shape, shape, Normalization.None(1)));
        _streamedImages = Own(new ImageInput(Stream, _streamed.Images.Shape, shape, Normalization.None(1)));
    }

    private void Pass(BatchSource source, ImageInput images)
    {
        source.Begin(new EpochOrder(0, 1), first: 0);
        for (int i = 0; i < source.BatchCount; i++)
        {
            source.Send(new StepState(NetworkStep.LearningRate, i), i);
            images.Forward(source.Images.Images, _input.Indices, _batch);
        }
        Stream.Synchronize();
    }
}
