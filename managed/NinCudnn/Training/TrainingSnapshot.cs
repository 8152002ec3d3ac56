using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// A copy, in pinned memory, of all that a run has on the device. It is taken in the order of the stream, so that nothing waits for it, and read
/// when it has come. Owns pinned memory.
/// </summary>
internal sealed class TrainingSnapshot : IDisposable
{
    private readonly DeviceStream _stream;
    private readonly ParameterStore _store;
    private readonly List<(DeviceMemory Source, PinnedBuffer<float> Copy)> _tensors = [];
    private readonly PinnedBuffer<float> _parameters;
    private readonly PinnedBuffer<float>? _momentum;
    private readonly PinnedBuffer<float>? _average;
    private readonly StepWatch _watch;
    private readonly PinnedBuffer<double> _sums;
    private readonly PinnedBuffer<LossScalerState> _scaler;
    private readonly DeviceEvent _copied;

    /// <param name="stream">The stream that the run's work is queued on.</param>
    /// <param name="parameters">The parameters that are trained.</param>
    /// <param name="hasMomentum">Whether their momentum buffers are used.</param>
    /// <param name="average">Their moving average; null if there is none.</param>
    /// <param name="watch">The sums of the epoch at hand, and the loss scale's state.</param>
    public TrainingSnapshot(DeviceStream stream, ParameterStore parameters, bool hasMomentum, ParameterStore? average, StepWatch watch)
    {
        _stream = stream;
        _store = parameters;
        _watch = watch;
        try
        {
            _copied = new DeviceEvent(stream.Device);
            _parameters = Room(parameters.Values);
            _momentum = hasMomentum ? Room(parameters.Momentum) : null;
            _average = average is null ? null : Room(average.Values);
            _sums = stream.Device.AllocatePinned<double>(RunningLoss.SumCount);
            _scaler = stream.Device.AllocatePinned<LossScalerState>(1);
        }
        catch
        {
            Dispose();
            throw;
        }

        PinnedBuffer<float> Room(DeviceMemory source)
        {
            PinnedBuffer<float> copy = stream.Device.AllocatePinned<float>(checked((int)parameters.FlatCount));
            _tensors.Add((source, copy));
            return copy;
        }
    }

    /// <summary>Queues the copy of what is there behind the work queued so far. What the one before held must have been read.</summary>
    public void Take()
    {
        foreach (var (source, copy) in _tensors)
            _stream.Copy(source, copy, copy.Length);
        _stream.Copy(_watch.Loss.Sums, _sums, _sums.Length);
        _stream.Copy(_watch.Scaler, _scaler, _scaler.Length);
        _copied.Record(_stream);
    }

    /// <summary>Waits for the copy. May be called on another thread than <see cref="Take"/>.</summary>
    /// <exception cref="Interop.CudaException">Work before it failed.</exception>
    public void Wait() => _copied.Synchronize();

    public LossSummary Loss => RunningLoss.Summarize(_sums.Span);

    public LossScalerState LossScaler => _scaler.Span[0];

    public Dictionary<string, float[]> Parameters => _store.ByName(_parameters.Span);

    public Dictionary<string, float[]>? Momentum => _momentum is null ? null : _store.ByName(_momentum.Span);

    public Dictionary<string, float[]>? Average => _average is null ? null : _store.ByName(_average.Span);

    public void Dispose()
    {
        // Not all are there if the constructor failed.
        if (_copied is { IsDisposed: false })
            _copied.SynchronizeForRelease(); // the device may still be writing
        _copied?.Dispose();
        _tensors.ForEach(tensor => tensor.Copy.Dispose());
        _sums?.Dispose();
        _scaler?.Dispose();
    }
}
