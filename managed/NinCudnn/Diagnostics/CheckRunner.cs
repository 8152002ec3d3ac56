using System.Diagnostics;
using NinCudnn.Interop;

namespace NinCudnn.Diagnostics;

/// <summary>Runs checks one by one and turns what they throw into results.</summary>
/// <param name="observer">Is told each result.</param>
/// <param name="isDeviceLost">Asked after each failure; null asks the driver.</param>
internal sealed class CheckRunner(Action<CheckResult>? observer = null, Func<bool>? isDeviceLost = null)
{
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
        (CheckStatus status, string detail) = _lossOfDevice is { } loss ? (CheckStatus.Skipped, loss) : Outcome(check, open);
        if (status == CheckStatus.Failed && _lossOfDevice is null && _isDeviceLost())
            _lossOfDevice = $"the device was lost in the check \"{check.Name}\"";
        var result = new CheckResult(
            check.Group, check.Name, check.DataType, status, Stopwatch.GetElapsedTime(start), detail.ReplaceLineEndings(" "),
            status == CheckStatus.Failed ? Advice(check) : null);
        _results.Add(result);
        observer?.Invoke(result);
        return result;
    }

    private static (CheckStatus Status, string Detail) Outcome(Check check, Func<CheckContext?> open)
    {
        try
        {
            using CheckContext? context = open();
            return (CheckStatus.Passed, check.Run(context!));
        }
        catch (CheckSkippedException e)
        {
            return (CheckStatus.Skipped, e.Message);
        }
        catch (CheckFailedException e)
        {
            return (CheckStatus.Failed, e.Message);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return (check.IsOptional ? CheckStatus.NotSupported : CheckStatus.Failed, e.Message);
        }
        catch (NativeLibraryException e)
        {
            return (CheckStatus.Failed, e.Summary);
        }
        catch (Exception e)
        {
            return (CheckStatus.Failed, $"{e.GetType().Name}: {e.Message}");
        }
    }

    private string Advice(Check check) => _lossOfDevice is null
        ? check.Advice
        : "Start nothing more in this process; if a second run loses the device at the same check, update the driver and report it.";

    /// <summary>A sticky error comes back from every call, so any call tells, whichever library saw the error first.</summary>
    private static bool HasStickyError() => NativeLibraries.Current is not null && CudaStatus.IsSticky(Cuda.cuCtxSynchronize());

    private static bool IsRefusal(Exception exception) => exception switch
    {
        NotSupportedException => true,
        CudnnException e => CudnnStatus.IsNotSupported(e.Status),
        CublasException e => e.Status == cublasStatus_t.CUBLAS_STATUS_NOT_SUPPORTED,
        _ => false,
    };
}
