#include "host/capture.h"

#include "host/context.h"
#include "host/driver.h"
#include "host/handles.h"

#include <algorithm>
#include <mutex>

namespace nin::host
{
namespace
{

struct capture_registry {
    std::mutex mutex;
    std::vector<std::shared_ptr<capture>> active;
    std::atomic<size_t> active_count{0}; // the fast path of calls that need no lock when nothing captures
};

capture_registry& registry()
{
    return immortal<capture_registry>();
}

CUstreamCaptureMode& thread_mode() noexcept
{
    thread_local CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
    return mode;
}

// The registry's mutex is held in all that follow.

void join(const std::shared_ptr<capture>& sequence, const std::shared_ptr<stream>& target, std::vector<size_t> frontier)
{
    sequence->streams.push_back(target);
    target->active_capture = sequence;
    target->frontier = std::move(frontier);
    target->is_capturing = true;
    if (target->kind == stream_kind::blocking)
        ++target->owner.capturing_blocking_streams;
}

void finish(capture& sequence)
{
    for (const auto& member : sequence.streams) {
        if (member->kind == stream_kind::blocking)
            --member->owner.capturing_blocking_streams;
        member->is_capturing = false;
        member->frontier.clear();
        member->active_capture.reset();
    }
    sequence.streams.clear();
    sequence.has_ended = true;
    std::erase_if(registry().active, [&](const auto& one) { return one.get() == &sequence; });
    registry().active_count = registry().active.size();
}

void require_valid(const capture& sequence)
{
    require(!sequence.is_invalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED,
            "the capture was invalidated by an earlier illegal call; end it with cuStreamEndCapture");
}

[[noreturn]] void invalidate_and_refuse(capture& sequence, CUresult status, const char* text)
{
    sequence.is_invalidated = true;
    refuse(status, text);
}

// Adds what is not there yet; the order does not matter.
void merge(std::vector<size_t>& frontier, const std::vector<size_t>& nodes)
{
    for (size_t node : nodes) {
        if (std::find(frontier.begin(), frontier.end(), node) == frontier.end())
            frontier.push_back(node);
    }
}

// Whether every recorded node comes before the origin's end, that is, all side streams were joined back.
bool all_joined(const capture& sequence)
{
    const std::vector<graph_node>& nodes = sequence.recorded->nodes;
    std::vector<bool> reached(nodes.size(), false);
    for (size_t node : sequence.origin->frontier)
        reached[node] = true;
    for (size_t node = nodes.size(); node-- > 0;) { // dependencies have smaller indices
        if (!reached[node])
            return false;
        for (size_t dependency : nodes[node].dependencies)
            reached[dependency] = true;
    }
    return true;
}

} // namespace

void begin_capture(const std::shared_ptr<stream>& origin, CUstreamCaptureMode mode)
{
    require(origin->kind != stream_kind::legacy, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
            "the legacy default stream cannot capture");
    std::lock_guard lock(registry().mutex);
    require(origin->active_capture == nullptr, CUDA_ERROR_ILLEGAL_STATE, "the stream captures already");
    auto sequence = std::make_shared<capture>(origin, mode);
    registry().active.push_back(sequence);
    registry().active_count = registry().active.size();
    join(sequence, origin, {});
}

std::shared_ptr<const graph> end_capture(stream& origin)
{
    std::lock_guard lock(registry().mutex);
    const std::shared_ptr<capture> sequence = origin.active_capture;
    require(sequence != nullptr, CUDA_ERROR_ILLEGAL_STATE, "the stream does not capture");
    require(sequence->origin.get() == &origin, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED,
            "the capture was begun on another stream");
    require(sequence->mode == CU_STREAM_CAPTURE_MODE_RELAXED || sequence->thread == std::this_thread::get_id(),
            CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD, "the capture was begun by another thread and is not RELAXED");
    const bool joined = all_joined(*sequence);
    finish(*sequence);
    require_valid(*sequence);
    require(joined, CUDA_ERROR_STREAM_CAPTURE_UNJOINED,
            "work of a stream that joined the capture was not joined back to the first stream");
    return sequence->recorded;
}

CUstreamCaptureStatus capture_status(stream& target)
{
    if (target.kind == stream_kind::legacy) {
        // Asking does not invalidate the blocking stream's capture.
        require(target.owner.capturing_blocking_streams == 0, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
                "a blocking stream of this context captures");
        return CU_STREAM_CAPTURE_STATUS_NONE;
    }
    std::lock_guard lock(registry().mutex);
    if (target.active_capture == nullptr)
        return CU_STREAM_CAPTURE_STATUS_NONE;
    return target.active_capture->is_invalidated ? CU_STREAM_CAPTURE_STATUS_INVALIDATED
                                                 : CU_STREAM_CAPTURE_STATUS_ACTIVE;
}

CUstreamCaptureMode exchange_thread_mode(CUstreamCaptureMode mode) noexcept
{
    return std::exchange(thread_mode(), mode);
}

void abandon_captures(context& owner)
{
    std::lock_guard lock(registry().mutex);
    const auto active = registry().active; // finish() takes captures out of the list
    for (const auto& sequence : active) {
        if (&sequence->owner == &owner)
            finish(*sequence);
    }
}

void record_node(stream& target, graph_work work)
{
    std::lock_guard lock(registry().mutex);
    require(target.active_capture != nullptr, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture ended meanwhile");
    capture& sequence = *target.active_capture;
    require_valid(sequence);
    std::vector<graph_node>& nodes = sequence.recorded->nodes;
    nodes.push_back({std::move(work), target.frontier, make_handle<CUgraphNode>()});
    target.frontier = {nodes.size() - 1};
}

void record_event(stream& target, event& marker)
{
    std::lock_guard lock(registry().mutex);
    require(target.active_capture != nullptr, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, "the capture ended meanwhile");
    require_valid(*target.active_capture);
    std::lock_guard marking(marker.mutex);
    marker.point = {};
    marker.stamp.reset();
    marker.recorded_capture = target.active_capture;
    marker.captured_nodes = target.frontier;
}

void wait_event(const std::shared_ptr<stream>& target, event& marker)
{
    std::unique_lock lock(registry().mutex);
    stream_point point;
    std::shared_ptr<capture> source;
    std::vector<size_t> nodes;
    {
        std::lock_guard marking(marker.mutex);
        point = marker.point;
        source = marker.recorded_capture;
        nodes = marker.captured_nodes;
    }
    const std::shared_ptr<capture> mine = target->active_capture;
    if (mine != nullptr)
        require_valid(*mine);
    if (source != nullptr) {
        require(!source->has_ended, CUDA_ERROR_CAPTURED_EVENT, "the event was last recorded in a capture that ended");
        require_valid(*source);
        if (target->kind == stream_kind::legacy)
            invalidate_and_refuse(*source, CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
                                  "the legacy default stream cannot join a capture");
        if (&target->owner != &source->owner)
            invalidate_and_refuse(*source, CUDA_ERROR_NOT_SUPPORTED, "a capture covers streams of one device only");
        if (mine == nullptr) {
            join(source, target, std::move(nodes));
        } else if (mine != source) {
            mine->is_invalidated = true;
            invalidate_and_refuse(*source, CUDA_ERROR_STREAM_CAPTURE_MERGE, "the wait would merge two captures");
        } else {
            merge(target->frontier, nodes);
        }
        return;
    }
    if (point.queue == nullptr)
        return; // never recorded
    if (mine != nullptr)
        invalidate_and_refuse(*mine, CUDA_ERROR_STREAM_CAPTURE_ISOLATION,
                              "a stream that captures cannot wait for an event recorded outside the capture");
    lock.unlock();
    if (!point.reached() && point.queue != target->queue)
        enqueue(*target, wait_task{std::move(point)});
}

void refuse_unsafe_call()
{
    if (registry().active_count == 0)
        return;
    if (thread_mode() == CU_STREAM_CAPTURE_MODE_RELAXED)
        return;
    std::lock_guard lock(registry().mutex);
    bool is_refused = false;
    for (const auto& sequence : registry().active) {
        const bool is_mine =
            sequence->thread == std::this_thread::get_id() && sequence->mode != CU_STREAM_CAPTURE_MODE_RELAXED;
        const bool is_global =
            thread_mode() == CU_STREAM_CAPTURE_MODE_GLOBAL && sequence->mode == CU_STREAM_CAPTURE_MODE_GLOBAL;
        if (is_mine || is_global) {
            sequence->is_invalidated = true;
            is_refused = true;
        }
    }
    require(!is_refused, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED,
            "the call is not permitted while a stream captures in this mode");
}

void refuse_legacy_use(context& owner)
{
    if (owner.capturing_blocking_streams == 0)
        return;
    std::lock_guard lock(registry().mutex);
    for (const auto& sequence : registry().active) {
        const bool has_blocking = std::any_of(sequence->streams.begin(), sequence->streams.end(),
                                              [](const auto& one) { return one->kind == stream_kind::blocking; });
        if (&sequence->owner == &owner && has_blocking)
            sequence->is_invalidated = true;
    }
    refuse(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT,
           "the legacy default stream is unusable while a blocking stream captures");
}

void refuse_if_capturing(stream& target)
{
    if (!target.is_capturing)
        return;
    std::lock_guard lock(registry().mutex);
    if (target.active_capture == nullptr)
        return;
    require_valid(*target.active_capture);
    invalidate_and_refuse(*target.active_capture, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "the stream captures");
}

void refuse_if_capturing(context& owner)
{
    if (registry().active_count == 0)
        return;
    std::lock_guard lock(registry().mutex);
    bool is_refused = false;
    for (const auto& sequence : registry().active) {
        if (&sequence->owner == &owner) {
            sequence->is_invalidated = true;
            is_refused = true;
        }
    }
    require(!is_refused, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, "a stream of the context captures");
}

void refuse_if_captured(event& marker)
{
    std::shared_ptr<capture> sequence;
    {
        std::lock_guard marking(marker.mutex);
        sequence = marker.recorded_capture;
    }
    if (sequence == nullptr)
        return;
    std::lock_guard lock(registry().mutex);
    sequence->is_invalidated = true;
    refuse(CUDA_ERROR_CAPTURED_EVENT, "the event was last recorded in a capture");
}

} // namespace nin::host
