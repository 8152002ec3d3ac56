using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>How the host provider's threads wait for each other.</summary>
internal static unsafe class HostThreads
{
    // About 10 µs. The runtime's default is some milliseconds: on a machine that has other work to do, threads then burn their
    // time slices waiting for one that is not running. Measured with three compilers running beside it on 2 cores: 2.4 times
    // the training speed; on an idle machine no difference.
    private static ReadOnlySpan<byte> ShortSpin => "2000"u8;

    /// <summary>
    /// Makes waiting threads give up their core soon, unless the user has set something else. Takes effect only before the
    /// host library is loaded, since its OpenMP runtime reads the environment then; and only through the C library, since
    /// .NET keeps its own copy of the environment.
    /// </summary>
    public static void ShortenSpinning()
    {
        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null)
            return;
        if (!NativeLibrary.TryLoad("libc.so.6", out nint libc) || !NativeLibrary.TryGetExport(libc, "setenv", out nint address))
            return;
        // int setenv(const char *name, const char *value, int overwrite); 0: an existing value stays
        var setenv = (delegate* unmanaged<byte*, byte*, int, int>)address;
        fixed (byte* name = "GOMP_SPINCOUNT"u8, value = ShortSpin)
            _ = setenv(name, value, 0);
    }
}
