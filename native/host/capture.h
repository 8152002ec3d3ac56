// Stream capture: which streams record instead of run, what is illegal meanwhile, and how a capture becomes a graph.
// Every function that refuses an illegal call also invalidates the captures it concerns, as the driver does.
#pragma once

#include "host/graph.h"
#include "host/stream.h"

#include <memory>
#include <thread>
#include <vector>

namespace nin::host
{

// One capture sequence. Everything in it is guarded by the capture mutex (capture.cpp).
struct capture {
    capture(std::shared_ptr<stream> origin_, CUstreamCaptureMode mode_)
        : owner(origin_->owner), origin(std::move(origin_)), mode(mode_), recorded(std::make_shared<graph>(owner))
    {
    }

    context& owner;
    const std::shared_ptr<stream> origin;
    const CUstreamCaptureMode mode;
    const std::thread::id thread = std::this_thread::get_id();
    std::shared_ptr<graph> recorded;
    std::vector<std::shared_ptr<stream>> streams; // the origin and those that joined
    bool is_invalidated = false;
    bool has_ended = false;
};

void begin_capture(const std::shared_ptr<stream>& origin, CUstreamCaptureMode mode);
std::shared_ptr<const graph> end_capture(stream& origin);
CUstreamCaptureStatus capture_status(stream& target);
CUstreamCaptureMode exchange_thread_mode(CUstreamCaptureMode mode) noexcept;

// Ends all captures of a context that is being destroyed, without a graph.
void abandon_captures(context& owner);

// The stream captures: `work` becomes a node, the event marks the stream's current nodes.
void record_node(stream& target, graph_work work);
void record_event(stream& target, event& marker);

// Orders the stream after the event as it is now. Captured events pull the stream into their capture.
void wait_event(const std::shared_ptr<stream>& target, event& marker);

// Calls that may not be made now:
void refuse_unsafe_call();              // "potentially unsafe" ones, such as allocation: by mode of thread and capture
void refuse_legacy_use(context& owner); // on the legacy stream, while a blocking stream captures
void refuse_if_capturing(stream& target); // synchronise, query or destroy a stream that captures
void refuse_if_capturing(context& owner); // synchronise a context one of whose streams captures
void refuse_if_captured(event& marker);   // query or synchronise an event last recorded in a capture

} // namespace nin::host
