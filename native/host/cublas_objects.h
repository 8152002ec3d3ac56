// What the opaque handles of cuBLAS and cuBLASLt hold here, and the checks that their functions share.
#pragma once

#include "host/abi/cublaslt.h"
#include "host/api.h"
#include "host/handles.h"
#include "host/matrix_product.h"
#include "host/runtime.h"

#include <sstream>
#include <string>

struct cublasContext {
    CUcontext owner = nullptr; // the context it was created in
    CUstream stream = nullptr;
    void* workspace = nullptr; // the caller's, until the next cublasSetStream
    size_t workspace_bytes = 0;
    cublasMath_t math_mode = CUBLAS_DEFAULT_MATH;
};

struct cublasLtContext {
};

struct cublasLtMatmulDescOpaque_t {
    cublasComputeType_t compute_type;
    cudaDataType_t scale_type;
    cublasLtPointerMode_t pointer_mode = CUBLASLT_POINTER_MODE_HOST;
    cublasOperation_t transa = CUBLAS_OP_N;
    cublasOperation_t transb = CUBLAS_OP_N;
    cublasOperation_t transc = CUBLAS_OP_N;
    int32_t fill_mode = 2; // CUBLAS_FILL_MODE_FULL
    cublasLtEpilogue_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
    void* bias = nullptr;
    int64_t bias_batch_stride = 0;
    void* aux = nullptr;
    int64_t aux_ld = 0;
    int64_t aux_batch_stride = 0;
    int64_t alpha_vector_batch_stride = 0;
    int32_t sm_count_target = 0;
    void* a_scale = nullptr;
    void* b_scale = nullptr;
    void* c_scale = nullptr;
    void* d_scale = nullptr;
    void* amax_d = nullptr;
    int32_t aux_data_type = -1;
    int8_t fast_accum = 0;
    int32_t bias_data_type = -1;
};

struct cublasLtMatrixLayoutOpaque_t {
    cudaDataType_t type;
    cublasLtOrder_t order = CUBLASLT_ORDER_COL;
    uint64_t rows;
    uint64_t columns;
    int64_t ld;
    int32_t batch_count = 1;
    int64_t batch_stride = 0;
    int64_t plane_offset = 0;
};

struct cublasLtMatmulPreferenceOpaque_t {
    uint32_t search_mode = 0;
    uint64_t max_workspace_bytes = 0;
    uint32_t reduction_scheme_mask = 7;
    uint32_t min_alignment_a = 256;
    uint32_t min_alignment_b = 256;
    uint32_t min_alignment_c = 256;
    uint32_t min_alignment_d = 256;
    float max_waves_count = 0;
    uint64_t impl_mask = ~uint64_t{0};
};

namespace nin::host
{

template <> struct status_traits<cublasStatus_t> {
    static constexpr auto success = CUBLAS_STATUS_SUCCESS;
    static constexpr auto internal_error = CUBLAS_STATUS_INTERNAL_ERROR;
    static constexpr auto allocation_failed = CUBLAS_STATUS_ALLOC_FAILED;
    static constexpr cublasStatus_t reported(cublasStatus_t status) noexcept { return status; }
    static constexpr void injected(cublasStatus_t, const char*) noexcept {}
};

} // namespace nin::host

namespace nin::host::cublas
{

// cuBLAS 12.6.0 in the library's own numbering.
constexpr int k_cublas_version = 120600;

template <typename... Parts> [[noreturn]] void refuse(cublasStatus_t status, const Parts&... parts)
{
    std::ostringstream text;
    (text << ... << parts);
    throw refusal<cublasStatus_t>(status, text.str());
}

// Refuses with INVALID_VALUE unless the condition holds.
template <typename... Parts> void require(bool condition, const Parts&... parts)
{
    if (!condition)
        refuse(CUBLAS_STATUS_INVALID_VALUE, parts...);
}

// Refuses with NOT_SUPPORTED unless the condition holds.
template <typename... Parts> void require_supported(bool condition, const Parts&... parts)
{
    if (!condition)
        refuse(CUBLAS_STATUS_NOT_SUPPORTED, parts...);
}

// The live object behind a descriptor; `name` is the parameter's name.
template <typename Object> Object& checked(Object* descriptor, const char* name)
{
    require(descriptor != nullptr, name, " is null");
    const std::shared_ptr<Object> object = table<Object*, Object>().find(descriptor);
    require(object != nullptr, name, " was never created or is already destroyed");
    return *object;
}

template <typename Object> cublasStatus_t destroy_object(Object* descriptor, const char* name)
{
    checked(descriptor, name);
    table<Object*, Object>().take(descriptor, name);
    return CUBLAS_STATUS_SUCCESS;
}

// NOT_INITIALIZED unless the handle is alive.
cublasContext& checked_handle(cublasHandle_t handle);

element_type checked_element_type(cudaDataType_t type, const char* name);

// Refuses null pointers and pointers that are not aligned to the element.
void check_pointer(const void* pointer, element_type type, const char* name);

// Refuses with NOT_INITIALIZED without a current context, with ALLOC_FAILED while a capture forbids allocation.
void check_creation();

// submit(), with the driver's refusal as EXECUTION_FAILED.
cublasStatus_t enqueue(CUstream stream, operation op);

const char* cublas_status_name(cublasStatus_t status);

} // namespace nin::host::cublas
