using BenchmarkDotNet.Attributes;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>Softmax with cross-entropy and its gradient, and the running sums.</summary>
public class LossBenchmarks : DeviceBenchmark
{
    private const int Batch = 128;

    private SoftmaxCrossEntropy _loss = null!;
    private StepInput _input = null!;
    private DeviceMemory _logits, _gradient, _labels, _sampleLoss, _sampleCorrect, _sums;

    [Benchmark]
    public void LossAndGradient()
    {
        _loss.Run(_logits, _labels, _input.Indices, _input.State, _sampleLoss, _sampleCorrect, _gradient);
        Stream.Synchronize();
    }

    [Benchmark]
    public void Accumulate()
    {
        _loss.Accumulate(_sampleLoss, _sampleCorrect, _sums);
        Stream.Synchronize();
    }

    private protected override void Prepare()
    {
        _loss = new SoftmaxCrossEntropy(Stream, Batch, SyntheticData.Classes);
        _input = Own(new StepInput(Stream, Batch));
        _input.Send(new StepState(NetworkStep.LearningRate, 0), [.. Enumerable.Range(0, Batch)]);
        (_logits, _gradient) = (Floats(Batch * SyntheticData.Classes), Floats(Batch * SyntheticData.Classes));
        DeviceBuffer<int> labels = Own(Device.Allocate<int>(Batch));
        labels.Upload([.. Enumerable.Range(0, Batch).Select(i => i % SyntheticData.Classes)]);
        (_labels, _sampleLoss, _sampleCorrect) = (labels.Memory, Floats(Batch), Bytes(Batch));
        _sums = Bytes(3 * sizeof(double));
        Stream.Clear(_sums);
        LossAndGradient();
    }
}
