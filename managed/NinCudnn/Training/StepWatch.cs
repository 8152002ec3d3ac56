using System.Globalization;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// What the device keeps of a run's steps besides the parameters: the sums of the epoch's loss, and which steps were not finite. Read back
/// without stopping it. Owns device and pinned memory.
/// </summary>
internal sealed class StepWatch : IDisposable
{
    private readonly DeviceStream _stream;
    private readonly DeviceBuffer<LossScalerState> _scaler;
    private readonly PinnedBuffer<LossScalerState> _copy;

    public StepWatch(DeviceStream stream, DataType type)
    {
        _stream = stream;
        try
        {
            Loss = new RunningLoss(stream);
            _scaler = stream.Device.Allocate<LossScalerState>(1);
            _copy = stream.Device.AllocatePinned<LossScalerState>(1);
            Set(LossScalerState.Initial(type));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The sums of the epoch at hand.</summary>
    public RunningLoss Loss { get; }

    /// <summary>The <see cref="LossScalerState"/> on the device.</summary>
    public DeviceMemory Scaler => _scaler.Memory;

    /// <summary>Sets the state; no work that uses it may be queued.</summary>
    public void Set(in LossScalerState state) => _scaler.Upload([state]);

    /// <summary>Queues a copy of what is there behind the work queued so far.</summary>
    public void BeginRead()
    {
        _stream.Copy(_scaler.Memory, _copy, _copy.Length);
        Loss.BeginRead(); // its event is behind both
    }

    /// <summary>Waits for the copy and returns it.</summary>
    /// <exception cref="Interop.CudaException">Work before it failed.</exception>
    public (LossSummary Loss, LossScalerState Scaler) EndRead() => (Loss.EndRead(), _copy.Span[0]);

    /// <summary>Waits for the work queued so far, and returns what is there.</summary>
    /// <exception cref="Interop.CudaException">Work before it failed.</exception>
    public (LossSummary Loss, LossScalerState Scaler) Read()
    {
        BeginRead();
        return EndRead();
    }

    /// <summary>Whether the run is to end because of steps that were not finite.</summary>
    /// <param name="state">What the device had.</param>
    /// <param name="action">What the run does about them.</param>
    /// <param name="steps">Steps done when it had it.</param>
    /// <param name="stepsPerEpoch">Steps in an epoch.</param>
    /// <param name="lastCheckpoint">Finds the path of the last checkpoint; null if there is none.</param>
    /// <exception cref="TrainingDivergedException">It is.</exception>
    public static void Check(in LossScalerState state, NonFiniteAction action, long steps, int stepsPerEpoch, Func<string?> lastCheckpoint)
    {
        if (state.FirstFound == NonFinite.None)
            return;
        if (action == NonFiniteAction.Stop)
        {
            string what = state.FirstFound switch
            {
                NonFinite.Loss => "the loss of step",
                NonFinite.Gradient => "a gradient of step",
                _ => "the loss, and with it a gradient, of step",
            };
            Throw(what, state.FirstStep, "is not finite", lastCheckpoint);
        }
        if (state.SkippedInARow >= Trainer.MaxSkippedInARow)
        {
            Throw(
                "loss or gradients of step", steps - state.SkippedInARow,
                string.Create(CultureInfo.InvariantCulture, $"and of the {state.SkippedInARow - 1} steps behind it are not finite"), lastCheckpoint);
        }

        void Throw(string what, long step, string how, Func<string?> lastCheckpoint)
        {
            int epoch = (int)(step / stepsPerEpoch) + 1;
            throw new TrainingDivergedException(
                string.Create(CultureInfo.InvariantCulture, $"{what} {step + 1} (epoch {epoch}) {how}"), epoch, step + 1, lastCheckpoint());
        }
    }

    public void Dispose()
    {
        // Not all are there if the constructor failed.
        Loss?.Dispose(); // waits for the copies
        _copy?.Dispose();
        _scaler?.Dispose();
    }
}
