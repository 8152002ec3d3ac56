using System.Reflection;

namespace NinCudnn.Interop.Tests;

/// <summary>What child processes do; each writes lines that its test looks at.</summary>
internal static class Scenarios
{
    /// <summary>Looks for every library; writes each attempt, and where the search ended.</summary>
    public static void Search()
    {
        var search = new LibrarySearch(SearchEnvironment.OfProcess());
        foreach (string library in NativeLibraryNames.All)
            Open(search.Cuda(library, driverVersion: null), library);
        Open(search.Host(), NativeLibraryNames.Cuda);

        static void Open(IEnumerable<LibraryCandidate> candidates, string library)
        {
            var attempts = new List<LoadAttempt>();
            var opened = LibraryLoader.Open(candidates, ProviderProbe.VersionFunction(library), attempts);
            foreach (var attempt in attempts)
                Console.WriteLine($"tried {attempt.Target} ({attempt.Origin}): {attempt.Reason}");
            Console.WriteLine($"{library}: {opened?.Path ?? "not found"}");
        }
    }

    /// <summary>The first thing that happens is a native call.</summary>
    public static void CallWithoutSelection()
    {
        Console.WriteLine($"before: {Chosen()}");
        try
        {
            Console.WriteLine($"cuInit: {Cuda.cuInit(0)}");
        }
        catch (NativeLibraryException e)
        {
            Console.WriteLine($"{nameof(NativeLibraryException)}: {e.Message}");
        }
        Console.WriteLine($"after: {Chosen()}");
    }

    /// <summary>The whole life of a choice: a look, the choice, calls, failures, an attempt to change it.</summary>
    public static void UseHost()
    {
        var report = NativeLibraries.Probe();
        Console.WriteLine($"probed, {Chosen()} chosen");
        foreach (var device in report.Providers.Single(provider => provider.Provider == NativeProvider.Host).Devices)
        {
            Console.WriteLine(
                $"device {device.Ordinal}: {device.Name.Length > 0} {device.TotalMemoryBytes > 0} {device.ComputeCapability.Major > 0}");
        }

        var selection = NativeLibraries.Select(DeviceRequest.Cpu);
        Console.WriteLine($"chosen: {selection.Provider} {selection.Ordinal}, {selection.Reason}");
        WriteVersions(selection);
        (Type Class, string Library)[] declarations =
        [
            (typeof(Cuda), NativeLibraryNames.Cuda),
            (typeof(Cudnn), NativeLibraryNames.Cudnn),
            (typeof(Cublas), NativeLibraryNames.Cublas),
            (typeof(CublasLt), NativeLibraryNames.CublasLt),
        ];
        var missing =
            from entry in declarations
            from method in entry.Class.GetMethods(BindingFlags.Static | BindingFlags.Public)
            where !NativeLibraries.TryGetExport(entry.Library, method.Name, out _)
            select method.Name;
        Console.WriteLine($"missing exports: {string.Join(' ', missing.DefaultIfEmpty("none"))}");
        Console.WriteLine(
            $"no such export: {NativeLibraries.TryGetExport(NativeLibraryNames.Cudnn, "cudnnNoSuchFunction", out _)}");
        Console.WriteLine($"same again: {ReferenceEquals(selection, NativeLibraries.Select(DeviceRequest.Cpu))}");
        WriteFailure(() => Cuda.cuDeviceGet(out _, 1000).ThrowIfFailed());
        WriteFailure(() => Cudnn.cudnnSetTensor4dDescriptor(default, 0, 0, 1, 1, 1, 1).ThrowIfFailed());
        WriteFailure(() => Cublas.cublasDestroy_v2(default).ThrowIfFailed());
        WriteFailure(() => NativeLibraries.Select(DeviceRequest.Cuda(0)));
    }

    /// <summary>The same on NVIDIA's libraries, after the host provider was looked at.</summary>
    public static void UseCuda()
    {
        NativeLibraries.Probe();
        var selection = NativeLibraries.Select(DeviceRequest.Cuda(0));
        Console.WriteLine($"chosen: {selection.Provider} {selection.Ordinal}");
        WriteVersions(selection);
        WriteFailure(() => Cuda.cuDeviceGet(out _, 1000).ThrowIfFailed());
        WriteFailure(() => NativeLibraries.Select(DeviceRequest.Cpu));
    }

    /// <summary>Whether each declaration reaches the library that the selection names.</summary>
    private static void WriteVersions(ProviderSelection selection)
    {
        Cuda.cuInit(0).ThrowIfFailed();
        Cuda.cuDriverGetVersion(out int driver).ThrowIfFailed();
        Cublas.cublasGetVersion_v2(default, out int cublas).ThrowIfFailed();
        var called = new Dictionary<string, string>
        {
            [NativeLibraryNames.Cuda] = LibraryVersion.Driver(driver),
            [NativeLibraryNames.CublasLt] = LibraryVersion.Cublas(CublasLt.cublasLtGetVersion()),
            [NativeLibraryNames.Cublas] = LibraryVersion.Cublas((nuint)cublas),
            [NativeLibraryNames.Cudnn] = LibraryVersion.Cudnn(Cudnn.cudnnGetVersion()),
        };
        foreach (var library in selection.Libraries)
            Console.WriteLine($"library {library.Name}: {called[library.Name] == library.Version && File.Exists(library.Path)}");
    }

    private static string Chosen() => NativeLibraries.Current?.Provider.ToString() ?? "nothing";

    private static void WriteFailure(Action action)
    {
        try
        {
            action();
            Console.WriteLine("no failure");
        }
        catch (Exception e) when (e is NativeException or InvalidOperationException)
        {
            Console.WriteLine($"{e.GetType().Name}: {e.Message}");
        }
    }
}
