// cuDNN: tensor descriptors and addition with broadcast.
// Header: cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cudnn
{
    // cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensorDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnCreateTensorDescriptor(out cudnnTensorDescriptor_t tensorDesc);

    // cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType,
    //     int n, int c, int h, int w);
    // Format, then data type: the reverse of cudnnSetFilter4dDescriptor.
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnSetTensor4dDescriptor(
        cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format, cudnnDataType_t dataType, int n, int c, int h, int w);

    // cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensorDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensorDesc);

    // cudnnStatus_t cudnnAddTensor(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t aDesc, const void* A,
    //     const void* beta, const cudnnTensorDescriptor_t cDesc, void* C);
    // C = alpha * A + beta * C; A is broadcast where its extent is 1.
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnAddTensor(
        cudnnHandle_t handle, void* alpha, cudnnTensorDescriptor_t aDesc, void* A, void* beta, cudnnTensorDescriptor_t cDesc, void* C);

    // cudnnStatus_t cudnnTransformTensor(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t xDesc, const void* x,
    //     const void* beta, const cudnnTensorDescriptor_t yDesc, void* y);
    // y = alpha * x + beta * y with x brought into y's layout and type.
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnTransformTensor(
        cudnnHandle_t handle, void* alpha, cudnnTensorDescriptor_t xDesc, void* x, void* beta, cudnnTensorDescriptor_t yDesc, void* y);
}
