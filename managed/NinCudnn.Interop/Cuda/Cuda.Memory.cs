// CUDA driver: device memory, page-locked host memory, copies and fills.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuMemGetInfo_v2(size_t* free, size_t* total);
    [LibraryImport(Library)]
    public static partial CUresult cuMemGetInfo_v2(out nuint free, out nuint total);

    // CUresult cuMemAlloc_v2(CUdeviceptr* dptr, size_t bytesize);
    [LibraryImport(Library)]
    public static partial CUresult cuMemAlloc_v2(out CUdeviceptr dptr, nuint bytesize);

    // CUresult cuMemFree_v2(CUdeviceptr dptr);
    [LibraryImport(Library)]
    public static partial CUresult cuMemFree_v2(CUdeviceptr dptr);

    // CUresult cuMemHostAlloc(void** pp, size_t bytesize, unsigned int Flags);
    [LibraryImport(Library)]
    public static partial CUresult cuMemHostAlloc(out void* pp, nuint bytesize, uint Flags);

    // CUresult cuMemFreeHost(void* p);
    [LibraryImport(Library)]
    public static partial CUresult cuMemFreeHost(void* p);

    // CUresult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, const void* srcHost, size_t ByteCount);
    [LibraryImport(Library)]
    public static partial CUresult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, void* srcHost, nuint ByteCount);

    // CUresult cuMemcpyDtoH_v2(void* dstHost, CUdeviceptr srcDevice, size_t ByteCount);
    [LibraryImport(Library)]
    public static partial CUresult cuMemcpyDtoH_v2(void* dstHost, CUdeviceptr srcDevice, nuint ByteCount);

    // CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr dstDevice, const void* srcHost, size_t ByteCount, CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr dstDevice, void* srcHost, nuint ByteCount, CUstream hStream);

    // CUresult cuMemcpyDtoHAsync_v2(void* dstHost, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuMemcpyDtoHAsync_v2(void* dstHost, CUdeviceptr srcDevice, nuint ByteCount, CUstream hStream);

    // CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, nuint ByteCount, CUstream hStream);

    // CUresult cuMemsetD8Async(CUdeviceptr dstDevice, unsigned char uc, size_t N, CUstream hStream);
    // N counts bytes.
    [LibraryImport(Library)]
    public static partial CUresult cuMemsetD8Async(CUdeviceptr dstDevice, byte uc, nuint N, CUstream hStream);

    // CUresult cuMemsetD32Async(CUdeviceptr dstDevice, unsigned int ui, size_t N, CUstream hStream);
    // N counts 32-bit elements, not bytes.
    [LibraryImport(Library)]
    public static partial CUresult cuMemsetD32Async(CUdeviceptr dstDevice, uint ui, nuint N, CUstream hStream);

    // CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr ptr);
    [LibraryImport(Library)]
    public static partial CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr ptr);
}
