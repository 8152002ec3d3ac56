// cuDNN: version, error texts, handles, and the checks that the other cudnn_* files share.
#include "host/cudnn_objects.h"

#include <algorithm>
#include <cstring>

namespace nin::host::cudnn
{

element_type checked_element_type(cudnnDataType_t type, const char* name)
{
    switch (type) {
    case CUDNN_DATA_FLOAT:
        return element_type::f32;
    case CUDNN_DATA_HALF:
        return element_type::f16;
    case CUDNN_DATA_BFLOAT16:
        return element_type::bf16;
    default:
        refuse(CUDNN_STATUS_NOT_SUPPORTED, name, " has data type ", static_cast<int>(type),
               "; the host provider computes in float (0), half (2) and bfloat16 (9)");
    }
}

tensor_view checked_tensor(cudnnTensorDescriptor_t descriptor, const char* name)
{
    const cudnnTensorStruct& tensor = checked_set(descriptor, name);
    tensor_view view{checked_element_type(tensor.type, name), {}, {}};
    for (size_t i = 0; i < 4; ++i) {
        view.dims[i] = tensor.dims[i];
        view.strides[i] = tensor.strides[i];
    }
    return view;
}

int64_t bounded_count(std::initializer_list<int> dims)
{
    int64_t count = 1;
    for (const int dim : dims)
        count = std::min(count * dim, int64_t{1} << 31); // below 2^62 before it is cut
    return count;
}

std::string describe(const tensor_view& view)
{
    const char* const type = view.type == element_type::f32   ? "float"
                             : view.type == element_type::f16 ? "half"
                                                              : "bfloat16";
    const auto list = [](const std::array<int64_t, 4>& a) {
        return concat("(", a[0], ", ", a[1], ", ", a[2], ", ", a[3], ")");
    };
    return concat(type, " N,C,H,W ", list(view.dims), " with strides ", list(view.strides));
}

blend_factors checked_factors(const void* alpha, const void* beta)
{
    require(alpha != nullptr, "alpha is null");
    require(beta != nullptr, "beta is null");
    return {*static_cast<const float*>(alpha), *static_cast<const float*>(beta)};
}

void check_pointer(const void* pointer, element_type type, const char* name)
{
    require(pointer != nullptr, name, " is null");
    require(reinterpret_cast<uintptr_t>(pointer) % size_of(type) == 0, name, " = ", pointer, " is not aligned to ",
            size_of(type), " bytes");
}

memory_access reads(const tensor_view& view, const void* pointer, const char* name)
{
    check_pointer(pointer, view.type, name);
    return reads(pointer, span_bytes(view));
}

memory_access writes(const tensor_view& view, const void* pointer, const char* name)
{
    check_pointer(pointer, view.type, name);
    return writes(pointer, span_bytes(view));
}

memory_access blends(const tensor_view& view, const void* pointer, blend_factors factors, const char* name)
{
    check_pointer(pointer, view.type, name);
    return factors.beta == 0 ? writes(pointer, span_bytes(view)) : updates(pointer, span_bytes(view));
}

cudnnStatus_t enqueue(const cudnnContext& handle, operation op)
{
    const char* const name = op.name;
    if (handle.owner != current_context())
        refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, name,
               ": the handle was created in another context than the calling thread's current one");
    const CUresult result = submit(handle.stream, std::move(op));
    if (result != CUDA_SUCCESS)
        refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, name, " could not be put on its stream: CUDA error ",
               static_cast<int>(result));
    return CUDNN_STATUS_SUCCESS;
}

} // namespace nin::host::cudnn

using namespace nin::host;
using namespace nin::host::cudnn;

NIN_API size_t cudnnGetVersion()
{
    return 90600;
}

// The CUDA runtime that cuDNN was built with; 12.6 as in the ABI that is declared here.
NIN_API size_t cudnnGetCudartVersion()
{
    return 12060;
}

NIN_API const char* cudnnGetErrorString(cudnnStatus_t status)
{
#define NIN_CASE(name)                                                                                                 \
    case name:                                                                                                         \
        return #name;
    switch (status) {
        NIN_CASE(CUDNN_STATUS_SUCCESS)
        NIN_CASE(CUDNN_STATUS_NOT_INITIALIZED)
        NIN_CASE(CUDNN_STATUS_SUBLIBRARY_VERSION_MISMATCH)
        NIN_CASE(CUDNN_STATUS_SERIALIZATION_VERSION_MISMATCH)
        NIN_CASE(CUDNN_STATUS_DEPRECATED)
        NIN_CASE(CUDNN_STATUS_LICENSE_ERROR)
        NIN_CASE(CUDNN_STATUS_RUNTIME_IN_PROGRESS)
        NIN_CASE(CUDNN_STATUS_RUNTIME_FP_OVERFLOW)
        NIN_CASE(CUDNN_STATUS_SUBLIBRARY_LOADING_FAILED)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM)
        NIN_CASE(CUDNN_STATUS_INVALID_VALUE)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_NULL_POINTER)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_STREAM_MISMATCH)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_CUDA_GRAPH_MISMATCH)
        NIN_CASE(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_SHAPE)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDA_DRIVER)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_INCOMPATIBLE_CUDART)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_SUBLIBRARY_UNAVAILABLE)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_SHARED_MEMORY_INSUFFICIENT)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_PADDING)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_BAD_LAUNCH_PARAM)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_CUDA_GRAPH_NATIVE_API)
        NIN_CASE(CUDNN_STATUS_NOT_SUPPORTED_INVALID_DYNAMIC_SHAPE)
        NIN_CASE(CUDNN_STATUS_INTERNAL_ERROR)
        NIN_CASE(CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED)
        NIN_CASE(CUDNN_STATUS_INTERNAL_ERROR_UNEXPECTED_VALUE)
        NIN_CASE(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED)
        NIN_CASE(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED)
        NIN_CASE(CUDNN_STATUS_INTERNAL_ERROR_BAD_LAUNCH_PARAM)
        NIN_CASE(CUDNN_STATUS_INTERNAL_ERROR_TEXTURE_CREATION_FAILED)
        NIN_CASE(CUDNN_STATUS_EXECUTION_FAILED)
        NIN_CASE(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER)
        NIN_CASE(CUDNN_STATUS_EXECUTION_FAILED_CUBLAS)
        NIN_CASE(CUDNN_STATUS_EXECUTION_FAILED_CUDART)
        NIN_CASE(CUDNN_STATUS_EXECUTION_FAILED_CURAND)
    }
#undef NIN_CASE
    return "CUDNN_UNKNOWN_STATUS";
}

NIN_API void cudnnGetLastErrorString(char* message, size_t max_size)
{
    if (message == nullptr || max_size == 0)
        return;
    const std::string& text = last_error_text();
    const size_t length = std::min(text.size(), max_size - 1);
    std::memcpy(message, text.data(), length);
    message[length] = '\0';
}

NIN_API cudnnStatus_t cudnnCreate(cudnnHandle_t* handle)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const CUresult context = check_current_context();
        if (context != CUDA_SUCCESS)
            refuse(CUDNN_STATUS_NOT_INITIALIZED, "the calling thread has no usable current context: CUDA error ",
                   static_cast<int>(context));
        const CUresult allocation = check_allocation_allowed();
        if (allocation != CUDA_SUCCESS)
            refuse(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED,
                   "a handle allocates, which a capture forbids: CUDA error ", static_cast<int>(allocation));
        create_object(handle, "handle");
        checked(*handle, "handle").owner = current_context();
        return CUDNN_STATUS_SUCCESS;
    });
}

// Waits for the device, as cuDNN does: work that was put on the handle's stream is finished afterwards.
NIN_API cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        checked(handle, "handle");
        const CUresult result = synchronize_current_context();
        destroy_object(handle, "handle");
        if (result != CUDA_SUCCESS)
            refuse(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, "waiting for the device gave CUDA error ",
                   static_cast<int>(result));
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t streamId)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        checked(handle, "handle").stream = streamId;
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t* streamId)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        require(streamId != nullptr, "streamId is null");
        *streamId = checked(handle, "handle").stream;
        return CUDNN_STATUS_SUCCESS;
    });
}
