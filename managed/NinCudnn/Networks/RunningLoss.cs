using NinCudnn.Devices;

namespace NinCudnn.Networks;

/// <summary>Loss and accuracy over a number of samples.</summary>
/// <param name="LossSum">Sum of the samples' losses.</param>
/// <param name="Correct">Samples whose largest logit is the label's.</param>
/// <param name="Samples">Samples.</param>
public readonly record struct LossSummary(double LossSum, long Correct, long Samples)
{
    /// <summary>Mean loss per sample.</summary>
    public double Loss => LossSum / Samples;

    /// <summary>Share of correct answers, 0 to 1.</summary>
    public double Accuracy => (double)Correct / Samples;
}

/// <summary>
/// Sums of loss and correct answers that stay on the device and are read back without stopping it. Owns device and pinned
/// memory.
/// </summary>
public sealed class RunningLoss : IDisposable
{
    internal const int SumCount = 3;

    private readonly DeviceStream _stream;
    private readonly DeviceBuffer<double> _sums;
    private readonly PinnedBuffer<double> _copy;
    private readonly DeviceEvent _copied;

    /// <summary>Makes the sums; call <see cref="Reset"/> before use.</summary>
    public RunningLoss(DeviceStream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        try
        {
            _sums = stream.Device.Allocate<double>(SumCount);
            _copy = stream.Device.AllocatePinned<double>(SumCount);
            _copied = new DeviceEvent(stream.Device);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The sums on the device: loss, correct answers, samples, in float64.</summary>
    public DeviceMemory Sums => _sums.Memory;

    /// <summary>Queues setting the sums to zero.</summary>
    public void Reset() => _stream.Clear(_sums);

    /// <summary>Sets the sums; no work that uses them may be queued.</summary>
    public void Set(in LossSummary sums) => _sums.Upload([sums.LossSum, sums.Correct, sums.Samples]);

    /// <summary>Queues a copy of the sums as they are behind the work queued so far.</summary>
    public void BeginRead()
    {
        _stream.Copy(_sums.Memory, _copy, SumCount);
        _copied.Record(_stream);
    }

    /// <summary>Whether the copy that <see cref="BeginRead"/> queued has arrived.</summary>
    public bool IsRead => _copied.IsReached;

    /// <summary>Waits for the copy and returns it.</summary>
    /// <exception cref="Interop.CudaException">Work before it failed.</exception>
    public LossSummary EndRead()
    {
        _copied.Synchronize();
        return Summarize(_copy.Span);
    }

    /// <summary>What the sums say.</summary>
    internal static LossSummary Summarize(ReadOnlySpan<double> sums) => new(sums[0], (long)sums[1], (long)sums[2]);

    /// <inheritdoc/>
    public void Dispose()
    {
        // Not all are there if the constructor failed.
        if (_copied is { IsDisposed: false })
            _copied.SynchronizeForRelease(); // the device may still be writing the copy
        _copied?.Dispose();
        _copy?.Dispose();
        _sums?.Dispose();
    }
}
