// Structs of cuBLASLt that callers hold by value.
// Header: cublasLt.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

// typedef struct { uint64_t data[8]; } cublasLtMatmulAlgo_t;
// Copied by value; valid only for the library version that made it.
[StructLayout(LayoutKind.Sequential)]
public unsafe struct cublasLtMatmulAlgo_t
{
    public fixed ulong data[8];
}

// typedef struct { cublasLtMatmulAlgo_t algo; size_t workspaceSize; cublasStatus_t state; float wavesCount; int reserved[4]; }
//     cublasLtMatmulHeuristicResult_t;
[StructLayout(LayoutKind.Sequential)]
public unsafe struct cublasLtMatmulHeuristicResult_t
{
    public cublasLtMatmulAlgo_t algo;
    public nuint workspaceSize;
    public cublasStatus_t state;
    public float wavesCount;
    public fixed int reserved[4];
}
