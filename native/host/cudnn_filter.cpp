// cuDNN: filter descriptors.
#include "host/cudnn_objects.h"

using namespace nin::host;
using namespace nin::host::cudnn;

NIN_API cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filterDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return create_object(filterDesc, "filterDesc"); });
}

NIN_API cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filterDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return destroy_object(filterDesc, "filterDesc"); });
}

NIN_API cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t filterDesc, cudnnDataType_t dataType,
                                                 cudnnTensorFormat_t format, int k, int c, int h, int w)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnFilterStruct& filter = checked(filterDesc, "filterDesc");
        require(dataType >= CUDNN_DATA_FLOAT && dataType <= CUDNN_DATA_BFLOAT16, "data type ",
                static_cast<int>(dataType), " is not one of the classic filter types");
        require(format == CUDNN_TENSOR_NCHW || format == CUDNN_TENSOR_NHWC || format == CUDNN_TENSOR_NCHW_VECT_C,
                "format ", static_cast<int>(format), " is not a tensor format");
        require_supported(format != CUDNN_TENSOR_NCHW_VECT_C, "the host provider has no NCHW_VECT_C filters");
        require(k > 0 && c > 0 && h > 0 && w > 0, "dimensions K,C,R,S = (", k, ", ", c, ", ", h, ", ", w,
                ") must all be positive");
        require_supported(bounded_count({k, c, h, w}) < int64_t{1} << 31, "the filter K,C,R,S = (", k, ", ", c, ", ", h,
                          ", ", w, ") has 2^31 elements or more");
        filter = {true, dataType, format, {k, c, h, w}};
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetFilter4dDescriptor(const cudnnFilterDescriptor_t filterDesc, cudnnDataType_t* dataType,
                                                 cudnnTensorFormat_t* format, int* k, int* c, int* h, int* w)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnFilterStruct& filter = checked_set(filterDesc, "filterDesc");
        store_if(dataType, filter.type);
        store_if(format, filter.format);
        store_if(k, filter.dims[0]);
        store_if(c, filter.dims[1]);
        store_if(h, filter.dims[2]);
        store_if(w, filter.dims[3]);
        return CUDNN_STATUS_SUCCESS;
    });
}
