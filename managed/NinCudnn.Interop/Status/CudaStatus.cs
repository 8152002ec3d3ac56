using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>What a <see cref="CUresult"/> means beyond its number.</summary>
public static class CudaStatus
{
    /// <summary>
    /// Whether the error stays: every later CUDA call of the process returns it again and only a new process recovers
    /// (<c>cuda.h</c>, at the enumerator).
    /// </summary>
    public static bool IsSticky(CUresult status) => status is
        CUresult.CUDA_ERROR_CONTAINED or
        CUresult.CUDA_ERROR_ILLEGAL_ADDRESS or
        CUresult.CUDA_ERROR_LAUNCH_TIMEOUT or
        CUresult.CUDA_ERROR_ASSERT or
        CUresult.CUDA_ERROR_HARDWARE_STACK_ERROR or
        CUresult.CUDA_ERROR_ILLEGAL_INSTRUCTION or
        CUresult.CUDA_ERROR_MISALIGNED_ADDRESS or
        CUresult.CUDA_ERROR_INVALID_ADDRESS_SPACE or
        CUresult.CUDA_ERROR_INVALID_PC or
        CUresult.CUDA_ERROR_LAUNCH_FAILED or
        CUresult.CUDA_ERROR_TENSOR_MEMORY_LEAK;

    /// <summary>The enumerator's name; for a status newer than our declarations, the driver's name for it.</summary>
    internal static unsafe string Name(CUresult status)
    {
        if (Enum.GetName(status) is { } name)
            return name;
        byte* text = null;
        if (NativeLibraries.Current is not null)
            Cuda.cuGetErrorName(status, out text);
        return Marshal.PtrToStringUTF8((nint)text) ?? "unknown status";
    }

    /// <summary>The driver's description; null while no driver is chosen and for a status that it doesn't know.</summary>
    internal static unsafe string? Text(CUresult status)
    {
        byte* text = null;
        if (NativeLibraries.Current is not null)
            Cuda.cuGetErrorString(status, out text);
        return Marshal.PtrToStringUTF8((nint)text);
    }
}
