// CUDA driver: initialisation, version and devices.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuInit(unsigned int Flags);
    [LibraryImport(Library)]
    public static partial CUresult cuInit(uint Flags);

    // CUresult cuDriverGetVersion(int* driverVersion);
    [LibraryImport(Library)]
    public static partial CUresult cuDriverGetVersion(out int driverVersion);

    // CUresult cuDeviceGetCount(int* count);
    [LibraryImport(Library)]
    public static partial CUresult cuDeviceGetCount(out int count);

    // CUresult cuDeviceGet(CUdevice* device, int ordinal);
    [LibraryImport(Library)]
    public static partial CUresult cuDeviceGet(out CUdevice device, int ordinal);

    // CUresult cuDeviceGetName(char* name, int len, CUdevice dev);
    [LibraryImport(Library)]
    public static partial CUresult cuDeviceGetName(byte* name, int len, CUdevice dev);

    // CUresult cuDeviceGetAttribute(int* pi, CUdevice_attribute attrib, CUdevice dev);
    [LibraryImport(Library)]
    public static partial CUresult cuDeviceGetAttribute(out int pi, CUdevice_attribute attrib, CUdevice dev);

    // CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice dev);
    [LibraryImport(Library)]
    public static partial CUresult cuDeviceTotalMem_v2(out nuint bytes, CUdevice dev);
}
