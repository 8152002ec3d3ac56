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
    // CUDA 13's header has cuEventElapsedTime_v2 only; look up which of the two is there.
    [LibraryImport(Library)]
    public static partial CUresult cuEventElapsedTime(out float pMilliseconds, CUevent hStart, CUevent hEnd);

    // CUresult cuEventElapsedTime_v2(float* pMilliseconds, CUevent hStart, CUevent hEnd);
    // Since CUDA 12.8.
    [LibraryImport(Library)]
    public static partial CUresult cuEventElapsedTime_v2(out float pMilliseconds, CUevent hStart, CUevent hEnd);
}
