// cuDNN: names of statuses, the last error's text, and version 8's numbers.
#include "host/cudnn_objects.h"
#include "host/lesser_device.h"

#include <algorithm>
#include <cstring>

namespace nin::host
{
namespace
{

// A status of version 8 and those of version 9 that became of it; what isn't listed goes by its thousands.
struct version8_status {
    int number;
    const char* name;
    int first, last;
};

constexpr version8_status k_version8[] = {
    {1, "CUDNN_STATUS_NOT_INITIALIZED", 1001, 1001},
    {14, "CUDNN_STATUS_VERSION_MISMATCH", 1002, 1003},
    {10, "CUDNN_STATUS_LICENSE_ERROR", 1005, 1005},
    {12, "CUDNN_STATUS_RUNTIME_IN_PROGRESS", 1006, 1006},
    {13, "CUDNN_STATUS_RUNTIME_FP_OVERFLOW", 1007, 1007},
    {5, "CUDNN_STATUS_INVALID_VALUE", 2001, 2001},
    {6, "CUDNN_STATUS_ARCH_MISMATCH", 3007, 3007},
    {11, "CUDNN_STATUS_RUNTIME_PREREQUISITE_MISSING", 3008, 3008},
    {2, "CUDNN_STATUS_ALLOC_FAILED", 4003, 4004},
    {7, "CUDNN_STATUS_MAPPING_ERROR", 4006, 4006},
    {3, "CUDNN_STATUS_BAD_PARAM", 2000, 2999},
    {9, "CUDNN_STATUS_NOT_SUPPORTED", 3000, 3999},
    {4, "CUDNN_STATUS_INTERNAL_ERROR", 4000, 4999},
    {8, "CUDNN_STATUS_EXECUTION_FAILED", 5000, 5999},
};

} // namespace

cudnnStatus_t status_traits<cudnnStatus_t>::reported(cudnnStatus_t status) noexcept
{
    if (!lesser().is_cudnn8)
        return status;
    const auto* const found = std::find_if(std::begin(k_version8), std::end(k_version8), [status](const auto& entry) {
        return entry.first <= status && status <= entry.last;
    });
    return found == std::end(k_version8) ? status : static_cast<cudnnStatus_t>(found->number);
}

} // namespace nin::host

using namespace nin::host;

namespace
{

const char* version8_name(int status)
{
    const auto* const found = std::find_if(std::begin(k_version8), std::end(k_version8),
                                           [status](const auto& entry) { return entry.number == status; });
    return status == 0 ? "CUDNN_STATUS_SUCCESS" : found == std::end(k_version8) ? "CUDNN_UNKNOWN_STATUS" : found->name;
}

void last_error_string(char* message, size_t max_size)
{
    if (message == nullptr || max_size == 0)
        return;
    const std::string& text = last_error_text();
    const size_t length = std::min(text.size(), max_size - 1);
    std::memcpy(message, text.data(), length);
    message[length] = '\0';
}

} // namespace

NIN_API const char* cudnnGetErrorString(cudnnStatus_t status)
{
    if (lesser().is_cudnn8)
        return version8_name(status);
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

NIN_API_WHERE(cudnnGetLastErrorString, last_error_string, !device.is_cudnn8)
NIN_API void cudnnGetLastErrorString(char* message, size_t max_size) NIN_RESOLVED(cudnnGetLastErrorString);
