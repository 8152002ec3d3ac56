using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Bench;

/// <summary>A compiled training step with all that it needs. Owns device memory; one thread at a time may use it.</summary>
internal sealed class NetworkStep : IDisposable
{
    public const float LearningRate = 0.001f;

    private readonly DeviceStream _stream;
    private readonly DeviceArena _arena;
    private readonly DeviceDataset _dataset;
    private readonly StepInput _input;
    private readonly RunningLoss _loss;
    private readonly ExecutionPlan _plan;
    private readonly int[] _indices;
    private long _step;

    public NetworkStep(Device device, Architecture architecture, ImageDataset images, int batch, int imageSize)
    {
        _stream = device.CreateStream();
        _arena = new DeviceArena(device);
        Parameters = new ParameterStore(device, architecture);
        Parameters.Initialize(Initialization.He, seed: 0);
        _dataset = new DeviceDataset(device, images);
        _indices = [.. Enumerable.Range(0, batch).Select(i => i % images.Count)];
        _input = new StepInput(_stream, batch);
        _loss = new RunningLoss(_stream);
        _plan = ExecutionPlan.Compile(
            architecture, new PlanOptions { Batch = batch, Height = imageSize, Width = imageSize },
            new PlanResources(_stream, Parameters, _input, _loss, _arena, _dataset.Labels, _dataset));
        _loss.Reset();
    }

    public ParameterStore Parameters { get; }

    /// <summary>What <see cref="Send"/> copies to the device: the step's state and indices.</summary>
    public long BytesSent => _input.State.Bytes + _input.Indices.Bytes;

    public void Send() => _input.Send(new StepState(LearningRate, _step++), _indices);

    /// <summary>Queues the step as one graph launch, from the second time on.</summary>
    public void Run() => _plan.Run();

    /// <summary>Queues the step call by call.</summary>
    public void RunEager()
    {
        foreach (PlanStep step in _plan.Steps)
            step.Enqueue();
    }

    public void Synchronize() => _stream.Synchronize();

    /// <summary>Mean loss of all samples since the last call.</summary>
    public double TakeLoss()
    {
        _loss.BeginRead();
        double loss = _loss.EndRead().Loss;
        _loss.Reset();
        return loss;
    }

    public void Dispose()
    {
        _plan.Dispose();
        _loss.Dispose();
        _input.Dispose();
        _dataset.Dispose();
        Parameters.Dispose();
        _arena.Dispose();
        _stream.Dispose();
    }
}
