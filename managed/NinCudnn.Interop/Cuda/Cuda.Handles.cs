// Handles of the CUDA driver: one struct each, so that two of them cannot be swapped. default is the null handle.
// Header: cuda.h of CUDA 12.4 and 12.6.
using System.Globalization;

namespace NinCudnn.Interop;

// typedef int CUdevice;
public readonly record struct CUdevice(int Value);

// typedef struct CUctx_st* CUcontext;
public readonly record struct CUcontext(nint Value);

// typedef struct CUmod_st* CUmodule;
public readonly record struct CUmodule(nint Value);

// typedef struct CUfunc_st* CUfunction;
public readonly record struct CUfunction(nint Value);

// typedef struct CUstream_st* CUstream; the runtime's cudaStream_t is the same type.
public readonly record struct CUstream(nint Value);

// typedef struct CUevent_st* CUevent;
public readonly record struct CUevent(nint Value);

// typedef struct CUgraph_st* CUgraph;
public readonly record struct CUgraph(nint Value);

// typedef struct CUgraphExec_st* CUgraphExec;
public readonly record struct CUgraphExec(nint Value);

// typedef struct CUgraphNode_st* CUgraphNode;
public readonly record struct CUgraphNode(nint Value);

// typedef unsigned long long CUdeviceptr; a number, not a pointer: only the device may dereference it.
public readonly record struct CUdeviceptr(ulong Value)
{
    /// <summary>The address as cuDNN and cuBLAS take it. The host must not dereference it.</summary>
    public unsafe void* Pointer => (void*)Value;

    /// <summary>The address <paramref name="byteOffset"/> bytes further on.</summary>
    public static CUdeviceptr operator +(CUdeviceptr address, long byteOffset) => new(unchecked(address.Value + (ulong)byteOffset));

    /// <summary>The address <paramref name="byteOffset"/> bytes further on.</summary>
    public static CUdeviceptr operator +(CUdeviceptr address, ulong byteOffset) => new(address.Value + byteOffset);

    /// <summary>The address in hexadecimal.</summary>
    public override string ToString() => "0x" + Value.ToString("x", CultureInfo.InvariantCulture);
}
