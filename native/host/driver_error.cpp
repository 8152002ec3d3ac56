// cuGetErrorName, cuGetErrorString: usable at any time, also before cuInit and after a sticky error.
#include "host/driver.h"

#include <algorithm>

namespace nin::host
{
namespace
{

struct error_entry {
    CUresult code;
    const char* name;
    const char* text;
};

// #name takes the spelling from the enumerator itself.
#define NIN_ERROR(name, text)                                                                                          \
    {                                                                                                                  \
        name, #name, text                                                                                              \
    }

constexpr error_entry k_errors[] = {
    NIN_ERROR(CUDA_SUCCESS, "no error"),
    NIN_ERROR(CUDA_ERROR_INVALID_VALUE, "a parameter is outside its permitted range"),
    NIN_ERROR(CUDA_ERROR_OUT_OF_MEMORY, "not enough memory for the request"),
    NIN_ERROR(CUDA_ERROR_NOT_INITIALIZED, "the driver was not initialised with cuInit"),
    NIN_ERROR(CUDA_ERROR_DEINITIALIZED, "the driver is shutting down"),
    NIN_ERROR(CUDA_ERROR_PROFILER_DISABLED, "profiler disabled"),
    NIN_ERROR(CUDA_ERROR_PROFILER_NOT_INITIALIZED, "profiler not initialized"),
    NIN_ERROR(CUDA_ERROR_PROFILER_ALREADY_STARTED, "profiler already started"),
    NIN_ERROR(CUDA_ERROR_PROFILER_ALREADY_STOPPED, "profiler already stopped"),
    NIN_ERROR(CUDA_ERROR_STUB_LIBRARY, "a stub library was loaded instead of the driver"),
    NIN_ERROR(CUDA_ERROR_CALL_REQUIRES_NEWER_DRIVER, "the call needs a newer driver"),
    NIN_ERROR(CUDA_ERROR_DEVICE_UNAVAILABLE, "the device is busy or unavailable"),
    NIN_ERROR(CUDA_ERROR_NO_DEVICE, "no device was found"),
    NIN_ERROR(CUDA_ERROR_INVALID_DEVICE, "the device ordinal does not exist"),
    NIN_ERROR(CUDA_ERROR_DEVICE_NOT_LICENSED, "the device is not licensed"),
    NIN_ERROR(CUDA_ERROR_INVALID_IMAGE, "the module image is invalid"),
    NIN_ERROR(CUDA_ERROR_INVALID_CONTEXT, "no valid current context"),
    NIN_ERROR(CUDA_ERROR_CONTEXT_ALREADY_CURRENT, "the context is current already"),
    NIN_ERROR(CUDA_ERROR_MAP_FAILED, "map failed"),
    NIN_ERROR(CUDA_ERROR_UNMAP_FAILED, "unmap failed"),
    NIN_ERROR(CUDA_ERROR_ARRAY_IS_MAPPED, "array is mapped"),
    NIN_ERROR(CUDA_ERROR_ALREADY_MAPPED, "already mapped"),
    NIN_ERROR(CUDA_ERROR_NO_BINARY_FOR_GPU, "no kernel image for this device"),
    NIN_ERROR(CUDA_ERROR_ALREADY_ACQUIRED, "already acquired"),
    NIN_ERROR(CUDA_ERROR_NOT_MAPPED, "not mapped"),
    NIN_ERROR(CUDA_ERROR_NOT_MAPPED_AS_ARRAY, "not mapped as array"),
    NIN_ERROR(CUDA_ERROR_NOT_MAPPED_AS_POINTER, "not mapped as pointer"),
    NIN_ERROR(CUDA_ERROR_ECC_UNCORRECTABLE, "uncorrectable memory error"),
    NIN_ERROR(CUDA_ERROR_UNSUPPORTED_LIMIT, "the device does not support the limit"),
    NIN_ERROR(CUDA_ERROR_CONTEXT_ALREADY_IN_USE, "the context is bound to another thread"),
    NIN_ERROR(CUDA_ERROR_PEER_ACCESS_UNSUPPORTED, "no peer access between these devices"),
    NIN_ERROR(CUDA_ERROR_INVALID_PTX, "the PTX could not be compiled"),
    NIN_ERROR(CUDA_ERROR_INVALID_GRAPHICS_CONTEXT, "invalid graphics context"),
    NIN_ERROR(CUDA_ERROR_NVLINK_UNCORRECTABLE, "uncorrectable NVLink error"),
    NIN_ERROR(CUDA_ERROR_JIT_COMPILER_NOT_FOUND, "the PTX compiler was not found"),
    NIN_ERROR(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, "the PTX is newer than this driver"),
    NIN_ERROR(CUDA_ERROR_JIT_COMPILATION_DISABLED, "PTX compilation is disabled"),
    NIN_ERROR(CUDA_ERROR_UNSUPPORTED_EXEC_AFFINITY, "unsupported exec affinity"),
    NIN_ERROR(CUDA_ERROR_UNSUPPORTED_DEVSIDE_SYNC, "unsupported devside sync"),
    NIN_ERROR(CUDA_ERROR_CONTAINED, "contained"),
    NIN_ERROR(CUDA_ERROR_INVALID_SOURCE, "the kernel source is invalid"),
    NIN_ERROR(CUDA_ERROR_FILE_NOT_FOUND, "the file was not found"),
    NIN_ERROR(CUDA_ERROR_SHARED_OBJECT_SYMBOL_NOT_FOUND, "a symbol of a shared object was not found"),
    NIN_ERROR(CUDA_ERROR_SHARED_OBJECT_INIT_FAILED, "a shared object failed to initialise"),
    NIN_ERROR(CUDA_ERROR_OPERATING_SYSTEM, "an operating system call failed"),
    NIN_ERROR(CUDA_ERROR_INVALID_HANDLE, "the handle is not valid"),
    NIN_ERROR(CUDA_ERROR_ILLEGAL_STATE, "the object is in the wrong state for this call"),
    NIN_ERROR(CUDA_ERROR_LOSSY_QUERY, "the answer would lose information"),
    NIN_ERROR(CUDA_ERROR_NOT_FOUND, "the named symbol was not found"),
    NIN_ERROR(CUDA_ERROR_NOT_READY, "earlier work has not finished"),
    NIN_ERROR(CUDA_ERROR_ILLEGAL_ADDRESS, "an operation accessed memory outside the live allocations"),
    NIN_ERROR(CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, "the launch needs more resources than there are"),
    NIN_ERROR(CUDA_ERROR_LAUNCH_TIMEOUT, "the kernel ran too long"),
    NIN_ERROR(CUDA_ERROR_LAUNCH_INCOMPATIBLE_TEXTURING, "launch incompatible texturing"),
    NIN_ERROR(CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED, "peer access is enabled already"),
    NIN_ERROR(CUDA_ERROR_PEER_ACCESS_NOT_ENABLED, "peer access is not enabled"),
    NIN_ERROR(CUDA_ERROR_PRIMARY_CONTEXT_ACTIVE, "the primary context is active already"),
    NIN_ERROR(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context was destroyed"),
    NIN_ERROR(CUDA_ERROR_ASSERT, "an assertion failed in a kernel"),
    NIN_ERROR(CUDA_ERROR_TOO_MANY_PEERS, "too many peers"),
    NIN_ERROR(CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, "the host memory is page-locked already"),
    NIN_ERROR(CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED, "the host memory was not registered"),
    NIN_ERROR(CUDA_ERROR_HARDWARE_STACK_ERROR, "hardware stack error"),
    NIN_ERROR(CUDA_ERROR_ILLEGAL_INSTRUCTION, "illegal instruction in a kernel"),
    NIN_ERROR(CUDA_ERROR_MISALIGNED_ADDRESS, "misaligned access in a kernel"),
    NIN_ERROR(CUDA_ERROR_INVALID_ADDRESS_SPACE, "access to the wrong address space in a kernel"),
    NIN_ERROR(CUDA_ERROR_INVALID_PC, "invalid pc"),
    NIN_ERROR(CUDA_ERROR_LAUNCH_FAILED, "an operation failed while it ran"),
    NIN_ERROR(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE, "the cooperative launch has too many blocks"),
    NIN_ERROR(CUDA_ERROR_TENSOR_MEMORY_LEAK, "tensor memory leak"),
    NIN_ERROR(CUDA_ERROR_NOT_PERMITTED, "the call is not permitted here"),
    NIN_ERROR(CUDA_ERROR_NOT_SUPPORTED, "not supported"),
    NIN_ERROR(CUDA_ERROR_SYSTEM_NOT_READY, "the system is not ready"),
    NIN_ERROR(CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, "the parts of the driver have different versions"),
    NIN_ERROR(CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE, "the device does not support forward compatibility"),
    NIN_ERROR(CUDA_ERROR_MPS_CONNECTION_FAILED, "mps connection failed"),
    NIN_ERROR(CUDA_ERROR_MPS_RPC_FAILURE, "mps rpc failure"),
    NIN_ERROR(CUDA_ERROR_MPS_SERVER_NOT_READY, "mps server not ready"),
    NIN_ERROR(CUDA_ERROR_MPS_MAX_CLIENTS_REACHED, "mps max clients reached"),
    NIN_ERROR(CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED, "mps max connections reached"),
    NIN_ERROR(CUDA_ERROR_MPS_CLIENT_TERMINATED, "mps client terminated"),
    NIN_ERROR(CUDA_ERROR_CDP_NOT_SUPPORTED, "cdp not supported"),
    NIN_ERROR(CUDA_ERROR_CDP_VERSION_MISMATCH, "cdp version mismatch"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the call is not permitted while a stream captures"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture was invalidated by an earlier call"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_MERGE, "the call would merge two captures"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_UNMATCHED, "the capture was begun on another stream"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, "a stream of the capture was not joined back"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, "the dependency would cross the border of the capture"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, "the legacy stream may not be used while a blocking stream captures"),
    NIN_ERROR(CUDA_ERROR_CAPTURED_EVENT, "the event was last recorded in a capture"),
    NIN_ERROR(CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture was begun by another thread"),
    NIN_ERROR(CUDA_ERROR_TIMEOUT, "the time is up"),
    NIN_ERROR(CUDA_ERROR_GRAPH_EXEC_UPDATE_FAILURE, "the executable graph cannot be updated in this way"),
    NIN_ERROR(CUDA_ERROR_EXTERNAL_DEVICE, "external device"),
    NIN_ERROR(CUDA_ERROR_INVALID_CLUSTER_SIZE, "invalid cluster size"),
    NIN_ERROR(CUDA_ERROR_FUNCTION_NOT_LOADED, "function not loaded"),
    NIN_ERROR(CUDA_ERROR_INVALID_RESOURCE_TYPE, "invalid resource type"),
    NIN_ERROR(CUDA_ERROR_INVALID_RESOURCE_CONFIGURATION, "invalid resource configuration"),
    NIN_ERROR(CUDA_ERROR_KEY_ROTATION, "key rotation"),
    NIN_ERROR(CUDA_ERROR_STREAM_DETACHED, "stream detached"),
    NIN_ERROR(CUDA_ERROR_UNKNOWN, "unknown internal error"),
};

#undef NIN_ERROR

const error_entry& get_entry(CUresult error, const char** pStr)
{
    require_pointer(pStr, "pStr");
    *pStr = nullptr;
    const auto* found = std::find_if(std::begin(k_errors), std::end(k_errors),
                                     [error](const error_entry& entry) { return entry.code == error; });
    if (found == std::end(k_errors))
        refuse(CUDA_ERROR_INVALID_VALUE, "unknown error code " + std::to_string(error));
    return *found;
}

} // namespace
} // namespace nin::host

using namespace nin::host;

NIN_API CUresult cuGetErrorName(CUresult error, const char** pStr) noexcept
{
    return guarded<CUresult>("cuGetErrorName", [&] {
        *pStr = get_entry(error, pStr).name;
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuGetErrorString(CUresult error, const char** pStr) noexcept
{
    return guarded<CUresult>("cuGetErrorString", [&] {
        *pStr = get_entry(error, pStr).text;
        return CUDA_SUCCESS;
    });
}
