// CUDA driver: graphs.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cuda
{
    // CUresult cuGraphInstantiateWithFlags(CUgraphExec* phGraphExec, CUgraph hGraph, unsigned long long flags);
    [LibraryImport(Library)]
    public static partial CUresult cuGraphInstantiateWithFlags(out CUgraphExec phGraphExec, CUgraph hGraph, ulong flags);

    // CUresult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream);
    [LibraryImport(Library)]
    public static partial CUresult cuGraphLaunch(CUgraphExec hGraphExec, CUstream hStream);

    // CUresult cuGraphGetNodes(CUgraph hGraph, CUgraphNode* nodes, size_t* numNodes);
    // numNodes is in and out; with a null array it only receives the count.
    [LibraryImport(Library)]
    public static partial CUresult cuGraphGetNodes(CUgraph hGraph, CUgraphNode* nodes, ref nuint numNodes);

    // CUresult cuGraphDestroy(CUgraph hGraph);
    [LibraryImport(Library)]
    public static partial CUresult cuGraphDestroy(CUgraph hGraph);

    // CUresult cuGraphExecDestroy(CUgraphExec hGraphExec);
    [LibraryImport(Library)]
    public static partial CUresult cuGraphExecDestroy(CUgraphExec hGraphExec);
}
