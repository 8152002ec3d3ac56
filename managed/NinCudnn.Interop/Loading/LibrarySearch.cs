namespace NinCudnn.Interop;

/// <summary>
/// Where each library is sought and under which names: the whole policy. It opens nothing; see <see cref="LibraryLoader"/>.
/// </summary>
internal sealed class LibrarySearch(SearchEnvironment environment)
{
    private const string SystemLoader = "system loader";

    // Best first. A number in a name is an ABI, so nothing outside this table is ever tried.
    private static readonly LibraryFile[] _files =
    [
        // The driver's ABI number has never changed. A plain libcuda.so is the toolkit's stub for linking, and always fails.
        new(NativeLibraryNames.Cuda, "libcuda.so.1", "nvcuda.dll", CudaMajor: 0),
        // CUDA 13 is the newest; a driver also runs the majors before its own, so 12 is the second choice.
        new(NativeLibraryNames.CublasLt, "libcublasLt.so.13", "cublasLt64_13.dll", CudaMajor: 13),
        new(NativeLibraryNames.CublasLt, "libcublasLt.so.12", "cublasLt64_12.dll", CudaMajor: 12),
        new(NativeLibraryNames.Cublas, "libcublas.so.13", "cublas64_13.dll", CudaMajor: 13),
        new(NativeLibraryNames.Cublas, "libcublas.so.12", "cublas64_12.dll", CudaMajor: 12),
        // Both majors export what we call (CudnnStatus evens out their status numbers). Builds for CUDA 12 and 13 share a name.
        new(NativeLibraryNames.Cudnn, "libcudnn.so.9", "cudnn64_9.dll", CudaMajor: 0),
        new(NativeLibraryNames.Cudnn, "libcudnn.so.8", "cudnn64_8.dll", CudaMajor: 0),
    ];

    /// <summary>The candidates for one of NVIDIA's libraries, best first.</summary>
    /// <param name="library">The logical name.</param>
    /// <param name="driverVersion">What cuDriverGetVersion says (12040 for CUDA 12.4), or null if there is no driver.</param>
    public IEnumerable<LibraryCandidate> Cuda(string library, int? driverVersion) =>
        from place in Places(library)
        from file in _files
        where file.Library == library
        from candidate in Candidates(place, file)
        select candidate.Refusal is null && NeedsNewerDriver(file, driverVersion) is { } refusal
            ? candidate with { Refusal = refusal }
            : candidate;

    /// <summary>The candidates for libnin_host. A path given by the user is the only one: a typing error must not go unnoticed.</summary>
    public IEnumerable<LibraryCandidate> Host()
    {
        const string fileName = "libnin_host.so";
        return environment.HostLibrary is { } path
            ? [FullPath(path, "NIN_HOST_LIBRARY")]
            :
            [
                FullPath(Path.Combine(environment.BaseDirectory, fileName), "program directory"),
                FullPath(Path.Combine(environment.BaseDirectory, "runtimes", "linux-x64", "native", fileName), "program directory"),
                .. environment.PackageDirectories.Select(directory => Path.Combine(directory, fileName)).Where(File.Exists)
                    .Select(path => FullPath(path, "package")),
            ];
    }

    private IEnumerable<Place> Places(string library)
    {
        if (environment.CudaLibraryDirectory is { } own)
            yield return new(own, "NIN_CUDA_LIBRARY_DIR");
        yield return new(null, SystemLoader);
        // The driver comes with the kernel module, never with a toolkit or a wheel.
        if (library == NativeLibraryNames.Cuda)
            yield break;
        foreach (var place in Toolkit(environment.CudaPath, "CUDA_PATH"))
            yield return place;
        foreach (var place in Toolkit(environment.CudaHome == environment.CudaPath ? null : environment.CudaHome, "CUDA_HOME"))
            yield return place;
        foreach (var place in Wheels(environment.VirtualEnvironment, "VIRTUAL_ENV", library))
            yield return place;
        foreach (var place in Wheels(environment.CondaPrefix, "CONDA_PREFIX", library))
            yield return place;
    }

    private IEnumerable<Place> Toolkit(string? root, string origin)
    {
        if (root is null)
            yield break;
        // Windows: bin up to CUDA 12, bin\x64 from 13. Linux: lib64; distributions and Conda use lib.
        string[] directories = environment.IsWindows ? ["bin", "bin/x64"] : ["lib64", "lib"];
        foreach (string directory in directories)
            yield return new(Path.Combine(root, directory), origin);
    }

    /// <summary>The layout of NVIDIA's pip wheels: one directory per package up to CUDA 12, one for all of them from CUDA 13.</summary>
    private IEnumerable<Place> Wheels(string? root, string origin, string library)
    {
        if (root is null)
            yield break;
        string package = library == NativeLibraryNames.Cudnn ? "cudnn" : "cublas";
        string[] directories = environment.IsWindows
            ? [$"nvidia/{package}/bin", "nvidia/cu13/bin/x86_64"]
            : [$"nvidia/{package}/lib", "nvidia/cu13/lib"];
        foreach (string sitePackages in SitePackages(root))
            foreach (string directory in directories)
                yield return new(Path.Combine(sitePackages, directory), origin);
    }

    private IEnumerable<string> SitePackages(string root)
    {
        if (environment.IsWindows)
            return [Path.Combine(root, "Lib", "site-packages")];
        string lib = Path.Combine(root, "lib");
        string[] pythons = Path.IsPathFullyQualified(lib) && Directory.Exists(lib) ? Directory.GetDirectories(lib, "python3.*") : [];
        // An environment has one Python; a pattern stands for it where there is none, so that the error text says what was sought.
        return pythons.Length > 0
            ? pythons.Order(StringComparer.Ordinal).Select(python => Path.Combine(python, "site-packages"))
            : [Path.Combine(lib, "python3.*", "site-packages")];
    }

    private LibraryCandidate[] Candidates(Place place, LibraryFile file)
    {
        string name = environment.IsWindows ? file.WindowsName : file.LinuxName;
        if (place.Directory is { } directory)
            return [FullPath(Path.Combine(directory, name), place.Origin)];
        // Linux: the loader's own search (LD_LIBRARY_PATH, the ld.so cache, the standard directories) has no current directory.
        if (!environment.IsWindows)
            return [new(name, place.Origin, null)];
        // Windows: its search includes the current directory, so the rest of that search is done here.
        var found = environment.WindowsDirectories
            .Where(Path.IsPathFullyQualified)
            .Select(directory => Path.Combine(directory, name))
            .Where(File.Exists)
            .Select(path => new LibraryCandidate(path, place.Origin, null))
            .ToArray();
        return found.Length > 0 ? found : [new(name, place.Origin, "neither in the system directory nor in PATH")];
    }

    // A relative path would depend on the current directory, which is no place to load code from.
    private static LibraryCandidate FullPath(string path, string origin) =>
        new(path, origin, !Path.IsPathFullyQualified(path) ? "not an absolute path" : File.Exists(path) ? null : "no such file");

    private static string? NeedsNewerDriver(LibraryFile file, int? driverVersion) =>
        driverVersion is { } version && file.CudaMajor > version / 1000
            ? $"needs a driver for CUDA {file.CudaMajor}, this one is for {LibraryVersion.Driver(version)}"
            : null;

    private sealed record Place(string? Directory, string Origin);

    /// <param name="Library">The logical name.</param>
    /// <param name="LinuxName">The soname.</param>
    /// <param name="WindowsName">The file name.</param>
    /// <param name="CudaMajor">The CUDA major version that it belongs to; 0 where the name doesn't say.</param>
    private sealed record LibraryFile(string Library, string LinuxName, string WindowsName, int CudaMajor);
}

/// <summary>A place or name to load a library from; with a refusal it is only reported.</summary>
/// <param name="Target">A full path, or a name for the system's loader.</param>
/// <param name="Origin">What put it on the list.</param>
/// <param name="Refusal">Why it isn't worth opening, or null.</param>
internal sealed record LibraryCandidate(string Target, string Origin, string? Refusal);
