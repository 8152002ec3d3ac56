// cuDNN: version, handles, and the checks that the other cudnn_* files share.
#include "host/cudnn_objects.h"
#include "host/lesser_device.h"

#include <algorithm>

namespace nin::host::cudnn
{

namespace
{

element_type known_element_type(cudnnDataType_t type, const char* name)
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

} // namespace

element_type checked_element_type(cudnnDataType_t type, const char* name)
{
    const element_type known = known_element_type(type, name);
    require_supported(lesser().has(known), name, " has data type ", static_cast<int>(type),
                      ", which NIN_HOST_LESSER takes away");
    return known;
}

void check_layout(const tensor_view& view, const char* name)
{
    require_supported(lesser().has_nhwc_of(view.type) || !is_packed_nhwc(view) || is_packed_nchw(view), name, " is ",
                      describe(view), ", NHWC, which NIN_HOST_LESSER takes away");
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

std::ostream& operator<<(std::ostream& text, const description& tensor)
{
    const tensor_view& view = tensor.view;
    const char* const type = view.type == element_type::f32   ? "float"
                             : view.type == element_type::f16 ? "half"
                                                              : "bfloat16";
    const auto list = [](const std::array<int64_t, 4>& a) {
        return concat("(", a[0], ", ", a[1], ", ", a[2], ", ", a[3], ")");
    };
    return text << type << " N,C,H,W " << list(view.dims) << " with strides " << list(view.strides);
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
    return lesser().is_cudnn8 ? 8907 : 90600;
}

// The CUDA runtime that cuDNN was built with; 12.6 as in the ABI that is declared here.
NIN_API size_t cudnnGetCudartVersion()
{
    return 12060;
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
