// Handles of cuBLAS. default is the null handle.
// Header: cublas_api.h of CUDA 12.4 and 12.6.
namespace NinCudnn.Interop;

// typedef struct cublasContext* cublasHandle_t;
public readonly record struct cublasHandle_t(nint Value);
