using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Interop.Tests;

/// <summary>The order of places and names. Files are dummies: a search opens nothing.</summary>
public sealed class LibrarySearchTests : IDisposable
{
    private const int Driver13 = 13000;
    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Cuda_AllPlaces_AreTriedInOrder()
    {
        Directory.CreateDirectory(_root.File("venv/lib/python3.12"));
        Directory.CreateDirectory(_root.File("conda/lib/python3.11"));

        Assert.Equal(
            [
                (_root.File("own/libcudnn.so.9"), "NIN_CUDA_LIBRARY_DIR"),
                (_root.File("own/libcudnn.so.8"), "NIN_CUDA_LIBRARY_DIR"),
                ("libcudnn.so.9", "system loader"),
                ("libcudnn.so.8", "system loader"),
                (_root.File("toolkit/lib64/libcudnn.so.9"), "CUDA_PATH"),
                (_root.File("toolkit/lib64/libcudnn.so.8"), "CUDA_PATH"),
                (_root.File("toolkit/lib/libcudnn.so.9"), "CUDA_PATH"),
                (_root.File("toolkit/lib/libcudnn.so.8"), "CUDA_PATH"),
                (_root.File("home/lib64/libcudnn.so.9"), "CUDA_HOME"),
                (_root.File("home/lib64/libcudnn.so.8"), "CUDA_HOME"),
                (_root.File("home/lib/libcudnn.so.9"), "CUDA_HOME"),
                (_root.File("home/lib/libcudnn.so.8"), "CUDA_HOME"),
                (_root.File("venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9"), "VIRTUAL_ENV"),
                (_root.File("venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.8"), "VIRTUAL_ENV"),
                (_root.File("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcudnn.so.9"), "VIRTUAL_ENV"),
                (_root.File("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcudnn.so.8"), "VIRTUAL_ENV"),
                (_root.File("conda/lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.9"), "CONDA_PREFIX"),
                (_root.File("conda/lib/python3.11/site-packages/nvidia/cudnn/lib/libcudnn.so.8"), "CONDA_PREFIX"),
                (_root.File("conda/lib/python3.11/site-packages/nvidia/cu13/lib/libcudnn.so.9"), "CONDA_PREFIX"),
                (_root.File("conda/lib/python3.11/site-packages/nvidia/cu13/lib/libcudnn.so.8"), "CONDA_PREFIX"),
            ],
            Everywhere().Cuda(NativeLibraryNames.Cudnn, Driver13).Select(candidate => (candidate.Target, candidate.Origin)));
    }

    [Theory]
    [InlineData(NativeLibraryNames.Cuda, "libcuda.so.1")]
    [InlineData(NativeLibraryNames.Cublas, "libcublas.so.13", "libcublas.so.12")]
    [InlineData(NativeLibraryNames.CublasLt, "libcublasLt.so.13", "libcublasLt.so.12")]
    [InlineData(NativeLibraryNames.Cudnn, "libcudnn.so.9", "libcudnn.so.8")]
    public void Cuda_WithoutVariables_AsksTheSystemLoaderOnly(string library, params string[] names) =>
        Assert.Equal(
            names.Select(name => new LibraryCandidate(name, "system loader", null)),
            Search(Nothing()).Cuda(library, Driver13));

    [Fact]
    public void Cuda_Driver_IsNotSoughtInToolkitsAndWheels() =>
        Assert.Equal(
            ["NIN_CUDA_LIBRARY_DIR", "system loader"],
            Everywhere().Cuda(NativeLibraryNames.Cuda, null).Select(candidate => candidate.Origin));

    [Fact]
    public void Cuda_FileThatExists_IsNotRefused()
    {
        string file = _root.Write("own/libcudnn.so.8", [1, 2, 3]);

        Assert.Equal([file], Found(Search(Nothing() with { CudaLibraryDirectory = _root.File("own") }), NativeLibraryNames.Cudnn));
    }

    [Fact]
    public void Cuda_WheelsOfBothLayouts_AreFound()
    {
        string cudnn = _root.Write("venv/lib/python3.12/site-packages/nvidia/cudnn/lib/libcudnn.so.9", [1]);
        string cublas12 = _root.Write("venv/lib/python3.12/site-packages/nvidia/cublas/lib/libcublas.so.12", [1]);
        string cublasLt13 = _root.Write("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13", [1]);
        var search = Search(Nothing() with { VirtualEnvironment = _root.File("venv") });

        Assert.Equal([cudnn], Found(search, NativeLibraryNames.Cudnn));
        Assert.Equal([cublas12], Found(search, NativeLibraryNames.Cublas));
        Assert.Equal([cublasLt13], Found(search, NativeLibraryNames.CublasLt));
    }

    [Fact]
    public void Cuda_EnvironmentWithoutPython_IsReported()
    {
        var candidates = Search(Nothing() with { CondaPrefix = _root.Path }).Cuda(NativeLibraryNames.Cublas, Driver13);

        Assert.Contains(
            new LibraryCandidate(
                _root.File("lib/python3.*/site-packages/nvidia/cublas/lib/libcublas.so.12"), "CONDA_PREFIX", "no such file"),
            candidates);
    }

    [Fact]
    public void Cuda_LibraryNewerThanTheDriver_IsRefusedWithTheReason()
    {
        var candidates = Search(Nothing()).Cuda(NativeLibraryNames.Cublas, driverVersion: 12040);

        Assert.Equal(
            [
                new("libcublas.so.13", "system loader", "needs a driver for CUDA 13, this one is for 12.4"),
                new LibraryCandidate("libcublas.so.12", "system loader", null),
            ],
            candidates);
    }

    [Fact]
    public void Cuda_RelativeDirectories_AreRefused()
    {
        var search = Search(Nothing() with { CudaLibraryDirectory = ".", CudaPath = "toolkit", VirtualEnvironment = "venv" });

        var candidates = search.Cuda(NativeLibraryNames.Cublas, Driver13).Where(candidate => candidate.Origin != "system loader").ToArray();

        Assert.NotEmpty(candidates);
        Assert.All(candidates, candidate => Assert.Equal("not an absolute path", candidate.Refusal));
    }

    [Fact]
    public void Cuda_CudaHomeEqualToCudaPath_IsTriedOnce()
    {
        var search = Search(Nothing() with { CudaPath = _root.Path, CudaHome = _root.Path });

        Assert.DoesNotContain(search.Cuda(NativeLibraryNames.Cublas, Driver13), candidate => candidate.Origin == "CUDA_HOME");
    }

    [Fact]
    public void Cuda_OnWindows_HasItsOwnNamesAndDirectories()
    {
        var search = Search(Nothing() with { IsWindows = true, CudaPath = _root.File("toolkit"), VirtualEnvironment = _root.File("venv") });

        Assert.Equal(
            [
                "cublas64_13.dll",
                "cublas64_12.dll",
                _root.File("toolkit/bin/cublas64_13.dll"),
                _root.File("toolkit/bin/cublas64_12.dll"),
                _root.File("toolkit/bin/x64/cublas64_13.dll"),
                _root.File("toolkit/bin/x64/cublas64_12.dll"),
                _root.File("venv/Lib/site-packages/nvidia/cublas/bin/cublas64_13.dll"),
                _root.File("venv/Lib/site-packages/nvidia/cublas/bin/cublas64_12.dll"),
                _root.File("venv/Lib/site-packages/nvidia/cu13/bin/x86_64/cublas64_13.dll"),
                _root.File("venv/Lib/site-packages/nvidia/cu13/bin/x86_64/cublas64_12.dll"),
            ],
            search.Cuda(NativeLibraryNames.Cublas, Driver13).Select(candidate => candidate.Target));
    }

    [Fact]
    public void Cuda_OnWindows_NeverLeavesANameToTheLoader()
    {
        // Its own search would look into the current directory: what is found gets its full path, the rest is refused.
        string found = _root.Write("path/nvcuda.dll", [1]);
        var search = Search(Nothing() with { IsWindows = true, WindowsDirectories = [".", _root.File("path")] });

        Assert.Equal([new LibraryCandidate(found, "system loader", null)], search.Cuda(NativeLibraryNames.Cuda, null));
        Assert.All(search.Cuda(NativeLibraryNames.Cudnn, null), candidate => Assert.NotNull(candidate.Refusal));
    }

    [Fact]
    public void Host_WithoutVariable_IsSoughtBesideTheProgram() =>
        Assert.Equal(
            [
                new(_root.File("app/libnin_host.so"), "program directory", "no such file"),
                new LibraryCandidate(_root.File("app/runtimes/linux-x64/native/libnin_host.so"), "program directory", "no such file"),
            ],
            Search(Nothing()).Host());

    [Fact]
    public void Host_InAPackageDirectory_IsFoundBehindTheProgramDirectory()
    {
        _root.Write("unpacked/libnin_host.so", [1]);

        Assert.Equal(
            new LibraryCandidate(_root.File("unpacked/libnin_host.so"), "package", null),
            Search(Nothing() with { PackageDirectories = [_root.File("framework"), _root.File("unpacked")] }).Host().ElementAt(2));
    }

    [Fact]
    public void Host_WithVariable_IsSoughtThereOnly()
    {
        _root.Write("app/libnin_host.so", [1]);

        Assert.Equal(
            [new LibraryCandidate(_root.File("mine.so"), "NIN_HOST_LIBRARY", "no such file")],
            Search(Nothing() with { HostLibrary = _root.File("mine.so") }).Host());
    }

    private static LibrarySearch Search(SearchEnvironment environment) => new(environment);

    private SearchEnvironment Nothing() => new() { BaseDirectory = _root.File("app") };

    private LibrarySearch Everywhere() => Search(Nothing() with
    {
        CudaLibraryDirectory = _root.File("own"),
        CudaPath = _root.File("toolkit"),
        CudaHome = _root.File("home"),
        VirtualEnvironment = _root.File("venv"),
        CondaPrefix = _root.File("conda"),
    });

    private static IEnumerable<string> Found(LibrarySearch search, string library) => search.Cuda(library, Driver13)
        .Where(candidate => candidate.Refusal is null && candidate.Origin != "system loader")
        .Select(candidate => candidate.Target);
}
