// cuBLASLt: descriptors and their attributes, the algorithm heuristic, the matrix product with epilogues.
#include "host/cublas_objects.h"

#include <cstring>

using namespace nin::host;
using namespace nin::host::cublas;

namespace
{

// ---- Attributes. Each table row: where an attribute lives, and so its exact size.

struct attribute_slot {
    void* address;
    size_t size;
};

template <typename T> attribute_slot slot(T& member)
{
    return {&member, sizeof(T)};
}

attribute_slot slot_of(cublasLtMatmulDescOpaque_t& d, cublasLtMatmulDescAttributes_t attr)
{
    switch (attr) {
    case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE:
        return slot(d.compute_type);
    case CUBLASLT_MATMUL_DESC_SCALE_TYPE:
        return slot(d.scale_type);
    case CUBLASLT_MATMUL_DESC_POINTER_MODE:
        return slot(d.pointer_mode);
    case CUBLASLT_MATMUL_DESC_TRANSA:
        return slot(d.transa);
    case CUBLASLT_MATMUL_DESC_TRANSB:
        return slot(d.transb);
    case CUBLASLT_MATMUL_DESC_TRANSC:
        return slot(d.transc);
    case CUBLASLT_MATMUL_DESC_FILL_MODE:
        return slot(d.fill_mode);
    case CUBLASLT_MATMUL_DESC_EPILOGUE:
        return slot(d.epilogue);
    case CUBLASLT_MATMUL_DESC_BIAS_POINTER:
        return slot(d.bias);
    case CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE:
        return slot(d.bias_batch_stride);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER:
        return slot(d.aux);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD:
        return slot(d.aux_ld);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE:
        return slot(d.aux_batch_stride);
    case CUBLASLT_MATMUL_DESC_ALPHA_VECTOR_BATCH_STRIDE:
        return slot(d.alpha_vector_batch_stride);
    case CUBLASLT_MATMUL_DESC_SM_COUNT_TARGET:
        return slot(d.sm_count_target);
    case CUBLASLT_MATMUL_DESC_A_SCALE_POINTER:
        return slot(d.a_scale);
    case CUBLASLT_MATMUL_DESC_B_SCALE_POINTER:
        return slot(d.b_scale);
    case CUBLASLT_MATMUL_DESC_C_SCALE_POINTER:
        return slot(d.c_scale);
    case CUBLASLT_MATMUL_DESC_D_SCALE_POINTER:
        return slot(d.d_scale);
    case CUBLASLT_MATMUL_DESC_AMAX_D_POINTER:
        return slot(d.amax_d);
    case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_DATA_TYPE:
        return slot(d.aux_data_type);
    case CUBLASLT_MATMUL_DESC_FAST_ACCUM:
        return slot(d.fast_accum);
    case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE:
        return slot(d.bias_data_type);
    }
    refuse(CUBLAS_STATUS_INVALID_VALUE, "attribute ", static_cast<int>(attr), " is not one of a matmul descriptor");
}

attribute_slot slot_of(cublasLtMatrixLayoutOpaque_t& l, cublasLtMatrixLayoutAttribute_t attr)
{
    switch (attr) {
    case CUBLASLT_MATRIX_LAYOUT_TYPE:
        return slot(l.type);
    case CUBLASLT_MATRIX_LAYOUT_ORDER:
        return slot(l.order);
    case CUBLASLT_MATRIX_LAYOUT_ROWS:
        return slot(l.rows);
    case CUBLASLT_MATRIX_LAYOUT_COLS:
        return slot(l.columns);
    case CUBLASLT_MATRIX_LAYOUT_LD:
        return slot(l.ld);
    case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT:
        return slot(l.batch_count);
    case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET:
        return slot(l.batch_stride);
    case CUBLASLT_MATRIX_LAYOUT_PLANE_OFFSET:
        return slot(l.plane_offset);
    }
    refuse(CUBLAS_STATUS_INVALID_VALUE, "attribute ", static_cast<int>(attr), " is not one of a matrix layout");
}

attribute_slot slot_of(cublasLtMatmulPreferenceOpaque_t& p, cublasLtMatmulPreferenceAttributes_t attr)
{
    switch (attr) {
    case CUBLASLT_MATMUL_PREF_SEARCH_MODE:
        return slot(p.search_mode);
    case CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES:
        return slot(p.max_workspace_bytes);
    case CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK:
        return slot(p.reduction_scheme_mask);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES:
        return slot(p.min_alignment_a);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES:
        return slot(p.min_alignment_b);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES:
        return slot(p.min_alignment_c);
    case CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES:
        return slot(p.min_alignment_d);
    case CUBLASLT_MATMUL_PREF_MAX_WAVES_COUNT:
        return slot(p.max_waves_count);
    case CUBLASLT_MATMUL_PREF_IMPL_MASK:
        return slot(p.impl_mask);
    }
    refuse(CUBLAS_STATUS_INVALID_VALUE, "attribute ", static_cast<int>(attr), " is not one of a matmul preference");
}

template <typename Object, typename Attribute>
cublasStatus_t set_attribute(Object& object, Attribute attr, const void* buf, size_t size)
{
    const attribute_slot slot = slot_of(object, attr);
    require(buf != nullptr, "buf is null");
    require(size == slot.size, "attribute ", static_cast<int>(attr), " takes ", slot.size, " bytes, not ", size);
    std::memcpy(slot.address, buf, size);
    return CUBLAS_STATUS_SUCCESS;
}

template <typename Object, typename Attribute>
cublasStatus_t get_attribute(Object& object, Attribute attr, void* buf, size_t size, size_t* written)
{
    const attribute_slot slot = slot_of(object, attr);
    require(size != 0 || written != nullptr, "sizeInBytes is 0 and sizeWritten is null");
    if (written != nullptr)
        *written = slot.size;
    if (size == 0)
        return CUBLAS_STATUS_SUCCESS; // asks for the size only
    require(buf != nullptr, "buf is null");
    require(size == slot.size, "attribute ", static_cast<int>(attr), " takes ", slot.size, " bytes, not ", size);
    std::memcpy(buf, slot.address, size);
    return CUBLAS_STATUS_SUCCESS;
}

void check_light_handle(cublasLtHandle_t handle)
{
    // A cuBLAS handle serves as a cuBLASLt handle.
    if (table<cublasLtHandle_t, cublasLtContext>().find(handle) == nullptr &&
        table<cublasHandle_t, cublasContext>().find(reinterpret_cast<cublasHandle_t>(handle)) == nullptr)
        refuse(CUBLAS_STATUS_NOT_INITIALIZED, "lightHandle was never created or is already destroyed");
}

// ---- The product that descriptors describe

constexpr bool has_flag(cublasLtEpilogue_t epilogue, cublasLtEpilogue_t flag)
{
    return (epilogue & flag) == flag;
}

bool has_mask(cublasLtEpilogue_t e)
{
    return e == CUBLASLT_EPILOGUE_RELU_AUX || e == CUBLASLT_EPILOGUE_RELU_AUX_BIAS || e == CUBLASLT_EPILOGUE_DRELU ||
           e == CUBLASLT_EPILOGUE_DRELU_BGRAD;
}

bool has_gradient(cublasLtEpilogue_t e)
{
    return e == CUBLASLT_EPILOGUE_DRELU_BGRAD || e == CUBLASLT_EPILOGUE_BGRADA || e == CUBLASLT_EPILOGUE_BGRADB;
}

bool is_known_epilogue(cublasLtEpilogue_t e)
{
    switch (e) {
    case CUBLASLT_EPILOGUE_DEFAULT:
    case CUBLASLT_EPILOGUE_RELU:
    case CUBLASLT_EPILOGUE_BIAS:
    case CUBLASLT_EPILOGUE_RELU_BIAS:
    case CUBLASLT_EPILOGUE_RELU_AUX:
    case CUBLASLT_EPILOGUE_RELU_AUX_BIAS:
    case CUBLASLT_EPILOGUE_DRELU:
    case CUBLASLT_EPILOGUE_DRELU_BGRAD:
    case CUBLASLT_EPILOGUE_BGRADA:
    case CUBLASLT_EPILOGUE_BGRADB:
        return true;
    default:
        return false;
    }
}

// A matrix as its descriptor has it in memory: `rows` and `columns` are of the row-major matrix there.
struct stored_matrix {
    matrix_layout layout; // not transposed
    int64_t rows, columns;

    size_t bytes() const
    {
        return rows == 0 || columns == 0 ? 0
                                         : static_cast<size_t>((rows - 1) * layout.ld + columns) * size_of(layout.type);
    }
};

stored_matrix checked_matrix(cublasLtMatrixLayout_t descriptor, const char* name)
{
    const cublasLtMatrixLayoutOpaque_t& l = checked(descriptor, name);
    const element_type type = checked_element_type(l.type, name);
    require_supported(l.order == CUBLASLT_ORDER_COL || l.order == CUBLASLT_ORDER_ROW, name, " has order ",
                      static_cast<int>(l.order), ": the host provider has COL (0) and ROW (1)");
    require_supported(l.batch_count == 1, name, " has batch count ", l.batch_count,
                      ": the host provider has no batched products");
    require_supported(l.plane_offset == 0, name, " has a plane offset, which complex matrices only have");
    const bool is_row_major = l.order == CUBLASLT_ORDER_ROW;
    const auto rows = static_cast<int64_t>(is_row_major ? l.rows : l.columns);
    const auto columns = static_cast<int64_t>(is_row_major ? l.columns : l.rows);
    require(l.ld >= columns, name, " has leading dimension ", l.ld, ", less than ", columns);
    return {{type, false, l.ld}, rows, columns};
}

struct lt_product {
    product_problem problem{};
    stored_matrix a, b, c, d;
    cublasLtEpilogue_t epilogue;
    bool exchanged; // the row-major product is the transpose: its first operand is B
};

// Everything about a product that doesn't need its pointers. The order of refusals follows the argument list.
lt_product checked_product(cublasLtMatmulDesc_t descriptor, cublasLtMatrixLayout_t Adesc, cublasLtMatrixLayout_t Bdesc,
                           cublasLtMatrixLayout_t Cdesc, cublasLtMatrixLayout_t Ddesc)
{
    const cublasLtMatmulDescOpaque_t& desc = checked(descriptor, "computeDesc");
    lt_product product{{},
                       checked_matrix(Adesc, "Adesc"),
                       checked_matrix(Bdesc, "Bdesc"),
                       checked_matrix(Cdesc, "Cdesc"),
                       checked_matrix(Ddesc, "Ddesc"),
                       desc.epilogue,
                       true};
    const auto& a_layout = checked(Adesc, "Adesc");
    const auto& b_layout = checked(Bdesc, "Bdesc");
    const auto& c_layout = checked(Cdesc, "Cdesc");
    const auto& d_layout = checked(Ddesc, "Ddesc");

    require_supported(desc.compute_type == CUBLAS_COMPUTE_32F || desc.compute_type == CUBLAS_COMPUTE_32F_PEDANTIC ||
                          desc.compute_type == CUBLAS_COMPUTE_32F_FAST_16F ||
                          desc.compute_type == CUBLAS_COMPUTE_32F_FAST_16BF ||
                          desc.compute_type == CUBLAS_COMPUTE_32F_FAST_TF32,
                      "compute type ", static_cast<int>(desc.compute_type),
                      ": the host provider accumulates in float only (CUBLAS_COMPUTE_32F and its variants)");
    require_supported(desc.scale_type == CUDA_R_32F, "scale type ", static_cast<int>(desc.scale_type),
                      ": with float accumulation it is CUDA_R_32F (0)");
    require_supported(desc.pointer_mode == CUBLASLT_POINTER_MODE_HOST, "pointer mode ",
                      static_cast<int>(desc.pointer_mode), ": the host provider has HOST (0)");
    require_supported(desc.transc == CUBLAS_OP_N, "C can't be transposed");
    const auto is_operation = [](cublasOperation_t op) { return op >= CUBLAS_OP_N && op <= CUBLAS_OP_C; };
    require(is_operation(desc.transa) && is_operation(desc.transb), "TRANSA, TRANSB are ",
            static_cast<int>(desc.transa), ", ", static_cast<int>(desc.transb));
    require_supported(is_known_epilogue(desc.epilogue), "epilogue ", static_cast<int>(desc.epilogue),
                      ": the host provider has none with GELU");

    // Dimensions: D is m x n, op(A) m x k, op(B) k x n.
    const bool a_flips = desc.transa != CUBLAS_OP_N, b_flips = desc.transb != CUBLAS_OP_N;
    const uint64_t m = a_flips ? a_layout.columns : a_layout.rows, k = a_flips ? a_layout.rows : a_layout.columns;
    const uint64_t b_k = b_flips ? b_layout.columns : b_layout.rows, n = b_flips ? b_layout.rows : b_layout.columns;
    require(k == b_k, "op(A) is ", m, "x", k, ", op(B) ", b_k, "x", n, ": the inner dimensions differ");
    require(d_layout.rows == m && d_layout.columns == n, "D is ", d_layout.rows, "x", d_layout.columns,
            ", the product ", m, "x", n);
    require(c_layout.rows == m && c_layout.columns == n, "C is ", c_layout.rows, "x", c_layout.columns,
            ", the product ", m, "x", n);
    require(c_layout.type == d_layout.type && c_layout.order == d_layout.order, "C and D differ in type or order");
    const element_type ab_type = product.a.layout.type, d_type = product.d.layout.type;
    require_supported(ab_type == product.b.layout.type && (d_type == ab_type || d_type == element_type::f32),
                      "A, B, D of data types ", static_cast<int>(a_layout.type), ", ", static_cast<int>(b_layout.type),
                      ", ", static_cast<int>(d_layout.type),
                      ": A and B must be of one type and D of the same or CUDA_R_32F (0)");

    // A matrix that is not in D's order is the transpose of one that is.
    const bool d_is_row = d_layout.order == CUBLASLT_ORDER_ROW;
    const bool a_transposed = a_flips != (a_layout.order != d_layout.order);
    const bool b_transposed = b_flips != (b_layout.order != d_layout.order);
    product.exchanged = !d_is_row;
    product_problem& p = product.problem;
    p.rows = product.d.rows;
    p.columns = product.d.columns;
    p.depth = static_cast<int64_t>(k);
    p.a = d_is_row ? matrix_layout{ab_type, a_transposed, a_layout.ld}
                   : matrix_layout{ab_type, b_transposed, b_layout.ld};
    p.b = d_is_row ? matrix_layout{ab_type, b_transposed, b_layout.ld}
                   : matrix_layout{ab_type, a_transposed, a_layout.ld};
    p.result_type = d_type;
    p.addend_ld = product.c.layout.ld;
    p.result_ld = product.d.layout.ld;

    // The epilogue.
    const cublasLtEpilogue_t e = desc.epilogue;
    require_supported(e == CUBLASLT_EPILOGUE_DEFAULT || e == CUBLASLT_EPILOGUE_RELU || !d_is_row, "epilogue ",
                      static_cast<int>(e),
                      " with a row-major D: bias and masks run along D's rows, which are columns there");
    const bool adds_bias = has_flag(e, CUBLASLT_EPILOGUE_BIAS) && !has_gradient(e);
    if (adds_bias || has_gradient(e)) {
        require_supported(desc.bias_data_type == -1 || desc.bias_data_type == d_layout.type, "bias data type ",
                          desc.bias_data_type, " with D of type ", static_cast<int>(d_layout.type),
                          ": the host provider has D's type only");
        require(desc.bias != nullptr, "epilogue ", static_cast<int>(e), " needs BIAS_POINTER");
        check_pointer(desc.bias, d_type, "BIAS_POINTER");
    }
    if (has_mask(e)) {
        const bool is_forward = e == CUBLASLT_EPILOGUE_RELU_AUX || e == CUBLASLT_EPILOGUE_RELU_AUX_BIAS;
        if (desc.aux == nullptr)
            refuse(is_forward ? CUBLAS_STATUS_NOT_SUPPORTED : CUBLAS_STATUS_INVALID_VALUE, "epilogue ",
                   static_cast<int>(e), " needs EPILOGUE_AUX_POINTER");
        require(desc.aux_ld >= static_cast<int64_t>(m) && desc.aux_ld % 128 == 0, "EPILOGUE_AUX_LD is ", desc.aux_ld,
                " bits; it must be a multiple of 128 and at least the ", m, " rows of D");
        p.epilogue.mask_row_bytes = desc.aux_ld / 8;
        p.epilogue.stores_mask = is_forward;
        p.epilogue.applies_mask = !is_forward;
    }
    p.epilogue.adds_bias = adds_bias;
    p.epilogue.relu = e == CUBLASLT_EPILOGUE_RELU || e == CUBLASLT_EPILOGUE_RELU_BIAS ||
                      e == CUBLASLT_EPILOGUE_RELU_AUX || e == CUBLASLT_EPILOGUE_RELU_AUX_BIAS;
    p.epilogue.sums_columns = e == CUBLASLT_EPILOGUE_DRELU_BGRAD;
    require_supported(e != CUBLASLT_EPILOGUE_BGRADA || !a_transposed, "BGRADA needs A not transposed");
    require_supported(e != CUBLASLT_EPILOGUE_BGRADB || b_transposed, "BGRADB needs B transposed");
    return product;
}

bool is_aligned(const void* pointer, uint32_t bytes)
{
    return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

// The one algorithm of this library, and what marks it as such.
constexpr uint64_t k_algorithm_mark = 0x4e696e4375646e6eu;

cublasLtMatmulAlgo_t only_algorithm()
{
    return {{k_algorithm_mark, 0, 0, 0, 0, 0, 0, 0}};
}

} // namespace

NIN_API size_t cublasLtGetVersion()
{
    return k_cublas_version;
}

NIN_API size_t cublasLtGetCudartVersion()
{
    return 12060;
}

NIN_API const char* cublasLtGetStatusName(cublasStatus_t status)
{
    return cublas_status_name(status);
}

NIN_API const char* cublasLtGetStatusString(cublasStatus_t status)
{
    return cublas_status_name(status);
}

NIN_API cublasStatus_t cublasLtCreate(cublasLtHandle_t* lightHandle)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(lightHandle != nullptr, "lightHandle is null");
        const CUresult context = check_current_context();
        if (context != CUDA_SUCCESS)
            refuse(CUBLAS_STATUS_NOT_INITIALIZED, "the calling thread has no usable current context: CUDA error ",
                   static_cast<int>(context));
        *lightHandle = table<cublasLtHandle_t, cublasLtContext>().add(std::make_shared<cublasLtContext>());
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasLtDestroy(cublasLtHandle_t lightHandle)
{
    return guarded<cublasStatus_t>(__func__, [&] { return destroy_object(lightHandle, "lightHandle"); });
}

NIN_API cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* matmulDesc, cublasComputeType_t computeType,
                                                cudaDataType_t scaleType)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(matmulDesc != nullptr, "matmulDesc is null");
        auto desc = std::make_shared<cublasLtMatmulDescOpaque_t>();
        desc->compute_type = computeType;
        desc->scale_type = scaleType;
        *matmulDesc = table<cublasLtMatmulDesc_t, cublasLtMatmulDescOpaque_t>().add(std::move(desc));
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t matmulDesc)
{
    return guarded<cublasStatus_t>(__func__, [&] { return destroy_object(matmulDesc, "matmulDesc"); });
}

NIN_API cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t matmulDesc,
                                                      cublasLtMatmulDescAttributes_t attr, const void* buf,
                                                      size_t sizeInBytes)
{
    return guarded<cublasStatus_t>(
        __func__, [&] { return set_attribute(checked(matmulDesc, "matmulDesc"), attr, buf, sizeInBytes); });
}

NIN_API cublasStatus_t cublasLtMatmulDescGetAttribute(cublasLtMatmulDesc_t matmulDesc,
                                                      cublasLtMatmulDescAttributes_t attr, void* buf,
                                                      size_t sizeInBytes, size_t* sizeWritten)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        return get_attribute(checked(matmulDesc, "matmulDesc"), attr, buf, sizeInBytes, sizeWritten);
    });
}

NIN_API cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* matLayout, cudaDataType_t type, uint64_t rows,
                                                  uint64_t cols, int64_t ld)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(matLayout != nullptr, "matLayout is null");
        auto layout = std::make_shared<cublasLtMatrixLayoutOpaque_t>();
        layout->type = type;
        layout->rows = rows;
        layout->columns = cols;
        layout->ld = ld;
        *matLayout = table<cublasLtMatrixLayout_t, cublasLtMatrixLayoutOpaque_t>().add(std::move(layout));
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t matLayout)
{
    return guarded<cublasStatus_t>(__func__, [&] { return destroy_object(matLayout, "matLayout"); });
}

NIN_API cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t matLayout,
                                                        cublasLtMatrixLayoutAttribute_t attr, const void* buf,
                                                        size_t sizeInBytes)
{
    return guarded<cublasStatus_t>(
        __func__, [&] { return set_attribute(checked(matLayout, "matLayout"), attr, buf, sizeInBytes); });
}

NIN_API cublasStatus_t cublasLtMatrixLayoutGetAttribute(cublasLtMatrixLayout_t matLayout,
                                                        cublasLtMatrixLayoutAttribute_t attr, void* buf,
                                                        size_t sizeInBytes, size_t* sizeWritten)
{
    return guarded<cublasStatus_t>(
        __func__, [&] { return get_attribute(checked(matLayout, "matLayout"), attr, buf, sizeInBytes, sizeWritten); });
}

NIN_API cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* pref)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        require(pref != nullptr, "pref is null");
        *pref = table<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceOpaque_t>().add(
            std::make_shared<cublasLtMatmulPreferenceOpaque_t>());
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t pref)
{
    return guarded<cublasStatus_t>(__func__, [&] { return destroy_object(pref, "pref"); });
}

NIN_API cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t pref,
                                                            cublasLtMatmulPreferenceAttributes_t attr, const void* buf,
                                                            size_t sizeInBytes)
{
    return guarded<cublasStatus_t>(__func__,
                                   [&] { return set_attribute(checked(pref, "pref"), attr, buf, sizeInBytes); });
}

NIN_API cublasStatus_t cublasLtMatmulPreferenceGetAttribute(cublasLtMatmulPreference_t pref,
                                                            cublasLtMatmulPreferenceAttributes_t attr, void* buf,
                                                            size_t sizeInBytes, size_t* sizeWritten)
{
    return guarded<cublasStatus_t>(
        __func__, [&] { return get_attribute(checked(pref, "pref"), attr, buf, sizeInBytes, sizeWritten); });
}

NIN_API cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t operationDesc,
                                                      cublasLtMatrixLayout_t Adesc, cublasLtMatrixLayout_t Bdesc,
                                                      cublasLtMatrixLayout_t Cdesc, cublasLtMatrixLayout_t Ddesc,
                                                      cublasLtMatmulPreference_t preference, int requestedAlgoCount,
                                                      cublasLtMatmulHeuristicResult_t heuristicResultsArray[],
                                                      int* returnAlgoCount)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        check_light_handle(lightHandle);
        require(requestedAlgoCount > 0, "requestedAlgoCount ", requestedAlgoCount, " must be positive");
        require(heuristicResultsArray != nullptr, "heuristicResultsArray is null");
        require(returnAlgoCount != nullptr, "returnAlgoCount is null");
        *returnAlgoCount = 0;
        checked(preference, "preference");
        checked_product(operationDesc, Adesc, Bdesc, Cdesc, Ddesc);
        heuristicResultsArray[0] = {only_algorithm(), 0, CUBLAS_STATUS_SUCCESS, 1.0f, {}};
        *returnAlgoCount = 1;
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasLtMatmul(cublasLtHandle_t lightHandle, cublasLtMatmulDesc_t computeDesc, const void* alpha,
                                      const void* A, cublasLtMatrixLayout_t Adesc, const void* B,
                                      cublasLtMatrixLayout_t Bdesc, const void* beta, const void* C,
                                      cublasLtMatrixLayout_t Cdesc, void* D, cublasLtMatrixLayout_t Ddesc,
                                      const cublasLtMatmulAlgo_t* algo, void* workspace, size_t workspaceSizeInBytes,
                                      cudaStream_t stream)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        check_light_handle(lightHandle);
        require(alpha != nullptr && beta != nullptr, "alpha or beta is null");
        lt_product product = checked_product(computeDesc, Adesc, Bdesc, Cdesc, Ddesc);
        require(algo == nullptr || algo->data[0] == k_algorithm_mark,
                "algo does not come from this library's cublasLtMatmulAlgoGetHeuristic");
        require(workspace != nullptr || workspaceSizeInBytes == 0, "workspace is null, but ", workspaceSizeInBytes,
                " bytes long");
        require(is_aligned(workspace, 16), "workspace = ", workspace, " is not aligned to 16 bytes");
        product_problem& p = product.problem;
        p.alpha = *static_cast<const float*>(alpha);
        p.beta = *static_cast<const float*>(beta);
        if (p.rows == 0 || p.columns == 0)
            return CUBLAS_STATUS_SUCCESS;
        if (p.depth != 0) {
            check_pointer(A, p.a.type, "A");
            check_pointer(B, p.b.type, "B");
        }
        check_pointer(D, p.result_type, "D");
        if (p.beta != 0)
            check_pointer(C, p.result_type, "C");
        require(p.beta == 0 || C != D || p.addend_ld == p.result_ld,
                "C and D are the same memory with leading dimensions ", p.addend_ld, " and ", p.result_ld);

        const cublasLtMatmulDescOpaque_t& desc = checked(computeDesc, "computeDesc");
        const cublasLtEpilogue_t e = product.epilogue;
        const bool gradient_of_operand = e == CUBLASLT_EPILOGUE_BGRADA || e == CUBLASLT_EPILOGUE_BGRADB;
        // BGRADB's vector is as long as D has columns (rows of the row-major product), all others as D has rows.
        const int64_t vector_length = e == CUBLASLT_EPILOGUE_BGRADB ? p.rows : p.columns;
        const size_t vector_bytes = static_cast<size_t>(vector_length) * size_of(p.result_type);
        const size_t mask_bytes =
            has_mask(e) ? static_cast<size_t>((p.rows - 1) * p.epilogue.mask_row_bytes + (p.columns + 7) / 8) : 0;
        const bool updates_in_place = p.beta != 0 && C == D;
        operation op{"cublasLtMatmul",
                     {reads(A, product.a.bytes()), reads(B, product.b.bytes()),
                      reads(C, p.beta != 0 && C != D ? product.c.bytes() : 0),
                      updates_in_place ? updates(D, product.d.bytes()) : writes(D, product.d.bytes()),
                      p.epilogue.adds_bias ? reads(desc.bias, vector_bytes)
                                           : writes(desc.bias, has_gradient(e) ? vector_bytes : 0),
                      // Bits past the rows are kept, so the mask is read even where it is written.
                      p.epilogue.applies_mask ? reads(desc.aux, mask_bytes) : updates(desc.aux, mask_bytes)},
                     {}};
        op.body = [ready = std::make_shared<const matrix_product>(p), product, vector_length, gradient_of_operand,
                   updates_in_place](void* const* q) {
            const void* const first = product.exchanged ? q[1] : q[0];
            const void* const second = product.exchanged ? q[0] : q[1];
            ready->run({.a = first,
                        .b = second,
                        .addend = updates_in_place ? q[3] : q[2],
                        .result = q[3],
                        .bias = q[4],
                        .mask = q[5],
                        .sums = q[4]});
            if (gradient_of_operand) {
                const stored_matrix& m = product.epilogue == CUBLASLT_EPILOGUE_BGRADA ? product.a : product.b;
                sum_matrix_columns(m.layout, product.epilogue == CUBLASLT_EPILOGUE_BGRADA ? q[0] : q[1], m.rows,
                                   vector_length, product.problem.result_type, q[4]);
            }
        };
        return enqueue(stream, std::move(op));
    });
}
