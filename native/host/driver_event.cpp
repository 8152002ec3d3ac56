// Events.
#include "host/capture.h"
#include "host/configuration.h"
#include "host/context.h"
#include "host/driver.h"
#include "host/handles.h"
#include "host/lesser_device.h"

namespace nin::host
{
namespace
{

std::shared_ptr<event> get_event(CUevent handle, const char* name)
{
    require_context();
    return table<CUevent, event>().get(handle, name);
}

void record(const std::shared_ptr<stream>& target, event& marker)
{
    require(&target->owner == &marker.owner, CUDA_ERROR_INVALID_HANDLE,
            "event and stream belong to different contexts");
    if (target->kind == stream_kind::legacy)
        refuse_legacy_use(target->owner);
    if (target->is_capturing) {
        record_event(*target, marker);
        return;
    }
    const bool has_timing = (marker.flags & CU_EVENT_DISABLE_TIMING) == 0;
    std::shared_ptr<time_stamp> stamp = has_timing ? std::make_shared<time_stamp>() : nullptr;
    stream_point point = enqueue(*target, record_task{stamp});
    std::lock_guard lock(marker.mutex);
    marker.point = std::move(point);
    marker.stamp = std::move(stamp);
    marker.recorded_capture.reset();
}

stream_point recorded_point(event& marker)
{
    refuse_if_captured(marker);
    refuse_unsafe_call();
    std::lock_guard lock(marker.mutex);
    return marker.point;
}

// The time of a finished recording.
std::chrono::steady_clock::time_point finished_time(event& marker, const char* name)
{
    std::lock_guard lock(marker.mutex);
    if (marker.recorded_capture != nullptr)
        refuse(CUDA_ERROR_CAPTURED_EVENT, std::string(name) + " was last recorded in a capture");
    if (marker.stamp == nullptr)
        refuse(CUDA_ERROR_INVALID_HANDLE, std::string(name) + " was never recorded, or has its timing disabled");
    if (!marker.point.reached())
        refuse(CUDA_ERROR_NOT_READY, std::string(name) + " has not been reached yet");
    return marker.stamp->time;
}

} // namespace
} // namespace nin::host

using namespace nin::host;

NIN_API CUresult cuEventCreate(CUevent* phEvent, unsigned int Flags) noexcept
{
    return guarded<CUresult>("cuEventCreate", [&] {
        context& current = require_context();
        require_pointer(phEvent, "phEvent");
        require((Flags & CU_EVENT_INTERPROCESS) == 0, CUDA_ERROR_NOT_SUPPORTED, "no events between processes");
        require((Flags & ~(CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING)) == 0, CUDA_ERROR_INVALID_VALUE,
                "unknown Flags");
        *phEvent = table<CUevent, event>().add(std::make_shared<event>(current, Flags));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuEventDestroy_v2(CUevent hEvent) noexcept
{
    return guarded<CUresult>("cuEventDestroy_v2", [&] {
        require_context();
        table<CUevent, event>().take(hEvent, "hEvent");
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuEventRecord(CUevent hEvent, CUstream hStream) noexcept
{
    return guarded<CUresult>("cuEventRecord", [&] {
        record(get_stream(hStream), *get_event(hEvent, "hEvent"));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuEventQuery(CUevent hEvent) noexcept
{
    return guarded<CUresult>("cuEventQuery", [&] {
        const stream_point point = recorded_point(*get_event(hEvent, "hEvent"));
        if (settings().streams != stream_mode::worker)
            point.wait(); // nothing else would make progress
        const bool is_done = point.reached();
        require_no_error();
        return is_done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
    });
}

NIN_API CUresult cuEventSynchronize(CUevent hEvent) noexcept
{
    return guarded<CUresult>("cuEventSynchronize", [&] {
        recorded_point(*get_event(hEvent, "hEvent")).wait();
        require_no_error();
        return CUDA_SUCCESS;
    });
}

namespace
{

CUresult elapsed_time(const char* function, float* pMilliseconds, CUevent hStart, CUevent hEnd) noexcept
{
    return guarded<CUresult>(function, [&] {
        const std::shared_ptr<event> start = get_event(hStart, "hStart");
        const std::shared_ptr<event> end = get_event(hEnd, "hEnd");
        require_pointer(pMilliseconds, "pMilliseconds");
        const std::chrono::duration<float, std::milli> elapsed =
            finished_time(*end, "hEnd") - finished_time(*start, "hStart");
        *pMilliseconds = elapsed.count();
        return CUDA_SUCCESS;
    });
}

CUresult elapsed_time_v1(float* pMilliseconds, CUevent hStart, CUevent hEnd) noexcept
{
    return elapsed_time("cuEventElapsedTime", pMilliseconds, hStart, hEnd);
}

CUresult elapsed_time_v2(float* pMilliseconds, CUevent hStart, CUevent hEnd) noexcept
{
    return elapsed_time("cuEventElapsedTime_v2", pMilliseconds, hStart, hEnd);
}

} // namespace

// One function: CUDA 12.8 gave it the new name, 13 dropped the old one.
NIN_API_WHERE(cuEventElapsedTime, elapsed_time_v1, device.driver_version < 13000)
NIN_API CUresult cuEventElapsedTime(float* pMilliseconds, CUevent hStart, CUevent hEnd) noexcept
    NIN_RESOLVED(cuEventElapsedTime);
NIN_API_WHERE(cuEventElapsedTime_v2, elapsed_time_v2, device.driver_version >= 12080)
NIN_API CUresult cuEventElapsedTime_v2(float* pMilliseconds, CUevent hStart, CUevent hEnd) noexcept
    NIN_RESOLVED(cuEventElapsedTime_v2);
