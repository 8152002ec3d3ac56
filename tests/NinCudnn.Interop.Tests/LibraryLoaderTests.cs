using System.Runtime.InteropServices;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Interop.Tests;

/// <summary>Opening candidates. The library that loads is the .NET runtime's own, which every Linux machine with tests has.</summary>
public sealed class LibraryLoaderTests : IDisposable
{
    private const string Export = "SystemNative_Malloc";
    private readonly TemporaryDirectory _root = new();
    private readonly List<LoadAttempt> _attempts = [];

    private static string RealLibrary => Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.Native.so");

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Open_FirstCandidateThatFits_IsTakenAndTheOthersAreExplained()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses the Linux runtime's own library");
        string garbage = _root.Write("libcudnn.so.9", "not a library"u8);
        string copy = _root.Write("libcudnn.so.8", File.ReadAllBytes(RealLibrary));

        var opened = LibraryLoader.Open(
            [
                new("/nowhere/libcudnn.so.9", "CUDA_PATH", "no such file"),
                new(garbage, "CUDA_HOME", null),
                new(copy, "VIRTUAL_ENV", null),
                new("/never/reached.so", "CONDA_PREFIX", null),
            ],
            Export, _attempts);

        Assert.Equal(copy, opened?.Path);
        Assert.True(NativeLibrary.TryGetExport(opened!.Value.Handle, Export, out _));
        Assert.Equal(new LoadAttempt("/nowhere/libcudnn.so.9", "CUDA_PATH", "no such file"), _attempts[0]);
        Assert.Equal((garbage, "CUDA_HOME"), (_attempts[1].Target, _attempts[1].Origin));
        Assert.Equal(2, _attempts.Count);
    }

    [Fact]
    public void Open_FileThatIsNoLibrary_HasTheLoadersWords()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the text is that of Linux's loader");
        string garbage = _root.Write("libcudnn.so.9", "not a library"u8);

        Assert.Null(LibraryLoader.Open([new(garbage, "CUDA_HOME", null)], Export, _attempts));
        Assert.Equal("file too short", Assert.Single(_attempts).Reason);
    }

    [Fact]
    public void Open_NameThatTheSystemLacks_HasTheLoadersWords()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the text is that of Linux's loader");

        Assert.Null(LibraryLoader.Open([new("libnin_absent.so.1", "system loader", null)], Export, _attempts));
        Assert.Equal("cannot open shared object file: No such file or directory", Assert.Single(_attempts).Reason);
    }

    [Fact]
    public void Open_LibraryWithoutTheExport_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "uses the Linux runtime's own library");

        Assert.Null(LibraryLoader.Open([new(RealLibrary, "CUDA_PATH", null)], "cudnnGetVersion", _attempts));
        Assert.Equal("has no function cudnnGetVersion", Assert.Single(_attempts).Reason);
    }

    [Fact]
    public void NotFound_ListsEveryAttemptAndWhatToInstall()
    {
        var exception = NativeLibraryException.NotFound(
            NativeProvider.Cuda, NativeLibraryNames.Cudnn,
            [
                new("/own/libcudnn.so.9", "NIN_CUDA_LIBRARY_DIR", "no such file"),
                new("libcudnn.so.9", "system loader", "cannot open shared object file"),
            ]);

        // The last line is long because a message isn't wrapped.
        Assert.Equal(
            """
            cuDNN could not be loaded (libcudnn.so.9: cannot open shared object file). Tried:
              /own/libcudnn.so.9 (NIN_CUDA_LIBRARY_DIR): no such file
              libcudnn.so.9 (system loader): cannot open shared object file
            Install cuDNN 9 for your CUDA version (for example the pip package nvidia-cudnn-cu12 or nvidia-cudnn-cu13 in the active environment), or set NIN_CUDA_LIBRARY_DIR to the directory that holds it.
            """,
            exception.Message);
        Assert.Equal("cuDNN could not be loaded (libcudnn.so.9: cannot open shared object file)", exception.Summary);
        Assert.Equal(NativeLibraryNames.Cudnn, exception.Library);
        Assert.Equal(NativeProvider.Cuda, exception.Provider);
        Assert.Equal(2, exception.Attempts.Count);
    }
}
