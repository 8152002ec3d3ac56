// What cuDNN's opaque handles and descriptors hold here, and the checks that every cuDNN function begins with.
#pragma once

#include "host/abi/cudnn.h"
#include "host/api.h"
#include "host/handles.h"
#include "host/runtime.h"
#include "host/tensor_arithmetic.h"

#include <initializer_list>
#include <sstream>
#include <string>

struct cudnnContext {
    CUcontext owner = nullptr; // the context it was created in
    CUstream stream = nullptr;
};

struct cudnnTensorStruct {
    bool is_set = false;
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    std::array<int, 4> dims{};
    std::array<int, 4> strides{};
};

struct cudnnFilterStruct {
    bool is_set = false;
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnTensorFormat_t format = CUDNN_TENSOR_NCHW;
    std::array<int, 4> dims{}; // K, C, R, S
};

struct cudnnConvolutionStruct {
    bool is_set = false;
    int pad_h = 0, pad_w = 0;
    int stride_h = 1, stride_w = 1;
    int dilation_h = 1, dilation_w = 1;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    cudnnDataType_t compute_type = CUDNN_DATA_FLOAT;
    cudnnMathType_t math_type = CUDNN_DEFAULT_MATH;
    int group_count = 1;
};

struct cudnnPoolingStruct {
    bool is_set = false;
    cudnnPoolingMode_t mode = CUDNN_POOLING_MAX;
    cudnnNanPropagation_t nan = CUDNN_NOT_PROPAGATE_NAN;
    int window_h = 1, window_w = 1;
    int pad_h = 0, pad_w = 0;
    int stride_h = 1, stride_w = 1;
};

struct cudnnActivationStruct {
    bool is_set = false;
    cudnnActivationMode_t mode = CUDNN_ACTIVATION_RELU;
    cudnnNanPropagation_t nan = CUDNN_NOT_PROPAGATE_NAN;
    double coef = 0;
};

namespace nin::host
{

template <> struct status_traits<cudnnStatus_t> {
    static constexpr auto success = CUDNN_STATUS_SUCCESS;
    static constexpr auto internal_error = CUDNN_STATUS_INTERNAL_ERROR;
    static constexpr auto allocation_failed = CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
    // As callers see it: cuDNN 8 numbers its statuses otherwise.
    static cudnnStatus_t reported(cudnnStatus_t status) noexcept;
    static constexpr void injected(cudnnStatus_t, const char*) noexcept {}
};

} // namespace nin::host

namespace nin::host::cudnn
{

template <typename... Parts> std::string concat(const Parts&... parts)
{
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
}

template <typename... Parts> [[noreturn]] void refuse(cudnnStatus_t status, const Parts&... parts)
{
    throw refusal<cudnnStatus_t>(status, concat(parts...));
}

// Refuses with BAD_PARAM unless the condition holds.
template <typename... Parts> void require(bool condition, const Parts&... parts)
{
    if (!condition)
        refuse(CUDNN_STATUS_BAD_PARAM, parts...);
}

// Refuses with NOT_SUPPORTED unless the condition holds.
template <typename... Parts> void require_supported(bool condition, const Parts&... parts)
{
    if (!condition)
        refuse(CUDNN_STATUS_NOT_SUPPORTED, parts...);
}

// The live object behind a handle or descriptor; `name` is the parameter's name.
template <typename Object> Object& checked(Object* handle, const char* name)
{
    require(handle != nullptr, name, " is null");
    const std::shared_ptr<Object> object = table<Object*, Object>().find(handle);
    require(object != nullptr, name, " was never created or is already destroyed");
    return *object; // kept alive by the table; destroying what another thread uses is the caller's mistake
}

// The same for a descriptor that must have been set.
template <typename Object> Object& checked_set(Object* descriptor, const char* name)
{
    Object& object = checked(descriptor, name);
    require(object.is_set, name, " was created but never set");
    return object;
}

template <typename Object> cudnnStatus_t create_object(Object** handle, const char* name)
{
    require(handle != nullptr, name, " is null");
    *handle = table<Object*, Object>().add(std::make_shared<Object>());
    return CUDNN_STATUS_SUCCESS;
}

template <typename Object> cudnnStatus_t destroy_object(Object* handle, const char* name)
{
    checked(handle, name);
    table<Object*, Object>().take(handle, name);
    return CUDNN_STATUS_SUCCESS;
}

template <typename T> void store_if(T* destination, T value)
{
    if (destination != nullptr)
        *destination = value;
}

// The tensor behind a descriptor, for computing: NOT_SUPPORTED for element types other than float, half and bfloat16.
tensor_view checked_tensor(cudnnTensorDescriptor_t descriptor, const char* name);
element_type checked_element_type(cudnnDataType_t type, const char* name);

// Refuses NHWC where this device has none of that type. For convolutions, activations and pooling.
void check_layout(const tensor_view& view, const char* name);

// The number of elements that positive dimensions give, or 2^31 where it is larger: no tensor or filter has so many.
int64_t bounded_count(std::initializer_list<int> dims);

// "float N,C,H,W (2, 3, 4, 5) with strides (60, 20, 5, 1)", for refusals: put into words only when it is written.
struct description {
    const tensor_view& view;
};
inline description describe(const tensor_view& view)
{
    return {view};
}
std::ostream& operator<<(std::ostream& text, const description& tensor);

// alpha and beta: host pointers to float for every element type that is computed here.
blend_factors checked_factors(const void* alpha, const void* beta);

// Refuses null pointers and pointers that are not aligned to the element.
void check_pointer(const void* pointer, element_type type, const char* name);

// Device ranges of whole tensors, beside those of runtime.h.
using host::reads;
using host::updates;
using host::writes;
memory_access reads(const tensor_view& view, const void* pointer, const char* name);
memory_access writes(const tensor_view& view, const void* pointer, const char* name);
// What is written under these factors: with beta == 0 the old values are not read.
memory_access blends(const tensor_view& view, const void* pointer, blend_factors factors, const char* name);

// submit() for a handle of the current context, with the driver's refusal as EXECUTION_FAILED_CUDA_DRIVER.
cudnnStatus_t enqueue(const cudnnContext& handle, operation op);

} // namespace nin::host::cudnn
