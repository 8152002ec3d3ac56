// What the driver's own files share: the status traits of CUresult, refusals, and the checks that open a function.
#pragma once

#include "host/abi/cuda.h"
#include "host/api.h"
#include "host/runtime.h"

#include <atomic>
#include <string>

namespace nin::host
{

template <> struct status_traits<CUresult> {
    static constexpr CUresult success = CUDA_SUCCESS;
    static constexpr CUresult internal_error = CUDA_ERROR_UNKNOWN;
    static constexpr CUresult allocation_failed = CUDA_ERROR_OUT_OF_MEMORY;
    static constexpr CUresult reported(CUresult status) noexcept { return status; }
    static void injected(CUresult status, const char* text) noexcept; // sticky statuses stick
};

[[noreturn]] inline void refuse(CUresult status, std::string text)
{
    throw refusal<CUresult>(status, std::move(text));
}

inline void require(bool condition, CUresult status, const char* text)
{
    if (!condition)
        refuse(status, text);
}

// `name` is the parameter's, as the manual spells it.
inline void require_pointer(const void* pointer, const char* name)
{
    if (pointer == nullptr)
        refuse(CUDA_ERROR_INVALID_VALUE, std::string(name) + " is NULL");
}

class context;

// Each refuses when it must: cuInit was called and this is not a host function of a stream; and no sticky error; and
// the calling thread has a live current context.
void require_initialized();
void require_no_error();
context& require_context();

// The first asynchronous failure of the process. Later ones do not replace it. Never throws.
void set_sticky_error(CUresult status, const std::string& text) noexcept;
CUresult sticky_error() noexcept;

void set_initialized() noexcept;

// Marks the calling thread as running an operation's body. API calls are refused there, as in a host function of a
// stream: one that waits for the stream would never return.
class inside_operation
{
  public:
    inside_operation() noexcept;
    ~inside_operation();
    inside_operation(const inside_operation&) = delete;
    inside_operation& operator=(const inside_operation&) = delete;
};

// The one object of its type that lives as long as the process: worker threads may still use it while static objects
// are being destroyed.
template <typename T> T& immortal()
{
    static T& object = *new T; // never deleted, on purpose
    return object;
}

} // namespace nin::host
