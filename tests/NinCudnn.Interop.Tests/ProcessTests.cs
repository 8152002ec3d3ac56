using System.Reflection;
using System.Runtime.InteropServices;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Interop.Tests;

/// <summary>What is decided once per process, each test in its own.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Search_CurrentDirectory_IsNeverUsed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses Linux's names and loader");
        WriteLoadableLibraries();

        string output = ChildProcess.Run(nameof(Scenarios.Search), _root.Path, ("LD_LIBRARY_PATH", null));

        Assert.DoesNotContain(_root.Path, output, StringComparison.Ordinal);
        Assert.DoesNotContain("has no function", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Search_DirectoryOfTheSystemLoader_IsUsed()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses Linux's names and loader");
        WriteLoadableLibraries();

        // The same files where the loader may look: shows that the test above would notice them.
        string output = ChildProcess.Run(nameof(Scenarios.Search), AppContext.BaseDirectory, ("LD_LIBRARY_PATH", _root.Path));

        Assert.Contains("tried libcuda.so.1 (system loader): has no function cuDriverGetVersion", output, StringComparison.Ordinal);
        Assert.Contains("tried libcudnn.so.9 (system loader): has no function cudnnGetVersion", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Search_OwnDirectory_ComesFirst()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses Linux's names and loader");
        WriteLoadableLibraries();

        string output = ChildProcess.Run(nameof(Scenarios.Search), AppContext.BaseDirectory, ("NIN_CUDA_LIBRARY_DIR", _root.Path));

        Assert.StartsWith(
            $"tried {_root.File("libcuda.so.1")} (NIN_CUDA_LIBRARY_DIR): has no function cuDriverGetVersion",
            output, StringComparison.Ordinal);
    }

    [Fact]
    public void FirstCall_WithNoProvider_ThrowsWhatWasTried()
    {
        string missing = _root.File("libnin_host.so");

        // A machine with GPUs has none under an empty CUDA_VISIBLE_DEVICES.
        string output = ChildProcess.Run(
            nameof(Scenarios.CallWithoutSelection), _root.Path, ("NIN_HOST_LIBRARY", missing), ("CUDA_VISIBLE_DEVICES", ""));

        Assert.Contains("NativeLibraryException: neither provider can be used: ", output, StringComparison.Ordinal);
        Assert.Contains($"{missing} (NIN_HOST_LIBRARY): no such file", output, StringComparison.Ordinal);
        Assert.Contains("after: nothing", output, StringComparison.Ordinal);
    }

    [Fact]
    public void FirstCall_WithoutGpu_ChoosesTheHost()
    {
        NeedsHostLibrary();

        string output = ChildProcess.Run(nameof(Scenarios.CallWithoutSelection), _root.Path, ("CUDA_VISIBLE_DEVICES", ""));

        Assert.Equal(["before: nothing", "cuInit: CUDA_SUCCESS", "after: Host"], Lines(output));
    }

    [Fact]
    public void Host_FromProbeToFreeze_BehavesAsDocumented()
    {
        NeedsHostLibrary();

        var lines = Lines(ChildProcess.Run(nameof(Scenarios.UseHost), _root.Path));

        Assert.Equal(
            [
                "probed, nothing chosen",
                "device 0: True True True",
                "chosen: Host 0, cpu was requested",
                "library cuda: True",
                "library cublasLt: True",
                "library cublas: True",
                "library cudnn: True",
                "missing exports: cuEventElapsedTime_v2", // since CUDA 12.8
                "no such export: False",
                "same again: True",
            ],
            lines[..10]);
        AssertFailure("CudaException: cuDeviceGet failed: CUDA_ERROR_INVALID_DEVICE (101), ", lines[10]);
        AssertFailure("CudnnException: cudnnSetTensor4dDescriptor failed: CUDNN_STATUS_BAD_PARAM", lines[11]);
        AssertFailure("CublasException: cublasDestroy_v2 failed: CUBLAS_STATUS_", lines[12]);
        Assert.StartsWith("InvalidOperationException: This process already uses the Host provider", lines[13], StringComparison.Ordinal);

        static void AssertFailure(string start, string line)
        {
            Assert.StartsWith(start, line, StringComparison.Ordinal);
            Assert.EndsWith(" [provider: Host]", line, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Cuda_FromProbeToFreeze_BehavesAsDocumented()
    {
        var cuda = NativeLibraries.Probe().Providers.Single(provider => provider.Provider == NativeProvider.Cuda);
        Assert.SkipUnless(cuda.IsUsable, $"CUDA can't be used here: {string.Join("; ", cuda.Problems)}");

        var lines = Lines(ChildProcess.Run(nameof(Scenarios.UseCuda), _root.Path));

        Assert.Equal(
            ["chosen: Cuda 0", "library cuda: True", "library cublasLt: True", "library cublas: True", "library cudnn: True"],
            lines[..5]);
        Assert.StartsWith("CudaException: cuDeviceGet failed: CUDA_ERROR_INVALID_DEVICE (101), ", lines[5], StringComparison.Ordinal);
        Assert.StartsWith("InvalidOperationException: This process already uses the Cuda provider", lines[6], StringComparison.Ordinal);
    }

    private static string[] Lines(string output) =>
        output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Files with NVIDIA's names that do load: the .NET runtime's own library, which has none of the functions.</summary>
    private void WriteLoadableLibraries()
    {
        byte[] library = File.ReadAllBytes(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.Native.so"));
        string[] names = ["libcuda.so.1", "libcudnn.so.9", "libcublas.so.12", "libcublasLt.so.12", "libnin_host.so"];
        foreach (string name in names)
            _root.Write(name, library);
    }

    /// <summary>The host library belongs to every build on Linux except one that was told to leave it out.</summary>
    private static void NeedsHostLibrary()
    {
        bool left = typeof(ProcessTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Any(metadata => metadata is { Key: "SkipNativeBuild", Value: "true" });
        Assert.SkipWhen(
            !OperatingSystem.IsLinux() || (left && !File.Exists(Path.Combine(AppContext.BaseDirectory, "libnin_host.so"))),
            "there is no host library: not Linux, or built with SkipNativeBuild=true");
    }
}
