// The asynchronous core of the host provider, as the API families (driver, cuDNN, cuBLAS, kernel launches) see it.
// Work becomes an operation: the device memory it touches is declared with it, checked and translated when it runs.
#pragma once

#include "host/abi/cuda.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace nin::host
{

enum class access_kind : uint8_t { read, write, read_write };

// A range of device memory that an operation touches. bytes == 0 stands for "not touched" (the address may then be 0).
struct memory_access {
    CUdeviceptr address;
    size_t bytes;
    access_kind kind;
};

inline memory_access reads(const void* device_pointer, size_t bytes)
{
    return {reinterpret_cast<CUdeviceptr>(device_pointer), bytes, access_kind::read};
}
inline memory_access writes(const void* device_pointer, size_t bytes)
{
    return {reinterpret_cast<CUdeviceptr>(device_pointer), bytes, access_kind::write};
}
inline memory_access updates(const void* device_pointer, size_t bytes)
{
    return {reinterpret_cast<CUdeviceptr>(device_pointer), bytes, access_kind::read_write};
}

// One asynchronous unit of work. The body gets one host pointer per access, in order (nullptr for 0 bytes).
// It may run many times (graph replay), on any thread, and must own everything else it needs.
// An exception that leaves it becomes the sticky error CUDA_ERROR_LAUNCH_FAILED.
struct operation {
    const char* name; // static string: the API function or kernel, for traces and error texts
    std::vector<memory_access> accesses;
    std::function<void(void* const* pointers)> body;
};

// Puts the operation on the stream, or records it when the stream is capturing. When it runs, every access is held
// against the live allocations of the stream's context; a violation is the sticky error CUDA_ERROR_ILLEGAL_ADDRESS and
// the body does not run. Returns the refusal or an earlier sticky error.
CUresult submit(CUstream stream, operation op);

// CUDA_SUCCESS; CUDA_ERROR_INVALID_CONTEXT when the calling thread has no current context; or the sticky error.
CUresult check_current_context();

// The calling thread's current context; nullptr without one.
CUcontext current_context() noexcept;

// CUDA_SUCCESS, or the refusal of calls that allocate while a stream captures, which ends that capture.
CUresult check_allocation_allowed();

// Waits for everything submitted to the current context (not legal while one of its streams captures).
CUresult synchronize_current_context();

// The number of threads an operation may use: NIN_NUM_THREADS, or the cores this process may run on.
int thread_count();

} // namespace nin::host
