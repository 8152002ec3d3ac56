// cuBLAS: handle, settings, error texts and matrix products.
// Header: cublas_v2.h and cublas_api.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>
/// cuBLAS, bound by exported symbol. Names, parameter order and types are those of cuBLAS's headers.
/// </summary>
public static unsafe partial class Cublas
{
    private const string Library = NativeLibraryNames.Cublas;

    // cublasStatus_t cublasCreate_v2(cublasHandle_t* handle);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasCreate_v2(out cublasHandle_t handle);

    // cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasDestroy_v2(cublasHandle_t handle);

    // cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t streamId);
    // Resets the workspace to the internal pool: set the workspace after it.
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, CUstream streamId);

    // cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t workspaceSizeInBytes);
    // workspace is device memory, aligned to 256 bytes.
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, nuint workspaceSizeInBytes);

    // cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode);

    // cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, int* version);
    // The handle may be null.
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasGetVersion_v2(cublasHandle_t handle, out int version);

    // const char* cublasGetStatusName(cublasStatus_t status);
    [LibraryImport(Library)]
    public static partial byte* cublasGetStatusName(cublasStatus_t status);

    // const char* cublasGetStatusString(cublasStatus_t status);
    [LibraryImport(Library)]
    public static partial byte* cublasGetStatusString(cublasStatus_t status);

    // cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n, int k,
    //     const void* alpha, const void* A, cudaDataType Atype, int lda, const void* B, cudaDataType Btype, int ldb, const void* beta,
    //     void* C, cudaDataType Ctype, int ldc, cublasComputeType_t computeType, cublasGemmAlgo_t algo);
    // Column-major; alpha and beta have the scale type that belongs to computeType.
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasGemmEx(
        cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m, int n, int k, void* alpha, void* A,
        cudaDataType_t Atype, int lda, void* B, cudaDataType_t Btype, int ldb, void* beta, void* C, cudaDataType_t Ctype, int ldc,
        cublasComputeType_t computeType, cublasGemmAlgo_t algo);
}
