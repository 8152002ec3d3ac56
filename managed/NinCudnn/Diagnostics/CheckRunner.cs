using System.Diagnostics;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Diagnostics;

/// <summary>Runs checks one by one and turns what they throw into results.</summary>
/// <param name="observer">Is told each result.</param>
/// <param name="isDeviceLost">Asked after each failure; null asks the driver.</param>
internal sealed class CheckRunner(Action<CheckResult>? observer = null, Func<bool>? isDeviceLost = null)
{
    private const string AdviceAfterLoss = "If a second run loses the device at the same check, update the driver and report it.";
    private const string AdviceWithoutMemory = "Close other programs that use the device's memory.";

    private readonly Func<bool> _isDeviceLost = isDeviceLost ?? HasStickyError;
    private readonly List<CheckResult> _results = [];
    private string? _lossOfDevice;

    public IReadOnlyList<CheckResult> Results => _results;

    /// <summary>Runs a check, or skips it when an earlier one has lost the device.</summary>
    /// <param name="check">The check.</param>
    /// <param name="open">Makes what it works with; null for a check that works with nothing.</param>
    public CheckResult Run(Check check, Func<CheckContext?> open)
    {
        long start = Stopwatch.GetTimestamp();
        (CheckStatus status, string detail, string? advice) =
            _lossOfDevice is { } loss ? (CheckStatus.Skipped, loss, null) : Outcome(check, open);
        if (status == CheckStatus.Failed && _isDeviceLost())
        {
            _lossOfDevice = $"the device was lost in the check \"{check.Name}\"";
            advice = AdviceAfterLoss;
        }
        var result = new CheckResult(
            check.Group, check.Name, check.DataType, status, Stopwatch.GetElapsedTime(start), detail.ReplaceLineEndings(" "), advice);
        _results.Add(result);
        observer?.Invoke(result);
        return result;
    }

    private static (CheckStatus Status, string Detail, string? Advice) Outcome(Check check, Func<CheckContext?> open)
    {
        try
        {
            using CheckContext? context = open();
            return (CheckStatus.Passed, check.Run(context!), null);
        }
        catch (CheckSkippedException e)
        {
            return (CheckStatus.Skipped, e.Message, null);
        }
        catch (CheckFailedException e)
        {
            return (CheckStatus.Failed, e.Message, check.Advice);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return check.IsOptional ? (CheckStatus.NotSupported, e.Message, null) : (CheckStatus.Failed, e.Message, check.Advice);
        }
        catch (DeviceMemoryException e)
        {
            return (CheckStatus.Failed, e.Message, AdviceWithoutMemory);
        }
        catch (NativeLibraryException e)
        {
            return (CheckStatus.Failed, e.Summary, check.Advice);
        }
        catch (Exception e)
        {
            return (CheckStatus.Failed, $"{e.GetType().Name}: {e.Message}", check.Advice);
        }
    }

    /// <summary>A sticky error comes back from every call, so any call tells, whichever library saw the error first.</summary>
    private static bool HasStickyError()
    {
        if (NativeLibraries.Current is null)
            return false;
        lock (Device.CaptureOrWait)
            return CudaStatus.IsSticky(Cuda.cuCtxSynchronize());
    }

    private static bool IsRefusal(Exception exception) => exception switch
    {
        NotSupportedException => true,
        CudnnException e => CudnnStatus.IsNotSupported(e.Status),
        CublasException e => e.Status == cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED,
        _ => false,
    };
}
