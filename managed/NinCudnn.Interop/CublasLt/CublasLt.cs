// cuBLASLt: matrix products with fused epilogues.
// Header: cublasLt.h of CUDA 12.4 and 12.6.
using System.Runtime.InteropServices;

namespace NinCudnn.Interop;

/// <summary>
/// cuBLASLt. Names, parameter order and types are those of <c>cublasLt.h</c>.
/// </summary>
public static unsafe partial class CublasLt
{
    private const string Library = NativeLibraryNames.CublasLt;

    // cublasStatus_t cublasLtCreate(cublasLtHandle_t* lightHandle);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtCreate(out cublasLtHandle_t lightHandle);

    // cublasStatus_t cublasLtDestroy(cublasLtHandle_t lightHandle);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtDestroy(cublasLtHandle_t lightHandle);

    // cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* matmulDesc, cublasComputeType_t computeType,
    //     cudaDataType_t scaleType);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmulDescCreate(
        out cublasLtMatmulDesc_t matmulDesc, cublasComputeType_t computeType, cudaDataType_t scaleType);

    // cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t matmulDesc);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t matmulDesc);

    // cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t matmulDesc, cublasLtMatmulDescAttributes_t attr,
    //     const void* buf, size_t sizeInBytes);
    // sizeInBytes must be exactly the attribute's size.
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmulDescSetAttribute(
        cublasLtMatmulDesc_t matmulDesc, cublasLtMatmulDescAttributes_t attr, void* buf, nuint sizeInBytes);

    // cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* matLayout, cudaDataType type, uint64_t rows, uint64_t cols,
    //     int64_t ld);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatrixLayoutCreate(
        out cublasLtMatrixLayout_t matLayout, cudaDataType_t type, ulong rows, ulong cols, long ld);

    // cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t matLayout);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t matLayout);

    // cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t matLayout, cublasLtMatrixLayoutAttribute_t attr,
    //     const void* buf, size_t sizeInBytes);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatrixLayoutSetAttribute(
        cublasLtMatrixLayout_t matLayout, cublasLtMatrixLayoutAttribute_t attr, void* buf, nuint sizeInBytes);

    // cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* pref);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmulPreferenceCreate(out cublasLtMatmulPreference_t pref);

    // cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t pref);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t pref);

    // cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t pref, cublasLtMatmulPreferenceAttributes_t attr,
    //     const void* buf, size_t sizeInBytes);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmulPreferenceSetAttribute(
        cublasLtMatmulPreference_t pref, cublasLtMatmulPreferenceAttributes_t attr, void* buf, nuint sizeInBytes);

    // cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t operationDesc,
    //     cublasLtMatrixLayout_t Adesc, cublasLtMatrixLayout_t Bdesc, cublasLtMatrixLayout_t Cdesc, cublasLtMatrixLayout_t Ddesc,
    //     cublasLtMatmulPreference_t preference, int requestedAlgoCount, cublasLtMatmulHeuristicResult_t* heuristicResultsArray,
    //     int* returnAlgoCount);
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
        cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t operationDesc, cublasLtMatrixLayout_t Adesc, cublasLtMatrixLayout_t Bdesc,
        cublasLtMatrixLayout_t Cdesc, cublasLtMatrixLayout_t Ddesc, cublasLtMatmulPreference_t preference, int requestedAlgoCount,
        cublasLtMatmulHeuristicResult_t* heuristicResultsArray, out int returnAlgoCount);

    // cublasStatus_t cublasLtMatmul(cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t computeDesc, const void* alpha, const void* A,
    //     cublasLtMatrixLayout_t Adesc, const void* B, cublasLtMatrixLayout_t Bdesc, const void* beta, const void* C,
    //     cublasLtMatrixLayout_t Cdesc, void* D, cublasLtMatrixLayout_t Ddesc, const cublasLtMatmulAlgo_t* algo, void* workspace,
    //     size_t workspaceSizeInBytes, cudaStream_t stream);
    // alpha and beta have the scale type; algo may be null.
    [LibraryImport(Library)]
    public static partial cublasStatus_t cublasLtMatmul(
        cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t computeDesc, void* alpha, void* A, cublasLtMatrixLayout_t Adesc, void* B,
        cublasLtMatrixLayout_t Bdesc, void* beta, void* C, cublasLtMatrixLayout_t Cdesc, void* D, cublasLtMatrixLayout_t Ddesc,
        cublasLtMatmulAlgo_t* algo, void* workspace, nuint workspaceSizeInBytes, CUstream stream);

    // size_t cublasLtGetVersion(void);
    [LibraryImport(Library)]
    public static partial nuint cublasLtGetVersion();

    // const char* cublasLtGetStatusName(cublasStatus_t status);
    [LibraryImport(Library)]
    public static partial byte* cublasLtGetStatusName(cublasStatus_t status);

    // const char* cublasLtGetStatusString(cublasStatus_t status);
    [LibraryImport(Library)]
    public static partial byte* cublasLtGetStatusString(cublasStatus_t status);
}
