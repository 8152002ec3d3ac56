// CUDA driver: events.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuEventCreate(CUevent* phEvent, unsigned int Flags);
    [LibraryImport(Library)]
    public static partial CUresult cuEventCreate(out CUevent phEvent, uint Flags);

    // CUresult cuEventDestroy_v2(CUevent hEvent);
    [LibraryImport(Library)]
    public static partial CUresult cuEventDestroy_v2(CUevent hEvent);

    // CUresult cuEventRecord(CUevent hEvent, CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuEventRecord(CUevent hEvent, CUstream hStream);

    // CUresult cuEventQuery(CUevent hEvent);
    [LibraryImport(Library)]
    public static partial CUresult cuEventQuery(CUevent hEvent);

    // CUresult cuEventSynchronize(CUevent hEvent);
    [LibraryImport(Library)]
    public static partial CUresult cuEventSynchronize(CUevent hEvent);

    // CUresult cuEventElapsedTime(float* pMilliseconds, CUevent hStart, CUevent hEnd);
    // CUDA 13's header maps this name to cuEventElapsedTime_v2 (same signature); the older export stays in the driver.
    [LibraryImport(Library)]
    public static partial CUresult cuEventElapsedTime(out float pMilliseconds, CUevent hStart, CUevent hEnd);
}
