using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>
/// One provider's libraries, opened by full path or soname and asked a few questions through function pointers. Nothing is
/// bound to the declarations by it, so a probe of one provider leaves the choice of the other open.
/// </summary>
internal sealed class ProviderProbe
{
    private readonly Dictionary<string, nint> _handles = [];
    private readonly List<LoadedLibrary> _libraries = [];
    private readonly List<DeviceInfo> _devices = [];
    private readonly List<NativeLibraryException> _failures = [];

    private ProviderProbe(NativeProvider provider) => Provider = provider;

    /// <summary>A probe with a known outcome, for tests of what is built upon it.</summary>
    internal ProviderProbe(
        NativeProvider provider,
        IReadOnlyList<DeviceInfo> devices,
        IReadOnlyList<LoadedLibrary> libraries,
        params NativeLibraryException[] failures)
        : this(provider)
    {
        _devices.AddRange(devices);
        _libraries.AddRange(libraries);
        _failures.AddRange(failures);
    }

    public NativeProvider Provider { get; }

    /// <summary>The libraries that were found.</summary>
    public IReadOnlyList<LoadedLibrary> Libraries => _libraries;

    /// <summary>The devices that the driver reports.</summary>
    public IReadOnlyList<DeviceInfo> Devices => _devices;

    /// <summary>What stands in the way, in the order of discovery; empty when the provider is usable.</summary>
    public IReadOnlyList<NativeLibraryException> Failures => _failures;

    /// <summary>The handle of an opened library.</summary>
    /// <param name="library">The logical name.</param>
    public nint Handle(string library) => _handles.GetValueOrDefault(library);

    /// <summary>Opens a provider's libraries.</summary>
    /// <param name="provider">The provider.</param>
    /// <param name="search">Where to look.</param>
    /// <param name="whole">Look at everything, for a report; else stop at the first thing that stands in the way.</param>
    public static ProviderProbe Run(NativeProvider provider, LibrarySearch search, bool whole)
    {
        var probe = new ProviderProbe(provider);
        if (provider == NativeProvider.Host)
            HostThreads.ShortenSpinning();

        // The driver first: its version decides which of the others may be tried.
        int? driverVersion = null;
        foreach (string library in NativeLibraryNames.All)
        {
            if (!whole && probe._failures.Count > 0)
                break;
            var candidates = provider == NativeProvider.Cuda ? search.Cuda(library, driverVersion) : search.Host();
            try
            {
                probe.Open(library, candidates, ref driverVersion);
            }
            catch (NativeLibraryException e)
            {
                probe._failures.Add(e);
            }
        }
        return probe;
    }

    private void Open(string library, IEnumerable<LibraryCandidate> candidates, ref int? driverVersion)
    {
        var attempts = new List<LoadAttempt>();
        if (LibraryLoader.Open(candidates, VersionFunction(library), attempts) is not { } opened)
            throw NativeLibraryException.NotFound(Provider, library, attempts);
        _handles.Add(library, opened.Handle);
        try
        {
            if (library == NativeLibraryNames.Cuda)
            {
                var driver = new DriverExports(opened.Handle);
                driverVersion = driver.Version();
                _libraries.Add(new(library, opened.Path, LibraryVersion.Driver(driverVersion.Value)));
                ListDevices(driver);
            }
            else
            {
                _libraries.Add(new(library, opened.Path, ReadVersion(library, opened.Handle)));
            }
        }
        catch (EntryPointNotFoundException e)
        {
            throw NativeLibraryException.Unusable(Provider, library, opened.Path, e.Message, e);
        }
        catch (NativeException e)
        {
            throw NativeLibraryException.Unusable(Provider, library, opened.Path, e.Message, e);
        }
    }

    private void ListDevices(DriverExports driver)
    {
        driver.Initialise();
        int count = driver.DeviceCount();
        for (int ordinal = 0; ordinal < count; ordinal++)
            _devices.Add(driver.Describe(ordinal));
        if (count == 0)
            throw NativeLibraryException.NoDevice(Provider);
    }

    /// <summary>The function that tells a library's version; every version that we can use has it.</summary>
    internal static string VersionFunction(string library) => library switch
    {
        NativeLibraryNames.Cuda => "cuDriverGetVersion",
        NativeLibraryNames.Cudnn => "cudnnGetVersion",
        NativeLibraryNames.Cublas => "cublasGetVersion_v2",
        NativeLibraryNames.CublasLt => "cublasLtGetVersion",
        _ => throw new ArgumentOutOfRangeException(nameof(library), library, "not a logical library name"),
    };

    private static unsafe string ReadVersion(string library, nint handle)
    {
        nint address = NativeLibrary.GetExport(handle, VersionFunction(library));
        if (library == NativeLibraryNames.Cublas)
        {
            int version;
            // The handle may be null, says the manual.
            var status = ((delegate* unmanaged<cublasHandle_t, int*, cublasStatus_t>)address)(default, &version);
            return status == cublasStatus_t.CUBLAS_STATUS_SUCCESS
                ? LibraryVersion.Cublas((nuint)version)
                : throw new CublasException(status, "cublasGetVersion_v2");
        }
        nuint packed = ((delegate* unmanaged<nuint>)address)();
        return library == NativeLibraryNames.Cudnn ? LibraryVersion.Cudnn(packed) : LibraryVersion.Cublas(packed);
    }
}
