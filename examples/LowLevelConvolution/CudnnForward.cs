using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;

namespace LowLevelConvolution;

/// <summary>A convolution by the calls that NVIDIA's manual describes; NinCudnn.Interop has them under the same names.</summary>
internal static unsafe class CudnnForward
{
    /// <summary>Queues y = conv(x, w).</summary>
    public static void Run(DeviceStream stream, ConvolutionShape shape, DeviceMemory x, DeviceMemory w, DeviceMemory y)
    {
        const cudnnTensorFormat_t nhwc = cudnnTensorFormat_t.CUDNN_TENSOR_NHWC;
        const cudnnDataType_t float32 = cudnnDataType_t.CUDNN_DATA_FLOAT;
        TensorShape input = shape.Input, output = shape.Output;

        // Every status is checked: ThrowIfFailed names the function and gives the library's own text.
        Cudnn.cudnnCreate(out cudnnHandle_t cudnn).ThrowIfFailed();
        Cudnn.cudnnSetStream(cudnn, stream.Handle).ThrowIfFailed();
        Cudnn.cudnnCreateTensorDescriptor(out cudnnTensorDescriptor_t xDesc).ThrowIfFailed();
        Cudnn.cudnnSetTensor4dDescriptor(xDesc, nhwc, float32, input.N, input.C, input.H, input.W).ThrowIfFailed();
        Cudnn.cudnnCreateTensorDescriptor(out cudnnTensorDescriptor_t yDesc).ThrowIfFailed();
        Cudnn.cudnnSetTensor4dDescriptor(yDesc, nhwc, float32, output.N, output.C, output.H, output.W).ThrowIfFailed();
        Cudnn.cudnnCreateFilterDescriptor(out cudnnFilterDescriptor_t wDesc).ThrowIfFailed();
        Cudnn.cudnnSetFilter4dDescriptor(wDesc, float32, nhwc, shape.K, input.C, shape.R, shape.S).ThrowIfFailed();
        Cudnn.cudnnCreateConvolutionDescriptor(out cudnnConvolutionDescriptor_t convDesc).ThrowIfFailed();
        Cudnn.cudnnSetConvolution2dDescriptor(
            convDesc, shape.PadH, shape.PadW, shape.StrideH, shape.StrideW, dilation_h: 1, dilation_w: 1,
            cudnnConvolutionMode_t.CUDNN_CROSS_CORRELATION, float32).ThrowIfFailed();

        // Not every algorithm takes every shape; cuDNN names those that do, the fastest first.
        cudnnConvolutionFwdAlgoPerf_t best;
        Cudnn.cudnnGetConvolutionForwardAlgorithm_v7(cudnn, xDesc, wDesc, convDesc, yDesc, 1, out _, &best).ThrowIfFailed();
        best.status.ThrowIfFailed("the best algorithm");
        using DeviceBuffer<byte>? workspace = best.memory > 0 ? stream.Device.Allocate<byte>((long)best.memory) : null;
        float alpha = 1, beta = 0;
        Cudnn.cudnnConvolutionForward(
            cudnn, &alpha, xDesc, x.Address.Pointer, wDesc, w.Address.Pointer, convDesc,
            best.algo, workspace is null ? null : workspace.Memory.Address.Pointer, best.memory, &beta, yDesc, y.Address.Pointer).ThrowIfFailed();
        stream.Synchronize(); // before the workspace goes

        Cudnn.cudnnDestroyConvolutionDescriptor(convDesc).ThrowIfFailed();
        Cudnn.cudnnDestroyFilterDescriptor(wDesc).ThrowIfFailed();
        Cudnn.cudnnDestroyTensorDescriptor(yDesc).ThrowIfFailed();
        Cudnn.cudnnDestroyTensorDescriptor(xDesc).ThrowIfFailed();
        Cudnn.cudnnDestroy(cudnn).ThrowIfFailed();
    }
}
