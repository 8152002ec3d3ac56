using System.Diagnostics;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Diagnostics;

/// <summary>
/// Finds out whether an installation works: libraries, memory, every operator in every element type against plain loops, and
/// a short training run. Takes seconds; needs no data.
/// </summary>
public static class Diagnosis
{
    /// <summary>Runs all checks. A check that fails does not stop the others, unless it loses the device.</summary>
    /// <param name="request">The device.</param>
    /// <param name="observer">Is told each result as it comes.</param>
    public static DiagnosticReport Run(DeviceRequest request, Action<CheckResult>? observer = null)
    {
        ArgumentNullException.ThrowIfNull(request);
        long start = Stopwatch.GetTimestamp();
        var runner = new CheckRunner(observer);
        Device? device = null;
        DeviceStream? stream = null;
        long freeBytes = 0;
        try
        {
            runner.Run(
                new Check(InstallationChecks.Group, "provider", null, InstallationChecks.ProviderAdvice, _ =>
                {
                    device = Device.Open(request);
                    stream = device.CreateStream();
                    freeBytes = device.FreeBytes;
                    return device.Selection.Reason;
                }),
                () => null);
            if (device is null || stream is null)
            {
                runner.Run(InstallationChecks.UnusedLibraries(null), () => null);
                return new DiagnosticReport(null, null, 0, runner.Results, Stopwatch.GetElapsedTime(start));
            }
            foreach (Check check in Checks(device.Selection))
                runner.Run(check, () => new CheckContext(stream));
            var info = new DeviceInfo(device.Selection.Ordinal, device.Name, (ulong)device.TotalBytes, device.ComputeCapability);
            return new DiagnosticReport(device.Selection, info, freeBytes, runner.Results, Stopwatch.GetElapsedTime(start));
        }
        finally
        {
            stream?.Dispose();
            device?.Dispose();
        }
    }

    /// <summary>All checks for an open device.</summary>
    internal static IEnumerable<Check> Checks(ProviderSelection selection) =>
        [.. InstallationChecks.Create(selection), .. MemoryChecks.Create(), .. OperatorChecks.Create(), .. PlanChecks.Create()];
}
