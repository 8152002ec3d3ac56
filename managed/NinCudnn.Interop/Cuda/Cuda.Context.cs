// CUDA driver: the primary context, which cuDNN and cuBLAS use too.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuDevicePrimaryCtxRetain(CUcontext* pctx, CUdevice dev);
    [LibraryImport(Library)]
    public static partial CUresult cuDevicePrimaryCtxRetain(out CUcontext pctx, CUdevice dev);

    // CUresult cuDevicePrimaryCtxRelease_v2(CUdevice dev);
    [LibraryImport(Library)]
    public static partial CUresult cuDevicePrimaryCtxRelease_v2(CUdevice dev);

    // CUresult cuCtxSetCurrent(CUcontext ctx);
    [LibraryImport(Library)]
    public static partial CUresult cuCtxSetCurrent(CUcontext ctx);

    // CUresult cuCtxGetCurrent(CUcontext* pctx);
    [LibraryImport(Library)]
    public static partial CUresult cuCtxGetCurrent(out CUcontext pctx);

    // CUresult cuCtxSynchronize(void);
    [LibraryImport(Library)]
    public static partial CUresult cuCtxSynchronize();

    // CUresult cuCtxGetDevice(CUdevice* device);
    [LibraryImport(Library)]
    public static partial CUresult cuCtxGetDevice(out CUdevice device);
}
