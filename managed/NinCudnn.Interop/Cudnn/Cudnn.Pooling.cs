// cuDNN: pooling.
// Header: cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cudnn
{
    // cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* poolingDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnCreatePoolingDescriptor(out cudnnPoolingDescriptor_t poolingDesc);

    // cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t poolingDesc, cudnnPoolingMode_t mode,
    //     cudnnNanPropagation_t maxpoolingNanOpt, int windowHeight, int windowWidth, int verticalPadding, int horizontalPadding,
    //     int verticalStride, int horizontalStride);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnSetPooling2dDescriptor(
        cudnnPoolingDescriptor_t poolingDesc, cudnnPoolingMode_t mode, cudnnNanPropagation_t maxpoolingNanOpt, int windowHeight,
        int windowWidth, int verticalPadding, int horizontalPadding, int verticalStride, int horizontalStride);

    // cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t poolingDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t poolingDesc);

    // cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t poolingDesc, const void* alpha,
    //     const cudnnTensorDescriptor_t xDesc, const void* x, const void* beta, const cudnnTensorDescriptor_t yDesc, void* y);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnPoolingForward(
        cudnnHandle_t handle, cudnnPoolingDescriptor_t poolingDesc, void* alpha, cudnnTensorDescriptor_t xDesc, void* x, void* beta,
        cudnnTensorDescriptor_t yDesc, void* y);

    // cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t poolingDesc, const void* alpha,
    //     const cudnnTensorDescriptor_t yDesc, const void* y, const cudnnTensorDescriptor_t dyDesc, const void* dy,
    //     const cudnnTensorDescriptor_t xDesc, const void* x, const void* beta, const cudnnTensorDescriptor_t dxDesc, void* dx);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnPoolingBackward(
        cudnnHandle_t handle, cudnnPoolingDescriptor_t poolingDesc, void* alpha, cudnnTensorDescriptor_t yDesc, void* y,
        cudnnTensorDescriptor_t dyDesc, void* dy, cudnnTensorDescriptor_t xDesc, void* x, void* beta, cudnnTensorDescriptor_t dxDesc,
        void* dx);
}
