// cuDNN: activations.
// Header: cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cudnn
{
    // cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* activationDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnCreateActivationDescriptor(out cudnnActivationDescriptor_t activationDesc);

    // cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activationDesc, cudnnActivationMode_t mode,
    //     cudnnNanPropagation_t reluNanOpt, double coef);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnSetActivationDescriptor(
        cudnnActivationDescriptor_t activationDesc, cudnnActivationMode_t mode, cudnnNanPropagation_t reluNanOpt, double coef);

    // cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activationDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activationDesc);

    // cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle, cudnnActivationDescriptor_t activationDesc, const void* alpha,
    //     const cudnnTensorDescriptor_t xDesc, const void* x, const void* beta, const cudnnTensorDescriptor_t yDesc, void* y);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnActivationForward(
        cudnnHandle_t handle, cudnnActivationDescriptor_t activationDesc, void* alpha, cudnnTensorDescriptor_t xDesc, void* x, void* beta,
        cudnnTensorDescriptor_t yDesc, void* y);

    // cudnnStatus_t cudnnActivationBackward(cudnnHandle_t handle, cudnnActivationDescriptor_t activationDesc, const void* alpha,
    //     const cudnnTensorDescriptor_t yDesc, const void* y, const cudnnTensorDescriptor_t dyDesc, const void* dy,
    //     const cudnnTensorDescriptor_t xDesc, const void* x, const void* beta, const cudnnTensorDescriptor_t dxDesc, void* dx);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnActivationBackward(
        cudnnHandle_t handle, cudnnActivationDescriptor_t activationDesc, void* alpha, cudnnTensorDescriptor_t yDesc, void* y,
        cudnnTensorDescriptor_t dyDesc, void* dy, cudnnTensorDescriptor_t xDesc, void* x, void* beta, cudnnTensorDescriptor_t dxDesc,
        void* dx);
}
