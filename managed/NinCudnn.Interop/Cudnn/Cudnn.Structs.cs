// Results of cuDNN's algorithm heuristics. Arrays of them step by 48 bytes: 44 of data, 4 of tail padding.
// Header: cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

// typedef struct cudnnConvolutionFwdAlgoPerfStruct { ... } cudnnConvolutionFwdAlgoPerf_t;
[StructLayout(LayoutKind.Sequential)]
public unsafe struct cudnnConvolutionFwdAlgoPerf_t
{
    public cudnnConvolutionFwdAlgo_t algo;
    public cudnnStatus_t status;
    public float time;
    public nuint memory;
    public cudnnDeterminism_t determinism;
    public cudnnMathType_t mathType;
    public fixed int reserved[3];
}

// typedef struct cudnnConvolutionBwdDataAlgoPerfStruct { ... } cudnnConvolutionBwdDataAlgoPerf_t;
[StructLayout(LayoutKind.Sequential)]
public unsafe struct cudnnConvolutionBwdDataAlgoPerf_t
{
    public cudnnConvolutionBwdDataAlgo_t algo;
    public cudnnStatus_t status;
    public float time;
    public nuint memory;
    public cudnnDeterminism_t determinism;
    public cudnnMathType_t mathType;
    public fixed int reserved[3];
}

// typedef struct cudnnConvolutionBwdFilterAlgoPerfStruct { ... } cudnnConvolutionBwdFilterAlgoPerf_t;
[StructLayout(LayoutKind.Sequential)]
public unsafe struct cudnnConvolutionBwdFilterAlgoPerf_t
{
    public cudnnConvolutionBwdFilterAlgo_t algo;
    public cudnnStatus_t status;
    public float time;
    public nuint memory;
    public cudnnDeterminism_t determinism;
    public cudnnMathType_t mathType;
    public fixed int reserved[3];
}
