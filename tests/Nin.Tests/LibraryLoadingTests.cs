using System.Diagnostics;
using NinCudnn.Tests;
using NinCudnn.Tests.Data;
using Xunit;

namespace Nin.Tests;

/// <summary>
/// Libraries that somebody left in the current directory, under every name that the program and what it is made of load: their code must not run.
/// </summary>
public sealed class LibraryLoadingTests : IDisposable
{
    private const int ExitCodeOfTheFake = 99;

    private static readonly string[] _names =
    [
        "libcuda.so", "libcuda.so.1", "libcudnn.so.8", "libcudnn.so.9", "libcublas.so.12", "libcublas.so.13", "libcublasLt.so.12", "libcublasLt.so.13",
        "libnin_host.so", "libdnnl.so.2", "libgomp.so.1", "libSkiaSharp.so", "libSystem.Native.so", "libSystem.IO.Compression.Native.so", "libcoreclr.so",
        "cuda", "cudnn", "cublas", "cublasLt", "libc", "libc.so",
    ];

    private readonly TemporaryDirectory _root = new();
    private readonly string _model;

    public LibraryLoadingTests()
    {
        _model = ColourModel.Write(_root);
        _root.Write("red.png", ImageBytes.Png(20, 30, 255, 0, 0));
    }

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Run_LibrariesInTheCurrentDirectory_AreNotLoaded()
    {
        WriteFakes();

        NinProgram.RunIn(_root.Path, [("LD_LIBRARY_PATH", null)], "predict", "red.png", "--checkpoint", _model).Succeeded();
        NinProgram.RunIn(_root.Path, [("LD_LIBRARY_PATH", null)], "devices").Succeeded();
    }

    [Fact]
    public void Run_EmptyEntryInTheLoadersPath_MeansTheCurrentDirectory()
    {
        WriteFakes();

        // SECURITY.md warns of it: the system's loader does this, whatever asks it for a name. Shows that the test above would notice.
        ProgramResult result = NinProgram.RunIn(_root.Path, [("LD_LIBRARY_PATH", ":")], "predict", "red.png", "--checkpoint", _model);

        Assert.Equal(ExitCodeOfTheFake, result.ExitCode);
    }

    /// <summary>Makes a library that ends the process as soon as it is loaded, and puts it under all the names.</summary>
    private void WriteFakes()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses Linux's names and loader");
        string source = _root.Write("fake.cpp", "#include <unistd.h>\n__attribute__((constructor)) static void load() { _exit(99); }\n"u8);
        string library = _root.File("fake");
        using var compiler = Process.Start("c++", ["-shared", "-fPIC", source, "-o", library]);
        compiler.WaitForExit();
        Assert.Equal(0, compiler.ExitCode);
        foreach (string name in _names)
            File.Copy(library, _root.File(name));
    }
}
