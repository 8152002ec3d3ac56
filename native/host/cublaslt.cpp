// cuBLASLt: handles, the algorithm heuristic, the matrix product with epilogues.
#include "host/cublas_objects.h"
#include "host/lesser_device.h"

using namespace nin::host;
using namespace nin::host::cublas;

namespace
{

void check_light_handle(cublasLtHandle_t handle)
{
    // A cuBLAS handle serves as a cuBLASLt handle.
    if (table<cublasLtHandle_t, cublasLtContext>().find(handle) == nullptr &&
        table<cublasHandle_t, cublasContext>().find(reinterpret_cast<cublasHandle_t>(handle)) == nullptr)
        refuse(CUBLAS_STATUS_NOT_INITIALIZED, "lightHandle was never created or is already destroyed");
}

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
    // Beyond, the number of bytes between the first and the last element need not fit 64 bits.
    constexpr uint64_t k_limit = uint64_t{1} << 31;
    require_supported(l.rows < k_limit && l.columns < k_limit && l.ld < static_cast<int64_t>(k_limit), name, " is ",
                      l.rows, "x", l.columns, " with leading dimension ", l.ld, ": the host provider's limit is 2^31");
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
    require_supported(desc.a_scale == nullptr && desc.b_scale == nullptr && desc.c_scale == nullptr &&
                          desc.d_scale == nullptr && desc.amax_d == nullptr,
                      "scale and maximum pointers are for 8-bit types only");
    require_supported(desc.fill_mode == 2, "fill mode ", desc.fill_mode, ": products fill the whole matrix (2)");
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
    require_supported(lesser().has_lt_epilogues || e == CUBLASLT_EPILOGUE_DEFAULT, "epilogue ", static_cast<int>(e),
                      ": NIN_HOST_LESSER takes epilogues away");
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

// The one algorithm of this library: what marks it as such, then the alignments of A, B, C, D that the preference
// promised when it was chosen.
constexpr uint64_t k_algorithm_mark = 0x4e696e4375646e6eu;

cublasLtMatmulAlgo_t only_algorithm(const cublasLtMatmulPreferenceOpaque_t& preference)
{
    return {{k_algorithm_mark, preference.min_alignment_a, preference.min_alignment_b, preference.min_alignment_c,
             preference.min_alignment_d, 0, 0, 0}};
}

void check_alignment(const void* pointer, uint64_t bytes, const char* name)
{
    require(bytes != 0 && reinterpret_cast<uintptr_t>(pointer) % bytes == 0, name, " = ", pointer,
            " is not aligned to the ", bytes, " bytes that the preference promised when algo was chosen");
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
        check_creation();
        *lightHandle = table<cublasLtHandle_t, cublasLtContext>().add(std::make_shared<cublasLtContext>());
        return CUBLAS_STATUS_SUCCESS;
    });
}

NIN_API cublasStatus_t cublasLtDestroy(cublasLtHandle_t lightHandle)
{
    return guarded<cublasStatus_t>(__func__, [&] {
        const auto& handles = table<cublasLtHandle_t, cublasLtContext>();
        if (handles.find(lightHandle) == nullptr)
            refuse(CUBLAS_STATUS_NOT_INITIALIZED, "lightHandle was never created or is already destroyed");
        return destroy_object(lightHandle, "lightHandle");
    });
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
        const cublasLtMatmulPreferenceOpaque_t& p = checked(preference, "preference");
        for (const uint32_t alignment : {p.min_alignment_a, p.min_alignment_b, p.min_alignment_c, p.min_alignment_d})
            require(alignment > 0 && (alignment & (alignment - 1)) == 0, "minimum alignment ", alignment,
                    " is not a power of two");
        checked_product(operationDesc, Adesc, Bdesc, Cdesc, Ddesc);
        heuristicResultsArray[0] = {only_algorithm(p), 0, CUBLAS_STATUS_SUCCESS, 1.0f, {}};
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

        if (algo != nullptr) {
            check_alignment(A, algo->data[1], "A");
            check_alignment(B, algo->data[2], "B");
            check_alignment(p.beta != 0 ? C : nullptr, algo->data[3], "C");
            check_alignment(D, algo->data[4], "D");
        }

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
                      p.epilogue.applies_mask ? reads(desc.aux, mask_bytes) : updates(desc.aux, mask_bytes),
                      writes(workspace, workspaceSizeInBytes)},
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
