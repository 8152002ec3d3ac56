// Streams, host functions and stream capture.
#include "host/capture.h"
#include "host/context.h"
#include "host/driver.h"
#include "host/handles.h"

namespace nin::host
{
namespace
{

CUstream create_stream(unsigned int flags)
{
    context& current = require_context();
    require(flags == CU_STREAM_DEFAULT || flags == CU_STREAM_NON_BLOCKING, CUDA_ERROR_INVALID_VALUE, "unknown flags");
    return table<CUstream, stream>().add(
        current.create_stream(flags == CU_STREAM_DEFAULT ? stream_kind::blocking : stream_kind::non_blocking));
}

void require_capture_mode(CUstreamCaptureMode mode)
{
    require(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED, CUDA_ERROR_INVALID_VALUE,
            "unknown capture mode");
}

// What synchronising and querying have in common.
std::shared_ptr<stream> get_waitable_stream(CUstream handle)
{
    std::shared_ptr<stream> target = get_stream(handle);
    if (target->kind == stream_kind::legacy)
        refuse_legacy_use(target->owner);
    refuse_if_capturing(*target);
    refuse_unsafe_call();
    return target;
}

} // namespace
} // namespace nin::host

using namespace nin::host;

NIN_API CUresult cuStreamCreate(CUstream* phStream, unsigned int Flags) noexcept
{
    return guarded<CUresult>("cuStreamCreate", [&] {
        require_pointer(phStream, "phStream");
        *phStream = create_stream(Flags);
        return CUDA_SUCCESS;
    });
}

// Streams have one priority here; any value is clamped to it.
NIN_API CUresult cuStreamCreateWithPriority(CUstream* phStream, unsigned int flags, int) noexcept
{
    return guarded<CUresult>("cuStreamCreateWithPriority", [&] {
        require_pointer(phStream, "phStream");
        *phStream = create_stream(flags);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuStreamDestroy_v2(CUstream hStream) noexcept
{
    return guarded<CUresult>("cuStreamDestroy_v2", [&] {
        require_context();
        auto& streams = table<CUstream, stream>();
        refuse_if_capturing(*streams.get(hStream, "hStream"));
        const std::shared_ptr<stream> target = streams.take(hStream, "hStream");
        target->is_destroyed = true;
        target->queue->close();
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuStreamSynchronize(CUstream hStream) noexcept
{
    return guarded<CUresult>("cuStreamSynchronize", [&] {
        synchronize_stream(*get_waitable_stream(hStream));
        require_no_error();
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuStreamQuery(CUstream hStream) noexcept
{
    return guarded<CUresult>("cuStreamQuery", [&] {
        const bool is_done = query_stream(*get_waitable_stream(hStream));
        require_no_error();
        return is_done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
    });
}

NIN_API CUresult cuStreamWaitEvent(CUstream hStream, CUevent hEvent, unsigned int Flags) noexcept
{
    return guarded<CUresult>("cuStreamWaitEvent", [&] {
        const std::shared_ptr<stream> target = get_stream(hStream);
        const std::shared_ptr<event> marker = table<CUevent, event>().get(hEvent, "hEvent");
        require(Flags == 0, CUDA_ERROR_INVALID_VALUE, "Flags must be 0");
        if (target->kind == stream_kind::legacy)
            refuse_legacy_use(target->owner);
        wait_event(target, *marker);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuStreamBeginCapture_v2(CUstream hStream, CUstreamCaptureMode mode) noexcept
{
    return guarded<CUresult>("cuStreamBeginCapture_v2", [&] {
        require_capture_mode(mode);
        begin_capture(get_stream(hStream), mode);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuStreamEndCapture(CUstream hStream, CUgraph* phGraph) noexcept
{
    return guarded<CUresult>("cuStreamEndCapture", [&] {
        require_pointer(phGraph, "phGraph");
        *phGraph = nullptr;
        *phGraph = table<CUgraph, const graph>().add(end_capture(*get_stream(hStream)));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuStreamIsCapturing(CUstream hStream, CUstreamCaptureStatus* captureStatus) noexcept
{
    return guarded<CUresult>("cuStreamIsCapturing", [&] {
        require_pointer(captureStatus, "captureStatus");
        *captureStatus = capture_status(*get_stream(hStream));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) noexcept
{
    return guarded<CUresult>("cuThreadExchangeStreamCaptureMode", [&] {
        require_no_error();
        require_pointer(mode, "mode");
        require_capture_mode(*mode);
        *mode = exchange_thread_mode(*mode);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuLaunchHostFunc(CUstream hStream, CUhostFn fn, void* userData) noexcept
{
    return guarded<CUresult>("cuLaunchHostFunc", [&] {
        const std::shared_ptr<stream> target = get_stream(hStream);
        require(fn != nullptr, CUDA_ERROR_INVALID_VALUE, "fn is NULL");
        submit_work(target, {"cuLaunchHostFunc", {}, [fn, userData](void* const*) { fn(userData); }});
        return CUDA_SUCCESS;
    });
}
