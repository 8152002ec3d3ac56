// cuDNN: filter descriptors.
// Header: cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cudnn
{
    // cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filterDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnCreateFilterDescriptor(out cudnnFilterDescriptor_t filterDesc);

    // cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filterDesc, cudnnDataType_t dataType, cudnnTensorFormat_t format,
    //     int k, int c, int h, int w);
    // Data type, then format: the reverse of cudnnSetTensor4dDescriptor.
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnSetFilter4dDescriptor(
        cudnnFilterDescriptor_t filterDesc, cudnnDataType_t dataType, cudnnTensorFormat_t format, int k, int c, int h, int w);

    // cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filterDesc);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filterDesc);
}
