namespace NinCudnn.Interop;

/// <summary>What this machine offers: one entry per provider.</summary>
/// <param name="Providers">CUDA first, then the host provider.</param>
public sealed record ProviderReport(IReadOnlyList<ProviderStatus> Providers);

/// <summary>Whether a provider can be used here, and what belongs to it.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="Problems">One line for each thing that stands in the way; empty when the provider is usable.</param>
/// <param name="Libraries">The libraries that were found, also of an unusable provider.</param>
/// <param name="Devices">The devices that the driver reports.</param>
public sealed record ProviderStatus(
    NativeProvider Provider,
    IReadOnlyList<string> Problems,
    IReadOnlyList<LoadedLibrary> Libraries,
    IReadOnlyList<DeviceInfo> Devices)
{
    /// <summary>Every path and name that was tried for the libraries that are missing, in order.</summary>
    public IReadOnlyList<LoadAttempt> Attempts { get; init; } = [];

    /// <summary>Whether a program can run on this provider.</summary>
    public bool IsUsable => Problems.Count == 0;
}

/// <summary>A device as its driver describes it.</summary>
/// <param name="Ordinal">Its number, from 0.</param>
/// <param name="Name">Its name.</param>
/// <param name="TotalMemoryBytes">The size of its memory in bytes.</param>
/// <param name="ComputeCapability">Its compute capability, as major.minor.</param>
public sealed record DeviceInfo(int Ordinal, string Name, ulong TotalMemoryBytes, Version ComputeCapability);
