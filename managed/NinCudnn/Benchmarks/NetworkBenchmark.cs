using System.Collections.Immutable;
using System.Diagnostics;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Numerics;
using NinCudnn.Operators;
using NinCudnn.Training;

namespace NinCudnn.Benchmarks;

/// <summary>What is measured, and how often.</summary>
public sealed record BenchmarkOptions
{
    /// <summary>Samples in a step.</summary>
    public int Batch { get; init; } = 128;

    /// <summary>Height and width of the network's input.</summary>
    public int ImageSize { get; init; } = 224;

    /// <summary>Whether a forward pass is measured in place of a training step.</summary>
    public bool Inference { get; init; }

    /// <summary>Runs before anything is measured.</summary>
    public int WarmUp { get; init; } = 2;

    /// <summary>Measured runs.</summary>
    public int Repetitions { get; init; } = 5;

    /// <summary>What the network computes in.</summary>
    public Precision Precision { get; init; }

    /// <summary>How it is carried out.</summary>
    public ExecutionSettings Execution { get; init; } = new();

    /// <summary>Types and limits of the operators.</summary>
    public OperatorOptions Operators => Execution.Operators(Precision);

    /// <summary>Refuses values that measure nothing.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public void Validate()
    {
        if (Batch < 1 || ImageSize < 1 || Repetitions < 1 || WarmUp < 0)
            throw new ArgumentException("batch, image size and repetitions must be at least 1, warm-up runs at least 0");
    }
}

/// <summary>A step of the plan and the time it takes on the device.</summary>
/// <param name="Step">The step.</param>
/// <param name="Time">Device time.</param>
public sealed record StepTiming(PlanStep Step, Timing Time)
{
    /// <summary>Floating-point operations: a multiplication with addition counts as two.</summary>
    public double Flops => 2.0 * Step.MultiplyAdds;
}

/// <summary>Times of a whole run of the plan.</summary>
/// <param name="Replayed">Device time as one graph launch.</param>
/// <param name="EnqueueReplayed">Host time to queue it as one graph launch.</param>
/// <param name="EnqueueEager">Host time to queue it call by call; null where that was not measured.</param>
public sealed record RunTiming(Timing Replayed, Timing EnqueueReplayed, Timing? EnqueueEager);

/// <summary>Measures a network's plan on a device with synthetic data. Owns device memory; one thread at a time may use it.</summary>
public sealed class NetworkBenchmark : IDisposable
{
    private const int StoredSize = 28; // as Fashion-MNIST's images
    private const int MaxStoredImages = 1024;

    private readonly BenchmarkOptions _options;
    private readonly DeviceStream _stream;
    private readonly DeviceArena _arena;
    private readonly ParameterStore _parameters;
    private readonly DeviceDataset _dataset;
    private readonly StepInput _stepInput;
    private readonly RunningLoss _loss;
    private readonly DeviceBuffer<LossScalerState> _lossScaler;
    private readonly ExecutionPlan _plan;
    private readonly int[] _indices;

    /// <summary>Compiles the plan.</summary>
    /// <exception cref="ArgumentException">Options or architecture do not fit together.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public NetworkBenchmark(Device device, Architecture architecture, BenchmarkOptions options)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(architecture);
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        try
        {
            _stream = device.CreateStream();
            _arena = new DeviceArena(device);
            _parameters = new ParameterStore(device, architecture, options.Precision);
            _parameters.Initialize(Initialization.He, seed: 0);
            ImageDataset images = Images(architecture, Math.Min(options.Batch, MaxStoredImages));
            _dataset = new DeviceDataset(device, images);
            _indices = [.. Enumerable.Range(0, options.Batch).Select(i => i % images.Count)];
            _stepInput = new StepInput(_stream, options.Batch);
            _loss = new RunningLoss(_stream);
            _loss.Reset();
            _lossScaler = device.Allocate<LossScalerState>(1);
            _lossScaler.Upload([LossScalerState.Initial(options.Precision.DataType())]);
            var planOptions = new PlanOptions
            {
                Batch = options.Batch,
                Height = options.ImageSize,
                Width = options.ImageSize,
                Mode = options.Inference ? PlanMode.Evaluation : PlanMode.Training,
                Operators = options.Operators,
            };
            var resources = new PlanResources(_stream, _parameters, _stepInput, _loss, _arena, _dataset.Labels, _dataset)
            {
                LossScaler = _lossScaler.Memory,
                Tuner = options.Execution.CreateTuner(_stream),
            };
            _plan = ExecutionPlan.Compile(architecture, planOptions, resources);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The plan's steps.</summary>
    public ImmutableArray<PlanStep> Steps => _plan.Steps;

    /// <summary>Device memory that the plan's tensors take.</summary>
    public long ArenaBytes => _plan.ArenaBytes;

    /// <summary>Measures what the device can do.</summary>
    public DevicePeaks MeasurePeaks() => DevicePeaks.Measure(_stream, _options.Operators);

    /// <summary>Times every step within whole runs, call by call, with events in between.</summary>
    public ImmutableArray<StepTiming> MeasureSteps()
    {
        DeviceEvent[] marks = ResourceArray.Create(Steps.Length + 1, () => new DeviceEvent(_stream.Device, timing: true));
        try
        {
            var times = new TimeSpan[Steps.Length][];
            for (int i = 0; i < times.Length; i++)
                times[i] = new TimeSpan[_options.Repetitions];
            for (int run = -_options.WarmUp; run < _options.Repetitions; run++)
            {
                SendInput();
                marks[0].Record(_stream);
                for (int i = 0; i < Steps.Length; i++)
                {
                    Steps[i].Enqueue();
                    marks[i + 1].Record(_stream);
                }
                _stream.Synchronize();
                for (int i = 0; i < times.Length && run >= 0; i++)
                    times[i][run] = marks[i + 1].ElapsedSince(marks[i]);
            }
            return [.. Steps.Select((step, i) => new StepTiming(step, Timing.Of(times[i])))];
        }
        finally
        {
            foreach (DeviceEvent mark in marks)
                mark.Dispose();
        }
    }

    /// <summary>Times whole runs, replayed, each queued when the device is idle.</summary>
    /// <param name="eager">Whether queueing call by call is timed as well.</param>
    public RunTiming MeasureRuns(bool eager)
    {
        using DeviceEvent start = new(_stream.Device, timing: true), end = new(_stream.Device, timing: true);
        for (int i = 0; i < Math.Max(_options.WarmUp, 1); i++) // the first run captures
            Run();
        List<TimeSpan> device = [], replayed = [], called = [];
        for (int i = 0; i < _options.Repetitions; i++)
        {
            replayed.Add(Run());
            device.Add(end.ElapsedSince(start));
        }
        for (int i = 0; eager && i < _options.Repetitions; i++)
        {
            SendInput();
            _stream.Synchronize();
            long begin = Stopwatch.GetTimestamp();
            foreach (PlanStep step in Steps)
                step.Enqueue();
            called.Add(Stopwatch.GetElapsedTime(begin));
            _stream.Synchronize();
        }
        return new RunTiming(Timing.Of(device), Timing.Of(replayed), eager ? Timing.Of(called) : null);

        TimeSpan Run()
        {
            SendInput();
            start.Record(_stream);
            _stream.Synchronize();
            long begin = Stopwatch.GetTimestamp();
            _plan.Run();
            TimeSpan time = Stopwatch.GetElapsedTime(begin);
            end.Record(_stream);
            _stream.Synchronize();
            return time;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        _plan?.Dispose();
        _lossScaler?.Dispose();
        _loss?.Dispose();
        _stepInput?.Dispose();
        _dataset?.Dispose();
        _parameters?.Dispose();
        _arena?.Dispose();
        _stream?.Dispose();
    }

    private void SendInput() => _stepInput.Send(new StepState(1e-3f, 0), _indices);

    private static ImageDataset Images(Architecture architecture, int count)
    {
        var random = new SplitMix64(1);
        byte[] images = new byte[(long)count * StoredSize * StoredSize * architecture.InputChannels];
        var labels = new ushort[count];
        for (int i = 0; i < images.Length; i++)
            images[i] = (byte)random.NextUInt64();
        for (int i = 0; i < count; i++)
            labels[i] = (ushort)(random.NextUInt64() % (ulong)architecture.Classes);
        return new ImageDataset(
            "synthetic", images, labels, StoredSize, StoredSize, architecture.InputChannels,
            [.. Enumerable.Range(0, architecture.Classes).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))]);
    }
}
