// The contract of runtime.h, and the state of the process: initialised or not, and the sticky error.
#include "host/runtime.h"

#include "host/capture.h"
#include "host/context.h"
#include "host/driver.h"

#include <mutex>

namespace nin::host
{
namespace
{

struct process_state {
    std::atomic<bool> is_initialized{false};
    std::atomic<CUresult> sticky_error{CUDA_SUCCESS};
    std::mutex mutex;
    std::string sticky_text;
};

process_state& state()
{
    return immortal<process_state>();
}

thread_local bool is_inside_operation = false;

// Runs a body that refuses by throwing, for functions that report by status.
template <typename Body> CUresult status_of(Body&& body)
{
    try {
        body();
        return CUDA_SUCCESS;
    } catch (const refusal<CUresult>& e) {
        set_last_error_text(e.what());
        return e.status();
    }
}

} // namespace

inside_operation::inside_operation() noexcept
{
    is_inside_operation = true;
}
inside_operation::~inside_operation()
{
    is_inside_operation = false;
}

void set_initialized() noexcept
{
    state().is_initialized = true;
}

CUresult sticky_error() noexcept
{
    return state().sticky_error.load(std::memory_order_acquire);
}

void set_sticky_error(CUresult status, const std::string& text) noexcept
{
    process_state& process = state();
    std::lock_guard lock(process.mutex);
    if (process.sticky_error != CUDA_SUCCESS)
        return;
    try {
        process.sticky_text = text;
    } catch (...) {
        process.sticky_text.clear();
    }
    process.sticky_error.store(status, std::memory_order_release);
    trace_call("(asynchronous)", status, process.sticky_text.c_str());
}

void status_traits<CUresult>::injected(CUresult status, const char* text) noexcept
{
    switch (status) {
    case CUDA_ERROR_ECC_UNCORRECTABLE:
    case CUDA_ERROR_NVLINK_UNCORRECTABLE:
    case CUDA_ERROR_ILLEGAL_ADDRESS:
    case CUDA_ERROR_LAUNCH_TIMEOUT:
    case CUDA_ERROR_ASSERT:
    case CUDA_ERROR_HARDWARE_STACK_ERROR:
    case CUDA_ERROR_ILLEGAL_INSTRUCTION:
    case CUDA_ERROR_MISALIGNED_ADDRESS:
    case CUDA_ERROR_INVALID_ADDRESS_SPACE:
    case CUDA_ERROR_INVALID_PC:
    case CUDA_ERROR_LAUNCH_FAILED:
        set_sticky_error(status, text);
        break;
    default:
        break;
    }
}

void require_initialized()
{
    require(state().is_initialized, CUDA_ERROR_NOT_INITIALIZED, "cuInit was not called");
    require(!is_inside_operation, CUDA_ERROR_NOT_PERMITTED, "called from inside a stream's host function");
}

void require_no_error()
{
    require_initialized();
    const CUresult status = sticky_error();
    if (status == CUDA_SUCCESS) [[likely]]
        return;
    std::lock_guard lock(state().mutex);
    refuse(status, "an earlier operation failed: " + state().sticky_text);
}

void submit_work(const std::shared_ptr<stream>& target, operation op)
{
    if (target->kind == stream_kind::legacy)
        refuse_legacy_use(target->owner);
    if (target->is_capturing)
        record_node(*target, std::move(op));
    else
        enqueue(*target, std::move(op));
}

CUresult submit(CUstream handle, operation op)
{
    return status_of([&] {
        const std::shared_ptr<stream> target = get_stream(handle);
        require(&target->owner == &require_context(), CUDA_ERROR_INVALID_CONTEXT,
                "the stream belongs to another context than the current one");
        submit_work(target, std::move(op));
    });
}

CUresult check_current_context()
{
    return status_of([] { require_context(); });
}

CUcontext current_context() noexcept
{
    const std::vector<context*>& stack = context_stack();
    return stack.empty() || stack.back() == nullptr ? nullptr : stack.back()->handle;
}

CUresult check_allocation_allowed()
{
    return status_of([] { refuse_unsafe_call(); });
}

CUresult synchronize_current_context()
{
    return status_of([] {
        context& current = require_context();
        refuse_if_capturing(current);
        current.wait_idle();
        require_no_error();
    });
}

} // namespace nin::host
