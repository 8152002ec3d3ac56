using System.Runtime.InteropServices;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Diagnostics;

/// <summary>Whether all native functions are there, what the device says of itself, and whether the kernels load.</summary>
internal static class InstallationChecks
{
    public const string Group = "installation";

    public const string ProviderAdvice =
        "Install what is named here, or say where it is: NIN_CUDA_LIBRARY_DIR for NVIDIA's libraries, NIN_HOST_LIBRARY for libnin_host.";

    private const string PtxSuffix = ".ptx";

    // All but the driver come without a GPU too.
    private static readonly string[] _libraries =
        [NativeLibraryNames.Cuda, NativeLibraryNames.CublasLt, NativeLibraryNames.Cublas, NativeLibraryNames.Cudnn];

    /// <summary>Whether a library exports a function.</summary>
    public delegate bool Lookup(LoadedLibrary library, string function);

    /// <summary>The checks for a chosen provider.</summary>
    public static IEnumerable<Check> Create(ProviderSelection selection)
    {
        foreach (string library in _libraries)
        {
            yield return new Check(
                Group, $"entry points of {library}", null,
                "Install a version of this library that has the missing functions.",
                _ => DescribeEntryPoints(selection.Libraries.Single(loaded => loaded.Name == library), LookUpLoaded));
        }
        yield return UnusedLibraries(selection.Provider);
        yield return new Check(Group, "device", null, "Restart the machine or update the driver.", DescribeDevice);
        foreach (string family in KernelFamilies())
        {
            yield return new Check(
                Group, $"kernel module {family}", null, "Update the driver: it does not accept this version of PTX.",
                context =>
                {
                    context.Device.Kernels(family);
                    return "loaded";
                });
        }
    }

    /// <summary>The check of NVIDIA's libraries where they are not in use.</summary>
    /// <param name="provider">The chosen provider; null when none could be had.</param>
    public static Check UnusedLibraries(NativeProvider? provider) => new(
        Group, "NVIDIA's libraries", null, "Update NVIDIA's libraries before using a GPU.",
        _ => DescribeUnusedLibraries(provider, NativeLibraries.Probe))
    { IsOptional = true };

    /// <summary>Looks up every declared function of one library.</summary>
    /// <exception cref="CheckFailedException">Functions are missing; the message names them.</exception>
    public static string DescribeEntryPoints(LoadedLibrary library, Lookup hasFunction)
    {
        string[] functions = EntryPoints.Of(library.Name);
        string[] missing = [.. functions.Where(function => !hasFunction(library, function))];
        string[] required = [.. missing.Where(function => !EntryPoints.IsOptional(function))];
        if (required.Length > 0)
            throw new CheckFailedException($"{library.Name} {library.Version} ({library.Path}) has no {string.Join(", ", required)}");
        string without = missing.Length > 0 ? $", without the optional {string.Join(", ", missing)}" : "";
        return $"{library.Version}, {library.Path}: {functions.Length - missing.Length} functions found{without}";
    }

    /// <summary>Looks up the functions in NVIDIA's libraries where some are installed but not in use.</summary>
    /// <param name="provider">The chosen provider; null when none could be had.</param>
    /// <param name="probe">Finds what is installed.</param>
    /// <exception cref="CheckSkippedException">They are in use, or there are none.</exception>
    /// <exception cref="NotSupportedException">Functions are missing.</exception>
    public static string DescribeUnusedLibraries(NativeProvider? provider, Func<ProviderReport> probe)
    {
        if (provider == NativeProvider.Cuda)
            throw new CheckSkippedException("in use, see the entry points above");
        ProviderStatus cuda = probe().Providers.Single(status => status.Provider == NativeProvider.Cuda);
        if (cuda.Libraries.Count == 0)
            throw new CheckSkippedException("none is installed");
        List<string> found = [], refusals = [];
        foreach (LoadedLibrary library in cuda.Libraries)
        {
            try
            {
                found.Add($"{library.Name} {DescribeEntryPoints(library, LookUpFile)}");
            }
            catch (CheckFailedException e)
            {
                refusals.Add(e.Message);
            }
        }
        return refusals.Count == 0
            ? $"{string.Join("; ", found)} (not in use: {string.Join("; ", cuda.Problems.DefaultIfEmpty("the CPU was asked for"))})"
            : throw new NotSupportedException($"not in use, and unfit for use: {string.Join("; ", refusals)}");
    }

    private static string DescribeDevice(CheckContext context)
    {
        Device device = context.Device;
        long free = device.FreeBytes;
        if (free <= 0 || free > device.TotalBytes)
            throw new CheckFailedException($"{device.Name} reports {free} bytes free of {device.TotalBytes}");
        return $"{device.Name}, {ByteSize.Format(free)} of {ByteSize.Format(device.TotalBytes)} free, compute capability {device.ComputeCapability}, "
            + $"{device.MultiprocessorCount} {(device.Provider == NativeProvider.Cuda ? "multiprocessors" : "threads")}";
    }

    private static IEnumerable<string> KernelFamilies() =>
        from name in typeof(Device).Assembly.GetManifestResourceNames()
        where name.EndsWith(PtxSuffix, StringComparison.Ordinal)
        orderby name
        select name[..^PtxSuffix.Length];

    private static bool LookUpLoaded(LoadedLibrary library, string function) => NativeLibraries.TryGetExport(library.Name, function, out _);

    // The probe has loaded the file already, so this only finds it again.
    private static bool LookUpFile(LoadedLibrary library, string function) =>
        NativeLibrary.TryGetExport(NativeLibrary.Load(library.Path), function, out _);
}
