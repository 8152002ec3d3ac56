// CUDA driver: names and texts of its status codes.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuGetErrorName(CUresult error, const char** pStr);
    // For an unknown code the string is null and the status CUDA_ERROR_INVALID_VALUE.
    [LibraryImport(Library)]
    public static partial CUresult cuGetErrorName(CUresult error, out byte* pStr);

    // CUresult cuGetErrorString(CUresult error, const char** pStr);
    // For an unknown code the string is null and the status CUDA_ERROR_INVALID_VALUE.
    [LibraryImport(Library)]
    public static partial CUresult cuGetErrorString(CUresult error, out byte* pStr);
}
