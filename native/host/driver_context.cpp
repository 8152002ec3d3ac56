// Primary contexts and the calling thread's current context.
#include "host/capture.h"
#include "host/context.h"
#include "host/driver.h"

namespace nin::host
{
namespace
{

// nullptr for a NULL handle.
context* get_context(CUcontext handle)
{
    if (handle == nullptr)
        return nullptr;
    context* found = find_context(handle);
    require(found != nullptr && found->is_active(), CUDA_ERROR_INVALID_CONTEXT, "ctx is not a live context");
    return found;
}

void set_current(context* current)
{
    std::vector<context*>& stack = context_stack();
    if (stack.empty())
        stack.push_back(current);
    else if (current != nullptr)
        stack.back() = current;
    else
        stack.pop_back();
}

} // namespace
} // namespace nin::host

using namespace nin::host;

NIN_API CUresult cuDevicePrimaryCtxRetain(CUcontext* pctx, CUdevice dev) noexcept
{
    return guarded<CUresult>("cuDevicePrimaryCtxRetain", [&] {
        require_no_error();
        require_pointer(pctx, "pctx");
        context& primary = device_context(dev);
        primary.retain();
        *pctx = primary.handle;
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuDevicePrimaryCtxRelease_v2(CUdevice dev) noexcept
{
    return guarded<CUresult>("cuDevicePrimaryCtxRelease_v2", [&] {
        require_no_error();
        device_context(dev).release();
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuDevicePrimaryCtxGetState(CUdevice dev, unsigned int* flags, int* active) noexcept
{
    return guarded<CUresult>("cuDevicePrimaryCtxGetState", [&] {
        require_no_error();
        require_pointer(flags, "flags");
        require_pointer(active, "active");
        *active = device_context(dev).is_active() ? 1 : 0;
        *flags = 0; // nothing sets any
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuCtxSetCurrent(CUcontext ctx) noexcept
{
    return guarded<CUresult>("cuCtxSetCurrent", [&] {
        require_no_error();
        set_current(get_context(ctx));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuCtxGetCurrent(CUcontext* pctx) noexcept
{
    return guarded<CUresult>("cuCtxGetCurrent", [&] {
        require_no_error();
        require_pointer(pctx, "pctx");
        const std::vector<context*>& stack = context_stack();
        *pctx = stack.empty() || stack.back() == nullptr ? nullptr : stack.back()->handle;
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuCtxPushCurrent_v2(CUcontext ctx) noexcept
{
    return guarded<CUresult>("cuCtxPushCurrent_v2", [&] {
        require_no_error();
        context_stack().push_back(get_context(ctx));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuCtxPopCurrent_v2(CUcontext* pctx) noexcept
{
    return guarded<CUresult>("cuCtxPopCurrent_v2", [&] {
        require_no_error();
        std::vector<context*>& stack = context_stack();
        require(!stack.empty(), CUDA_ERROR_INVALID_CONTEXT, "the calling thread has no current context");
        if (pctx != nullptr)
            *pctx = stack.back() == nullptr ? nullptr : stack.back()->handle;
        stack.pop_back();
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuCtxGetDevice(CUdevice* device) noexcept
{
    return guarded<CUresult>("cuCtxGetDevice", [&] {
        require_pointer(device, "device");
        *device = require_context().ordinal;
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuCtxSynchronize() noexcept
{
    return guarded<CUresult>("cuCtxSynchronize", [&] {
        context& current = require_context();
        refuse_if_capturing(current);
        current.wait_idle();
        require_no_error();
        return CUDA_SUCCESS;
    });
}
