using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>The kind of a cuDNN status; the values are the first numbers of cuDNN 9's ranges.</summary>
public enum CudnnStatusCategory
{
    /// <summary>The call succeeded.</summary>
    Success = 0,

    /// <summary>The library as such: not initialised, wrong versions, a part that doesn't load.</summary>
    General = 1000,

    /// <summary>An argument is wrong.</summary>
    BadParam = 2000,

    /// <summary>The arguments are right, but this library or device has nothing for them.</summary>
    NotSupported = 3000,

    /// <summary>The library failed inside; failed allocations are here too.</summary>
    InternalError = 4000,

    /// <summary>The work failed on the device.</summary>
    ExecutionFailed = 5000,
}

/// <summary>
/// Judges cuDNN statuses of either major version. cuDNN 9 renumbered them all: 1 to 14 became four-digit numbers in ranges of
/// a thousand, so a number alone tells its version.
/// </summary>
public static class CudnnStatus
{
    /// <summary>The status's kind. A range that a later version adds comes back as its first number.</summary>
    public static CudnnStatusCategory Category(cudnnStatus_t status) => (int)ToVersion9(status) switch
    {
        // Between the two versions' numbers: not a success, whatever it is.
        > 0 and < 1000 => CudnnStatusCategory.General,
        var number => (CudnnStatusCategory)(number / 1000 * 1000),
    };

    /// <summary>
    /// Whether the library has nothing for this combination of arguments, so that another algorithm, layout or type may help.
    /// </summary>
    public static bool IsNotSupported(cudnnStatus_t status) => Category(status) == CudnnStatusCategory.NotSupported;

    /// <summary>The number that cuDNN 9 uses for a status of cuDNN 8; cuDNN 9's own numbers and unknown ones come back unchanged.</summary>
    public static cudnnStatus_t ToVersion9(cudnnStatus_t status) => (int)status switch
    {
        1 => cudnnStatus_t.CUDNN_STATUS_NOT_INITIALIZED,
        2 => cudnnStatus_t.CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED, // ALLOC_FAILED
        3 => cudnnStatus_t.CUDNN_STATUS_BAD_PARAM,
        4 => cudnnStatus_t.CUDNN_STATUS_INTERNAL_ERROR,
        5 => cudnnStatus_t.CUDNN_STATUS_INVALID_VALUE,
        6 => cudnnStatus_t.CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH, // ARCH_MISMATCH
        7 => cudnnStatus_t.CUDNN_STATUS_INTERNAL_ERROR_TEXTURE_CREATION_FAILED, // MAPPING_ERROR
        8 => cudnnStatus_t.CUDNN_STATUS_EXECUTION_FAILED,
        9 => cudnnStatus_t.CUDNN_STATUS_NOT_SUPPORTED,
        10 => cudnnStatus_t.CUDNN_STATUS_LICENSE_ERROR,
        11 => cudnnStatus_t.CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING, // RUNTIME_PREREQUISITE_MISSING
        12 => cudnnStatus_t.CUDNN_STATUS_RUNTIME_IN_PROGRESS,
        13 => cudnnStatus_t.CUDNN_STATUS_RUNTIME_FP_OVERFLOW,
        14 => cudnnStatus_t.CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH, // VERSION_MISMATCH
        _ => status,
    };

    /// <summary>The name in cuDNN 9's terms.</summary>
    internal static string Name(cudnnStatus_t status) => Enum.GetName(ToVersion9(status)) ?? Text(status) ?? "unknown status";

    /// <summary>The library's description; null while no library is chosen.</summary>
    internal static unsafe string? Text(cudnnStatus_t status) =>
        NativeLibraries.Current is null ? null : Marshal.PtrToStringUTF8((nint)Cudnn.cudnnGetErrorString(status));

    /// <summary>What cuDNN says of the calling thread's last failure: cuDNN 9 only, null from 8.</summary>
    internal static unsafe string? LastErrorText()
    {
        if (NativeLibraries.Current is null || !NativeLibraries.TryGetExport(NativeLibraryNames.Cudnn, "cudnnGetLastErrorString", out _))
            return null;
        const int maxBytes = 1024;
        byte* text = stackalloc byte[maxBytes];
        text[0] = 0;
        Cudnn.cudnnGetLastErrorString(text, maxBytes);
        // The manual doesn't promise an end after a text that was cut.
        text[maxBytes - 1] = 0;
        return Marshal.PtrToStringUTF8((nint)text);
    }
}
