// CUDA driver: modules (PTX) and kernel launches.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int numOptions, CUjit_option* options,
    //     void** optionValues);
    // PTX text must end in a NUL. An optionValues cell holds a scalar option itself, or a buffer's address.
    [LibraryImport(Library)]
    public static partial CUresult cuModuleLoadDataEx(
        out CUmodule module, void* image, uint numOptions, CUjit_option* options, void** optionValues);

    // CUresult cuModuleUnload(CUmodule hmod);
    [LibraryImport(Library)]
    public static partial CUresult cuModuleUnload(CUmodule hmod);

    // CUresult cuModuleGetFunction(CUfunction* hfunc, CUmodule hmod, const char* name);
    [LibraryImport(Library)]
    public static partial CUresult cuModuleGetFunction(out CUfunction hfunc, CUmodule hmod, byte* name);

    // CUresult cuLaunchKernel(CUfunction f, unsigned int gridDimX, unsigned int gridDimY, unsigned int gridDimZ, unsigned int blockDimX,
    //     unsigned int blockDimY, unsigned int blockDimZ, unsigned int sharedMemBytes, CUstream hStream, void** kernelParams,
    //     void** extra);
    // kernelParams[i] is the address of the i-th argument; the values are copied during the call.
    [LibraryImport(Library)]
    public static partial CUresult cuLaunchKernel(
        CUfunction f, uint gridDimX, uint gridDimY, uint gridDimZ, uint blockDimX, uint blockDimY, uint blockDimZ, uint sharedMemBytes,
        CUstream hStream, void** kernelParams, void** extra);
}
