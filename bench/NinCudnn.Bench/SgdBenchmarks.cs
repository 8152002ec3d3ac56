using BenchmarkDotNet.Attributes;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>The optimiser's step over all parameters of the seed network.</summary>
public class SgdBenchmarks : DeviceBenchmark
{
    private SgdStep _sgd = null!;
    private StepInput _input = null!;
    private DeviceMemory _gradient, _parameter, _buffer;

    [Params(0, 0.9)]
    public double Momentum { get; set; }

    [Benchmark]
    public void Step()
    {
        _sgd.Run(_gradient, _input.State, _parameter, _buffer);
        Stream.Synchronize();
    }

    private protected override void Prepare()
    {
        var last = Parameter.Enumerate(Architecture.Seed())[^1];
        long count = last.Offset + last.Count;
        _sgd = new SgdStep(Stream, count, new SgdSettings(Momentum));
        _input = Own(new StepInput(Stream, 1));
        _input.Send(new StepState(learningRate: 0, step: 0), [0]); // a rate of 0 keeps the numbers finite, however often it is repeated
        (_gradient, _parameter, _buffer) = (Floats(count), Floats(count), Floats(count));
    }
}
