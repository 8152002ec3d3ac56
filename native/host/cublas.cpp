// cuBLAS: handles and the matrix product (GemmEx, Sgemm).
#include "host/cublas_objects.h"
#include "host/lesser_device.h"

#include <algorithm>

using namespace nin::host;
using namespace nin::host::cublas;

namespace nin::host::cublas
{

cublasContext& checked_handle(cublasHandle_t handle)
{
    const auto context = table<cublasHandle_t, cublasContext>().find(handle);
    if (context == nullptr)
        refuse(CUBLAS_STATUS_NOT_INITIALIZED, "handle was never created or is already destroyed");
    return *context;
}

namespace
{

element_type known_element_type(cudaDataType_t type, const char* name)
{
    switch (type) {
    case CUDA_R_32F:
        return element_type::f32;
    case CUDA_R_16F:
        return element_type::f16;
    case CUDA_R_16BF:
        return element_type::bf16;
    default:
        refuse(CUBLAS_STATUS_NOT_SUPPORTED, name, " has data type ", static_cast<int>(type),
               "; the host provider computes in CUDA_R_32F (0), CUDA_R_16F (2) and CUDA_R_16BF (14)");
    }
}

} // namespace

element_type checked_element_type(cudaDataType_t type, const char* name)
{
    const element_type known = known_element_type(type, name);
    require_supported(lesser().has(known), name, " has data type ", static_cast<int>(type),
                      ", which NIN_HOST_LESSER takes away");
    return known;
}

void check_pointer(const void* pointer, element_type type, const char* name)
{
    require(pointer != nullptr, name, " is null");
    require(reinterpret_cast<uintptr_t>(pointer) % size_of(type) == 0, name, " = ", pointer, " is not aligned to ",
            size_of(type), " bytes");
}

void check_creation()
{
    const CUresult context = check_current_context();
    if (context != CUDA_SUCCESS)
        refuse(CUBLAS_STATUS_NOT_INITIALIZED, "the calling thread has no usable current context: CUDA error ",
               static_cast<int>(context));
    const CUresult allocation = check_allocation_allowed();
    if (allocation != CUDA_SUCCESS)
        refuse(CUBLAS_STATUS_ALLOC_FAILED, "a handle allocates, which a capture forbids: CUDA error ",
               static_cast<int>(allocation));
}

cublasStatus_t enqueue(CUstream stream, operation op)
{
    const char* const name = op.name;
    const CUresult result = submit(stream, std::move(op));
    if (result != CUDA_SUCCESS)
        refuse(CUBLAS_STATUS_EXECUTION_FAILED, name, " could not be put on its stream: CUDA error ",
               static_cast<int>(result));
    return CUBLAS_STATUS_SUCCESS;
}

const char* cublas_status_name(cublasStatus_t status)
{
    switch (status) {
    case CUBLAS_STATUS_SUCCESS:
        return "CUBLAS_STATUS_SUCCESS";
    case CUBLAS_STATUS_NOT_INITIALIZED:
        return "CUBLAS_STATUS_NOT_INITIALIZED";
    case CUBLAS_STATUS_ALLOC_FAILED:
        return "CUBLAS_STATUS_ALLOC_FAILED";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "CUBLAS_STATUS_INVALID_VALUE";
    case CUBLAS_STATUS_ARCH_MISMATCH:
        return "CUBLAS_STATUS_ARCH_MISMATCH";
    case CUBLAS_STATUS_MAPPING_ERROR:
        return "CUBLAS_STATUS_MAPPING_ERROR";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "CUBLAS_STATUS_EXECUTION_FAILED";
    case CUBLAS_STATUS_INTERNAL_ERROR:
        return "CUBLAS_STATUS_INTERNAL_ERROR";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "CUBLAS_STATUS_NOT_SUPPORTED";
    case CUBLAS_STATUS_LICENSE_ERROR:
        return "CUBLAS_STATUS_LICENSE_ERROR";
    }
    return "CUBLAS_STATUS_UNKNOWN";
}

namespace
{

// C = alpha * op(A) * op(B) + beta * C, column-major, as cublasGemmEx describes it.
struct gemm_arguments {
    const char* name;
    cublasOperation_t transa, transb;
    int m, n, k;
    float alpha, beta;
    const void* a;
    cudaDataType_t a_type;
    int lda;
    const void* b;
    cudaDataType_t b_type;
    int ldb;
    void* c;
    cudaDataType_t c_type;
    int ldc;
};

void check_operation(cublasOperation_t operation, const char* name)
{
    require(operation == CUBLAS_OP_N || operation == CUBLAS_OP_T || operation == CUBLAS_OP_C, name, " is ",
            static_cast<int>(operation));
}

void check_leading_dimension(int ld, int rows, const char* name)
{
    require(ld >= std::max(1, rows), name, " = ", ld, " is less than the ", rows, " rows of the matrix as stored");
}

// Bytes from a column-major matrix's first element to past its last.
size_t matrix_bytes(int64_t rows, int64_t columns, int64_t ld, element_type type)
{
    return rows == 0 || columns == 0 ? 0 : static_cast<size_t>((columns - 1) * ld + rows) * size_of(type);
}

cublasStatus_t run_gemm(const cublasContext& context, const gemm_arguments& g)
{
    check_operation(g.transa, "transa");
    check_operation(g.transb, "transb");
    require(g.m >= 0 && g.n >= 0 && g.k >= 0, "m, n, k = ", g.m, ", ", g.n, ", ", g.k, " must not be negative");
    const bool a_is_plain = g.transa == CUBLAS_OP_N, b_is_plain = g.transb == CUBLAS_OP_N;
    const int a_rows = a_is_plain ? g.m : g.k, a_columns = a_is_plain ? g.k : g.m;
    const int b_rows = b_is_plain ? g.k : g.n, b_columns = b_is_plain ? g.n : g.k;
    check_leading_dimension(g.lda, a_rows, "lda");
    check_leading_dimension(g.ldb, b_rows, "ldb");
    check_leading_dimension(g.ldc, g.m, "ldc");
    const element_type a_type = checked_element_type(g.a_type, "A");
    const element_type b_type = checked_element_type(g.b_type, "B");
    const element_type c_type = checked_element_type(g.c_type, "C");
    require_supported(a_type == b_type && (c_type == a_type || c_type == element_type::f32), "A, B, C of data types ",
                      static_cast<int>(g.a_type), ", ", static_cast<int>(g.b_type), ", ", static_cast<int>(g.c_type),
                      ": A and B must be of one type and C of the same or CUDA_R_32F (0)");
    if (g.m == 0 || g.n == 0)
        return CUBLAS_STATUS_SUCCESS;
    if (g.k != 0) {
        check_pointer(g.a, a_type, "A");
        check_pointer(g.b, b_type, "B");
    }
    check_pointer(g.c, c_type, "C");

    if (context.owner != current_context())
        refuse(CUBLAS_STATUS_EXECUTION_FAILED, g.name,
               ": the handle was created in another context than the calling thread's current one");

    // Column-major C = op(A) op(B) is row-major C^T = op(B)^T op(A)^T.
    product_problem problem{};
    problem.rows = g.n;
    problem.columns = g.m;
    problem.depth = g.k;
    problem.a = {b_type, !b_is_plain, g.ldb};
    problem.b = {a_type, !a_is_plain, g.lda};
    problem.result_type = c_type;
    problem.addend_ld = problem.result_ld = g.ldc;
    problem.alpha = g.alpha;
    problem.beta = g.beta;
    const size_t c_bytes = matrix_bytes(g.m, g.n, g.ldc, c_type);
    return enqueue(context.stream, {g.name,
                                    {reads(g.a, matrix_bytes(a_rows, a_columns, g.lda, a_type)),
                                     reads(g.b, matrix_bytes(b_rows, b_columns, g.ldb, b_type)),
                                     g.beta == 0 ? writes(g.c, c_bytes) : updates(g.c, c_bytes),
                                     writes(context.workspace, context.workspace_bytes)},
                                    [product = std::make_shared<const matrix_product>(problem)](void* const* p) {
                                        product->run({.a = p[1], .b = p[0], .addend = p[2], .result = p[2]});
                                    }});
}

bool is_float_compute(cublasComputeType_t type)
{
    return type == CUBLAS_COMPUTE_32F || type == CUBLAS_COMPUTE_32F_PEDANTIC || type == CUBLAS_COMPUTE_32F_FAST_16F ||
           type == CUBLAS_COMPUTE_32F_FAST_16BF || type == CUBLAS_COMPUTE_32F_FAST_TF32;
}

bool is_gemm_algorithm(cublasGemmAlgo_t algo)
{
    return algo == CUBLAS_GEMM_DEFAULT || (algo >= CUBLAS_GEMM_ALGO0 && algo <= CUBLAS_GEMM_ALGO23) ||
           (algo >= CUBLAS_GEMM_DEFAULT_TENSOR_OP && algo <= CUBLAS_GEMM_ALGO15_TENSOR_OP);
}

} // namespace
} // namespace nin::host::cublas

NIN_API cublasStatus_t cublasCreate_v2(cublasHandle_t* handle)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(handle != nullptr, "handle is null");
        check_creation();
        auto context = std::make_shared<cublasContext>();
        context->owner = current_context();
        *handle = table<cublasHandle_t, cublasContext>().add(std::move(context));
        return CUBLAS_STATUS_SUCCESS;
    });
}

// Waits for the device, as cuBLAS does.
NIN_API cublasStatus_t cublasDestroy_v2(cublasHandle_t handle)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        checked_handle(handle);
        const CUresult result = synchronize_current_context();
        table<cublasHandle_t, cublasContext>().take(handle, "handle");
        if (result != CUDA_SUCCESS)
            refuse(CUBLAS_STATUS_EXECUTION_FAILED, "waiting for the device gave CUDA error ", static_cast<int>(result));
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasGetVersion_v2(cublasHandle_t, int* version)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(version != nullptr, "version is null");
        *version = k_cublas_version;
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t streamId)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        cublasContext& context = checked_handle(handle);
        context.stream = streamId;
        context.workspace = nullptr; // back to the library's own, as cuBLAS documents it
        context.workspace_bytes = 0;
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t* streamId)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(streamId != nullptr, "streamId is null");
        *streamId = checked_handle(handle).stream;
        return CUBLAS_STATUS_SUCCESS;
    });
}

// The workspace is not needed: products take their scratch memory from the host. But it is checked as cuBLAS checks it,
// and must live as long as products run with it.
NIN_API cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void* workspace, size_t workspaceSizeInBytes)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        cublasContext& context = checked_handle(handle);
        require(workspace != nullptr || workspaceSizeInBytes == 0, "workspace is null, but ", workspaceSizeInBytes,
                " bytes long");
        require(reinterpret_cast<uintptr_t>(workspace) % 256 == 0, "workspace = ", workspace,
                " is not aligned to 256 bytes");
        context.workspace = workspace;
        context.workspace_bytes = workspaceSizeInBytes;
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        const int base = mode & ~CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;
        require(base >= CUBLAS_DEFAULT_MATH && base <= CUBLAS_TF32_TENSOR_OP_MATH, "mode ", static_cast<int>(mode),
                " is not a math mode");
        checked_handle(handle).math_mode = mode;
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(mode != nullptr, "mode is null");
        *mode = checked_handle(handle).math_mode;
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        checked_handle(handle);
        require(mode == CUBLAS_POINTER_MODE_HOST || mode == CUBLAS_POINTER_MODE_DEVICE, "mode ", static_cast<int>(mode),
                " is not a pointer mode");
        require_supported(mode == CUBLAS_POINTER_MODE_HOST,
                          "the host provider reads alpha and beta from host memory only");
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t* mode)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(mode != nullptr, "mode is null");
        checked_handle(handle);
        *mode = CUBLAS_POINTER_MODE_HOST;
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API const char* cublasGetStatusName(cublasStatus_t status)
{
    return cublas_status_name(status);
}

NIN_API const char* cublasGetStatusString(cublasStatus_t status)
{
    return cublas_status_name(status);
}

NIN_API cublasStatus_t cublasSgemm_v2(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m,
                                      int n, int k, const float* alpha, const float* A, int lda, const float* B,
                                      int ldb, const float* beta, float* C, int ldc)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        const cublasContext& context = checked_handle(handle);
        require(alpha != nullptr && beta != nullptr, "alpha or beta is null");
        return run_gemm(context, {"cublasSgemm", transa, transb, m, n, k, *alpha, *beta, A, CUDA_R_32F, lda, B,
                                  CUDA_R_32F, ldb, C, CUDA_R_32F, ldc});
    });
}

NIN_API cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t transa, cublasOperation_t transb, int m,
                                    int n, int k, const void* alpha, const void* A, cudaDataType Atype, int lda,
                                    const void* B, cudaDataType Btype, int ldb, const void* beta, void* C,
                                    cudaDataType Ctype, int ldc, cublasComputeType_t computeType, cublasGemmAlgo_t algo)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        const cublasContext& context = checked_handle(handle);
        require(alpha != nullptr && beta != nullptr, "alpha or beta is null");
        require_supported(is_float_compute(computeType), "compute type ", static_cast<int>(computeType),
                          ": the host provider accumulates in float only (CUBLAS_COMPUTE_32F and its variants)");
        require(is_gemm_algorithm(algo), "algo ", static_cast<int>(algo), " is not a gemm algorithm");
        return run_gemm(context, {"cublasGemmEx", transa, transb, m, n, k, *static_cast<const float*>(alpha),
                                  *static_cast<const float*>(beta), A, Atype, lda, B, Btype, ldb, C, Ctype, ldc});
    });
}
