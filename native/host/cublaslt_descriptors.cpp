// cuBLASLt: descriptors of products, matrices and preferences, and their attributes.
#include "host/cublas_objects.h"

#include <cstring>

using namespace nin::host;
using namespace nin::host::cublas;

namespace
{

// Where an attribute lives, and so its exact size.
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

} // namespace

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
