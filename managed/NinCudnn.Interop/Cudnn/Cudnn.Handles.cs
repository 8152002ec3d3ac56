// Handles of cuDNN, one struct each, so that two of them cannot be swapped. default is the null handle.
// Header: cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
namespace NinCudnn.Interop;

// typedef struct cudnnContext* cudnnHandle_t;
public readonly record struct cudnnHandle_t(nint Value);

// typedef struct cudnnTensorStruct* cudnnTensorDescriptor_t;
public readonly record struct cudnnTensorDescriptor_t(nint Value);

// typedef struct cudnnFilterStruct* cudnnFilterDescriptor_t;
public readonly record struct cudnnFilterDescriptor_t(nint Value);

// typedef struct cudnnConvolutionStruct* cudnnConvolutionDescriptor_t;
public readonly record struct cudnnConvolutionDescriptor_t(nint Value);

// typedef struct cudnnActivationStruct* cudnnActivationDescriptor_t;
public readonly record struct cudnnActivationDescriptor_t(nint Value);

// typedef struct cudnnPoolingStruct* cudnnPoolingDescriptor_t;
public readonly record struct cudnnPoolingDescriptor_t(nint Value);
