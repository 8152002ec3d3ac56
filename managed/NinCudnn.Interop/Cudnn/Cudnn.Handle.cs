// cuDNN: version, error texts and the library handle.
// Header: cudnn_ops.h and cudnn_cnn.h of cuDNN 9.6, compared with cuDNN 8.9.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

public static unsafe partial class Cudnn
{
    // size_t cudnnGetVersion(void);
    [LibraryImport(Library)]
    public static partial nuint cudnnGetVersion();

    // const char* cudnnGetErrorString(cudnnStatus_t status);
    [LibraryImport(Library)]
    public static partial byte* cudnnGetErrorString(cudnnStatus_t status);

    // void cudnnGetLastErrorString(char* message, size_t max_size);
    // cuDNN 9 and later: ask NativeLibraries.TryGetExport before calling.
    [LibraryImport(Library)]
    public static partial void cudnnGetLastErrorString(byte* message, nuint max_size);

    // cudnnStatus_t cudnnCreate(cudnnHandle_t* handle);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnCreate(out cudnnHandle_t handle);

    // cudnnStatus_t cudnnDestroy(cudnnHandle_t handle);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnDestroy(cudnnHandle_t handle);

    // cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t streamId);
    [LibraryImport(Library)]
    public static partial cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, CUstream streamId);
}
