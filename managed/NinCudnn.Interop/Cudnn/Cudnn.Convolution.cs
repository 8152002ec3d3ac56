// cuDNN: convolution, its descriptor, its algorithms and their workspace.
// Header: cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cudnn
{
    // cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* convDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnCreateConvolutionDescriptor(out cudnnConvolutionDescriptor_t convDesc);

    // cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t convDesc, int pad_h, int pad_w, int u, int v,
    //     int dilation_h, int dilation_w, cudnnConvolutionMode_t mode, cudnnDataType_t computeType);
    // u and v are the strides; computeType is the accumulator's type.
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnSetConvolution2dDescriptor(
        cudnnConvolutionDescriptor_t convDesc, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w,
        cudnnConvolutionMode_t mode, cudnnDataType_t computeType);

    // cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convDesc, cudnnMathType_t mathType);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convDesc, cudnnMathType_t mathType);

    // cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convDesc);

    // cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t handle, const cudnnTensorDescriptor_t srcDesc,
    //     const cudnnFilterDescriptor_t filterDesc, const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t destDesc,
    //     const int requestedAlgoCount, int* returnedAlgoCount, cudnnConvolutionFwdAlgoPerf_t* perfResults);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(
        cudnnHandle_t handle, cudnnTensorDescriptor_t srcDesc, cudnnFilterDescriptor_t filterDesc, cudnnConvolutionDescriptor_t convDesc,
        cudnnTensorDescriptor_t destDesc, int requestedAlgoCount, out int returnedAlgoCount, cudnnConvolutionFwdAlgoPerf_t* perfResults);

    // cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t handle, const cudnnFilterDescriptor_t filterDesc,
    //     const cudnnTensorDescriptor_t diffDesc, const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t gradDesc,
    //     const int requestedAlgoCount, int* returnedAlgoCount, cudnnConvolutionBwdDataAlgoPerf_t* perfResults);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
        cudnnHandle_t handle, cudnnFilterDescriptor_t filterDesc, cudnnTensorDescriptor_t diffDesc, cudnnConvolutionDescriptor_t convDesc,
        cudnnTensorDescriptor_t gradDesc, int requestedAlgoCount, out int returnedAlgoCount,
        cudnnConvolutionBwdDataAlgoPerf_t* perfResults);

    // cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(cudnnHandle_t handle, const cudnnTensorDescriptor_t srcDesc,
    //     const cudnnTensorDescriptor_t diffDesc, const cudnnConvolutionDescriptor_t convDesc, const cudnnFilterDescriptor_t gradDesc,
    //     const int requestedAlgoCount, int* returnedAlgoCount, cudnnConvolutionBwdFilterAlgoPerf_t* perfResults);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
        cudnnHandle_t handle, cudnnTensorDescriptor_t srcDesc, cudnnTensorDescriptor_t diffDesc, cudnnConvolutionDescriptor_t convDesc,
        cudnnFilterDescriptor_t gradDesc, int requestedAlgoCount, out int returnedAlgoCount,
        cudnnConvolutionBwdFilterAlgoPerf_t* perfResults);

    // cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc,
    //     const cudnnFilterDescriptor_t wDesc, const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t yDesc,
    //     cudnnConvolutionFwdAlgo_t algo, size_t* sizeInBytes);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(
        cudnnHandle_t handle, cudnnTensorDescriptor_t xDesc, cudnnFilterDescriptor_t wDesc, cudnnConvolutionDescriptor_t convDesc,
        cudnnTensorDescriptor_t yDesc, cudnnConvolutionFwdAlgo_t algo, out nuint sizeInBytes);

    // cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(cudnnHandle_t handle, const cudnnFilterDescriptor_t wDesc,
    //     const cudnnTensorDescriptor_t dyDesc, const cudnnConvolutionDescriptor_t convDesc, const cudnnTensorDescriptor_t dxDesc,
    //     cudnnConvolutionBwdDataAlgo_t algo, size_t* sizeInBytes);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
        cudnnHandle_t handle, cudnnFilterDescriptor_t wDesc, cudnnTensorDescriptor_t dyDesc, cudnnConvolutionDescriptor_t convDesc,
        cudnnTensorDescriptor_t dxDesc, cudnnConvolutionBwdDataAlgo_t algo, out nuint sizeInBytes);

    // cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(cudnnHandle_t handle, const cudnnTensorDescriptor_t xDesc,
    //     const cudnnTensorDescriptor_t dyDesc, const cudnnConvolutionDescriptor_t convDesc, const cudnnFilterDescriptor_t gradDesc,
    //     cudnnConvolutionBwdFilterAlgo_t algo, size_t* sizeInBytes);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
        cudnnHandle_t handle, cudnnTensorDescriptor_t xDesc, cudnnTensorDescriptor_t dyDesc, cudnnConvolutionDescriptor_t convDesc,
        cudnnFilterDescriptor_t gradDesc, cudnnConvolutionBwdFilterAlgo_t algo, out nuint sizeInBytes);

    // cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t xDesc, const void* x,
    //     const cudnnFilterDescriptor_t wDesc, const void* w, const cudnnConvolutionDescriptor_t convDesc,
    //     cudnnConvolutionFwdAlgo_t algo, void* workSpace, size_t workSpaceSizeInBytes, const void* beta,
    //     const cudnnTensorDescriptor_t yDesc, void* y);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnConvolutionForward(
        cudnnHandle_t handle, void* alpha, cudnnTensorDescriptor_t xDesc, void* x, cudnnFilterDescriptor_t wDesc, void* w,
        cudnnConvolutionDescriptor_t convDesc, cudnnConvolutionFwdAlgo_t algo, void* workSpace, nuint workSpaceSizeInBytes, void* beta,
        cudnnTensorDescriptor_t yDesc, void* y);

    // cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha, const cudnnFilterDescriptor_t wDesc,
    //     const void* w, const cudnnTensorDescriptor_t dyDesc, const void* dy, const cudnnConvolutionDescriptor_t convDesc,
    //     cudnnConvolutionBwdDataAlgo_t algo, void* workSpace, size_t workSpaceSizeInBytes, const void* beta,
    //     const cudnnTensorDescriptor_t dxDesc, void* dx);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnConvolutionBackwardData(
        cudnnHandle_t handle, void* alpha, cudnnFilterDescriptor_t wDesc, void* w, cudnnTensorDescriptor_t dyDesc, void* dy,
        cudnnConvolutionDescriptor_t convDesc, cudnnConvolutionBwdDataAlgo_t algo, void* workSpace, nuint workSpaceSizeInBytes, void* beta,
        cudnnTensorDescriptor_t dxDesc, void* dx);

    // cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t xDesc,
    //     const void* x, const cudnnTensorDescriptor_t dyDesc, const void* dy, const cudnnConvolutionDescriptor_t convDesc,
    //     cudnnConvolutionBwdFilterAlgo_t algo, void* workSpace, size_t workSpaceSizeInBytes, const void* beta,
    //     const cudnnFilterDescriptor_t dwDesc, void* dw);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnConvolutionBackwardFilter(
        cudnnHandle_t handle, void* alpha, cudnnTensorDescriptor_t xDesc, void* x, cudnnTensorDescriptor_t dyDesc, void* dy,
        cudnnConvolutionDescriptor_t convDesc, cudnnConvolutionBwdFilterAlgo_t algo, void* workSpace, nuint workSpaceSizeInBytes,
        void* beta, cudnnFilterDescriptor_t dwDesc, void* dw);

    // cudnnStatus_t cudnnConvolutionBackwardBias(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t dyDesc,
    //     const void* dy, const void* beta, const cudnnTensorDescriptor_t dbDesc, void* db);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnConvolutionBackwardBias(
        cudnnHandle_t handle, void* alpha, cudnnTensorDescriptor_t dyDesc, void* dy, void* beta, cudnnTensorDescriptor_t dbDesc, void* db);

    // cudnnStatus_t cudnnConvolutionBiasActivationForward(cudnnHandle_t handle, const void* alpha1, const cudnnTensorDescriptor_t xDesc,
    //     const void* x, const cudnnFilterDescriptor_t wDesc, const void* w, const cudnnConvolutionDescriptor_t convDesc,
    //     cudnnConvolutionFwdAlgo_t algo, void* workSpace, size_t workSpaceSizeInBytes, const void* alpha2,
    //     const cudnnTensorDescriptor_t zDesc, const void* z, const cudnnTensorDescriptor_t biasDesc, const void* bias,
    //     const cudnnActivationDescriptor_t activationDesc, const cudnnTensorDescriptor_t yDesc, void* y);
    // No beta: y = activation(alpha1 * conv(x, w) + alpha2 * z + bias); z and bias may not be null.
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnConvolutionBiasActivationForward(
        cudnnHandle_t handle, void* alpha1, cudnnTensorDescriptor_t xDesc, void* x, cudnnFilterDescriptor_t wDesc, void* w,
        cudnnConvolutionDescriptor_t convDesc, cudnnConvolutionFwdAlgo_t algo, void* workSpace, nuint workSpaceSizeInBytes, void* alpha2,
        cudnnTensorDescriptor_t zDesc, void* z, cudnnTensorDescriptor_t biasDesc, void* bias, cudnnActivationDescriptor_t activationDesc,
        cudnnTensorDescriptor_t yDesc, void* y);
}
