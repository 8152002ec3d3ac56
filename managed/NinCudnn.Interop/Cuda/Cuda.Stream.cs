// CUDA driver: streams and their capture into graphs.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuStreamCreate(CUstream* phStream, unsigned int Flags);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamCreate(out CUstream phStream, uint Flags);

    // CUresult cuStreamDestroy_v2(CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamDestroy_v2(CUstream hStream);

    // CUresult cuStreamSynchronize(CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamSynchronize(CUstream hStream);

    // CUresult cuStreamQuery(CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamQuery(CUstream hStream);

    // CUresult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, unsigned int Flags);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, uint Flags);

    // CUresult cuStreamBeginCapture_v2(CUstream hStream, CUstreamCaptureMode mode);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamBeginCapture_v2(CUstream hStream, CUstreamCaptureMode mode);

    // CUresult cuStreamEndCapture(CUstream hStream, CUgraph* phGraph);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamEndCapture(CUstream hStream, out CUgraph phGraph);

    // CUresult cuStreamIsCapturing(CUstream hStream, CUstreamCaptureStatus* captureStatus);
    [LibraryImport(Library)]
    public static partial CUresult cuStreamIsCapturing(CUstream hStream, out CUstreamCaptureStatus captureStatus);
}
