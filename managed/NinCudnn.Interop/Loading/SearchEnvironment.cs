namespace NinCudnn.Interop;

/// <summary>Everything outside this assembly that decides where libraries are sought.</summary>
internal sealed record SearchEnvironment
{
    public bool IsWindows { get; init; }

    /// <summary>The directory of the program: libnin_host lies in it or below it.</summary>
    public required string BaseDirectory { get; init; }

    /// <summary>Where the runtime finds native libraries of packages: elsewhere than the program if it unpacks itself from a single file.</summary>
    public IReadOnlyList<string> PackageDirectories { get; init; } = [];

    /// <summary>NIN_CUDA_LIBRARY_DIR: the user's own directory with NVIDIA's libraries.</summary>
    public string? CudaLibraryDirectory { get; init; }

    /// <summary>NIN_HOST_LIBRARY: the full path of the host library.</summary>
    public string? HostLibrary { get; init; }

    /// <summary>CUDA_PATH: the toolkit, as its Windows installer sets it.</summary>
    public string? CudaPath { get; init; }

    /// <summary>CUDA_HOME: the toolkit, as many Linux build systems set it.</summary>
    public string? CudaHome { get; init; }

    /// <summary>VIRTUAL_ENV: the active Python environment.</summary>
    public string? VirtualEnvironment { get; init; }

    /// <summary>CONDA_PREFIX: the active Conda environment.</summary>
    public string? CondaPrefix { get; init; }

    /// <summary>Windows only: the system directory, then those of PATH.</summary>
    public IReadOnlyList<string> WindowsDirectories { get; init; } = [];

    public static SearchEnvironment OfProcess() => new()
    {
        IsWindows = OperatingSystem.IsWindows(),
        BaseDirectory = AppContext.BaseDirectory,
        PackageDirectories = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(
            Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
        CudaLibraryDirectory = Variable("NIN_CUDA_LIBRARY_DIR"),
        HostLibrary = Variable("NIN_HOST_LIBRARY"),
        CudaPath = Variable("CUDA_PATH"),
        CudaHome = Variable("CUDA_HOME"),
        VirtualEnvironment = Variable("VIRTUAL_ENV"),
        CondaPrefix = Variable("CONDA_PREFIX"),
        WindowsDirectories = OperatingSystem.IsWindows()
            ? [Environment.SystemDirectory, .. (Variable("PATH") ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)]
            : [],
    };

    private static string? Variable(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;
}
