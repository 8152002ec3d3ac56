using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>
/// The libraries behind the declarations of <see cref="Cuda"/>, <see cref="Cudnn"/>, <see cref="Cublas"/> and
/// <see cref="CublasLt"/>. A process has one provider, chosen by the first <see cref="Select"/> or, failing that, by the first
/// native call as for <see cref="DeviceRequest.Auto"/>; from then on it is fixed.
/// </summary>
public static class NativeLibraries
{
    // The one piece of process-wide state of this assembly: the runtime binds each declaration once per process.
    private static readonly ProviderSelector _process = new(provider =>
        ProviderProbe.Run(provider, new LibrarySearch(SearchEnvironment.OfProcess()), whole: false));

    /// <summary>The choice so far; <see langword="null"/> before the first.</summary>
    public static ProviderSelection? Current => _process.Current;

    /// <summary>
    /// Chooses the provider. <c>auto</c> takes CUDA if its driver loads and has a device and cuBLASLt, cuBLAS and cuDNN load, else
    /// the host provider, and says which and why. Later calls may repeat the request or name another device of the same provider.
    /// </summary>
    /// <exception cref="NativeLibraryException">
    /// What was asked for can't be had. The message lists every path and name tried. Nothing is chosen then.
    /// </exception>
    /// <exception cref="InvalidOperationException">The process already uses the other provider.</exception>
    public static ProviderSelection Select(DeviceRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return _process.Select(request);
    }

    /// <summary>
    /// Looks up a function that some version of a library lacks. Chooses as for <see cref="DeviceRequest.Auto"/> if nothing is
    /// chosen yet.
    /// </summary>
    /// <param name="library">The logical name, one of <see cref="NativeLibraryNames"/>.</param>
    /// <param name="symbol">The exported name.</param>
    /// <param name="address">The function's address, or 0.</param>
    public static bool TryGetExport(string library, string symbol, out nint address) =>
        NativeLibrary.TryGetExport(Handle(library), symbol, out address);

    /// <summary>Looks at every provider and device of this machine without choosing one.</summary>
    public static ProviderReport Probe()
    {
        var search = new LibrarySearch(SearchEnvironment.OfProcess());
        return new([.. Enum.GetValues<NativeProvider>().Select(provider => ToStatus(ProviderProbe.Run(provider, search, whole: true)))]);
    }

    private static ProviderStatus ToStatus(ProviderProbe probe) =>
        new(probe.Provider, [.. probe.Failures.Select(failure => failure.Summary).Distinct()], probe.Libraries, probe.Devices)
        {
            Attempts = [.. probe.Failures.SelectMany(failure => failure.Attempts).Distinct()],
        };

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Must be there before the first declaration is bound.")]
    internal static void InstallResolver() =>
        NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, static (library, _, _) => Handle(library));

    private static nint Handle(string library) => NativeLibraryNames.All.Contains(library)
        ? _process.Handle(library)
        : throw new ArgumentException($"\"{library}\" is none of {string.Join(", ", NativeLibraryNames.All)}.", nameof(library));
}
