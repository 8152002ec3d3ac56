// Handles of cuBLASLt, one struct each, so that two of them cannot be swapped. default is the null handle.
// Header: cublasLt.h of CUDA 12.4 and 12.6.
namespace NinCudnn.Interop;

// typedef struct cublasLtContext* cublasLtHandle_t;
public readonly record struct cublasLtHandle_t(nint Value);

// typedef cublasLtMatmulDescOpaque_t* cublasLtMatmulDesc_t; the storage behind it differs between versions.
public readonly record struct cublasLtMatmulDesc_t(nint Value);

// typedef cublasLtMatrixLayoutOpaque_t* cublasLtMatrixLayout_t; the storage behind it differs between versions.
public readonly record struct cublasLtMatrixLayout_t(nint Value);

// typedef cublasLtMatmulPreferenceOpaque_t* cublasLtMatmulPreference_t; the storage behind it differs between versions.
public readonly record struct cublasLtMatmulPreference_t(nint Value);
