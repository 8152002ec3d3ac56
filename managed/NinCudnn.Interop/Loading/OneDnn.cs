using System.Globalization;

namespace NinCudnn.Interop;

/// <summary>The library that computes for the host provider.</summary>
public static unsafe class OneDnn
{
    /// <summary>The version of oneDNN that the host provider is linked with, for example 2.6.3; null on the other provider.</summary>
    /// <remarks>Chooses as for <see cref="DeviceRequest.Auto"/> if nothing is chosen yet.</remarks>
    public static string? Version()
    {
        // A lookup goes through a library's dependencies too, and oneDNN is one of libnin_host's.
        if (!NativeLibraries.TryGetExport(NativeLibraryNames.Cudnn, "dnnl_version", out nint address))
            return null;
        // typedef struct { int major; int minor; int patch; … } dnnl_version_t; the same in oneDNN 1 to 3
        int* version = ((delegate* unmanaged<int*>)address)();
        return string.Create(CultureInfo.InvariantCulture, $"{version[0]}.{version[1]}.{version[2]}");
    }
}
