// cuDNN: tensor descriptors and the element-wise functions (transform, add, set, scale).
#include "host/cudnn_objects.h"

#include <algorithm>

using namespace nin::host;
using namespace nin::host::cudnn;

namespace
{

bool is_classic_type(cudnnDataType_t type)
{
    return (type >= CUDNN_DATA_FLOAT && type <= CUDNN_DATA_BFLOAT16);
}

bool is_vectorised_type(cudnnDataType_t type)
{
    return type == CUDNN_DATA_INT8x4 || type == CUDNN_DATA_UINT8x4 || type == CUDNN_DATA_INT8x32;
}

void require_positive(const std::array<int, 4>& dims)
{
    require(std::all_of(dims.begin(), dims.end(), [](int dim) { return dim > 0; }), "dimensions N,C,H,W = (", dims[0],
            ", ", dims[1], ", ", dims[2], ", ", dims[3], ") must all be positive");
}

void set_tensor(cudnnTensorStruct& tensor, cudnnDataType_t type, const std::array<int, 4>& dims,
                const std::array<int, 4>& strides)
{
    require(is_classic_type(type), "data type ", static_cast<int>(type), " is not one of the classic tensor types");
    require_positive(dims);
    int64_t last = 0;
    for (size_t i = 0; i < 4; ++i) {
        require(strides[i] > 0, "strides (", strides[0], ", ", strides[1], ", ", strides[2], ", ", strides[3],
                ") must all be positive");
        last += int64_t{dims[i] - 1} * strides[i];
    }
    require_supported(last < int64_t{1} << 31, "the tensor spans ", last + 1, " elements; the limit is 2^31");
    tensor = {true, type, dims, strides};
}

} // namespace

NIN_API cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensorDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return create_object(tensorDesc, "tensorDesc"); });
}

NIN_API cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensorDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return destroy_object(tensorDesc, "tensorDesc"); });
}

NIN_API cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t tensorDesc, cudnnTensorFormat_t format,
                                                 cudnnDataType_t dataType, int n, int c, int h, int w)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnTensorStruct& tensor = checked(tensorDesc, "tensorDesc");
        require(format == CUDNN_TENSOR_NCHW || format == CUDNN_TENSOR_NHWC || format == CUDNN_TENSOR_NCHW_VECT_C,
                "format ", static_cast<int>(format), " is not a tensor format");
        require((format == CUDNN_TENSOR_NCHW_VECT_C) == is_vectorised_type(dataType), "format ",
                static_cast<int>(format), " does not go with data type ", static_cast<int>(dataType),
                ": NCHW_VECT_C is for the vectorised int8 types only, and they for it");
        require_supported(format != CUDNN_TENSOR_NCHW_VECT_C, "the host provider has no NCHW_VECT_C tensors");
        require_positive({n, c, h, w});
        // Strides are numbers of elements: a tensor beyond the limit must be refused, not wrapped around.
        const int64_t image = bounded_count({c, h, w});
        require_supported(image < int64_t{1} << 31, "one image of C,H,W = (", c, ", ", h, ", ", w,
                          ") has 2^31 elements or more");
        const int image_stride = static_cast<int>(image);
        const bool nhwc = format == CUDNN_TENSOR_NHWC;
        set_tensor(tensor, dataType, {n, c, h, w},
                   nhwc ? std::array{image_stride, 1, w * c, c} : std::array{image_stride, h * w, w, 1});
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnSetTensor4dDescriptorEx(cudnnTensorDescriptor_t tensorDesc, cudnnDataType_t dataType, int n,
                                                   int c, int h, int w, int nStride, int cStride, int hStride,
                                                   int wStride)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnTensorStruct& tensor = checked(tensorDesc, "tensorDesc");
        require_supported(!is_vectorised_type(dataType), "vectorised types can't be given by strides");
        set_tensor(tensor, dataType, {n, c, h, w}, {nStride, cStride, hStride, wStride});
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetTensor4dDescriptor(const cudnnTensorDescriptor_t tensorDesc, cudnnDataType_t* dataType,
                                                 int* n, int* c, int* h, int* w, int* nStride, int* cStride,
                                                 int* hStride, int* wStride)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnTensorStruct& tensor = checked_set(tensorDesc, "tensorDesc");
        store_if(dataType, tensor.type);
        store_if(n, tensor.dims[0]);
        store_if(c, tensor.dims[1]);
        store_if(h, tensor.dims[2]);
        store_if(w, tensor.dims[3]);
        store_if(nStride, tensor.strides[0]);
        store_if(cStride, tensor.strides[1]);
        store_if(hStride, tensor.strides[2]);
        store_if(wStride, tensor.strides[3]);
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnTransformTensor(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t xDesc,
                                           const void* x, const void* beta, const cudnnTensorDescriptor_t yDesc,
                                           void* y)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const tensor_view from = checked_tensor(xDesc, "xDesc"), to = checked_tensor(yDesc, "yDesc");
        const blend_factors factors = checked_factors(alpha, beta);
        require(from.dims == to.dims, "x is ", describe(from), ", y is ", describe(to), ": dimensions differ");
        return enqueue(
            context, {"cudnnTransformTensor", {reads(from, x, "x"), blends(to, y, factors, "y")}, [=](void* const* p) {
                          blend({from, p[0]}, factors, {to, p[1]});
                      }});
    });
}

NIN_API cudnnStatus_t cudnnAddTensor(cudnnHandle_t handle, const void* alpha, const cudnnTensorDescriptor_t aDesc,
                                     const void* A, const void* beta, const cudnnTensorDescriptor_t cDesc, void* C)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const tensor_view a = checked_tensor(aDesc, "aDesc"), c = checked_tensor(cDesc, "cDesc");
        const blend_factors factors = checked_factors(alpha, beta);
        require(a.type == c.type, "A is ", describe(a), ", C is ", describe(c), ": types differ");
        for (size_t i = 0; i < 4; ++i)
            require(a.dims[i] == c.dims[i] || a.dims[i] == 1, "A, ", describe(a), ", can't be broadcast to C, ",
                    describe(c));
        return enqueue(context, {"cudnnAddTensor", {reads(a, A, "A"), blends(c, C, factors, "C")}, [=](void* const* p) {
                                     blend({a, p[0]}, factors, {c, p[1]});
                                 }});
    });
}

NIN_API cudnnStatus_t cudnnSetTensor(cudnnHandle_t handle, const cudnnTensorDescriptor_t yDesc, void* y,
                                     const void* valuePtr)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const tensor_view view = checked_tensor(yDesc, "yDesc");
        require(valuePtr != nullptr, "valuePtr is null");
        const float value = *static_cast<const float*>(valuePtr);
        return enqueue(context, {"cudnnSetTensor", {writes(view, y, "y")}, [=](void* const* p) {
                                     fill(value, {view, p[0]});
                                 }});
    });
}

NIN_API cudnnStatus_t cudnnScaleTensor(cudnnHandle_t handle, const cudnnTensorDescriptor_t yDesc, void* y,
                                       const void* alpha)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const tensor_view view = checked_tensor(yDesc, "yDesc");
        require(alpha != nullptr, "alpha is null");
        const blend_factors factors{*static_cast<const float*>(alpha), 0};
        check_pointer(y, view.type, "y");
        return enqueue(context, {"cudnnScaleTensor", {updates(y, span_bytes(view))}, [=](void* const* p) {
                                     blend({view, p[0]}, factors, {view, p[0]});
                                 }});
    });
}
