using NinCudnn.Interop;

namespace NinCudnn.Diagnostics;

/// <summary>What a <see cref="Diagnosis"/> found.</summary>
/// <param name="Selection">The provider and its libraries; null when none could be had.</param>
/// <param name="Device">The device as its driver describes it; null when none could be opened.</param>
/// <param name="FreeBytes">Free device memory when the diagnosis began.</param>
/// <param name="Checks">Every check, in the order of running.</param>
/// <param name="Elapsed">How long all of it took.</param>
public sealed record DiagnosticReport(
    ProviderSelection? Selection, DeviceInfo? Device, long FreeBytes, IReadOnlyList<CheckResult> Checks, TimeSpan Elapsed)
{
    /// <summary>Whether no check failed.</summary>
    public bool IsHealthy => Count(CheckStatus.Failed) == 0;

    /// <summary>The checks that ended so.</summary>
    public int Count(CheckStatus status) => Checks.Count(check => check.Status == status);
}
