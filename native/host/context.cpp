#include "host/context.h"

#include "host/capture.h"
#include "host/configuration.h"
#include "host/graph.h"
#include "host/handles.h"
#include "host/leak_report.h"
#include "host/module.h"

namespace nin::host
{

context::context(int ordinal_) : ordinal(ordinal_), handle(make_handle<CUcontext>()) {}

void context::retain()
{
    std::lock_guard retaining(retain_mutex_);
    if (retain_count_ == 0) {
        std::lock_guard lock(mutex_);
        memory_ = std::make_shared<device_memory>(settings().device_memory_bytes);
        legacy_ = add_stream(stream_kind::legacy);
        is_active_.store(true, std::memory_order_release);
    }
    ++retain_count_;
}

void context::release()
{
    std::lock_guard retaining(retain_mutex_);
    require(retain_count_ > 0, CUDA_ERROR_INVALID_CONTEXT, "the primary context is not retained");
    if (--retain_count_ == 0)
        destroy_contents();
}

void context::destroy_contents()
{
    is_active_.store(false, std::memory_order_release); // new calls are refused from here on
    abandon_captures(*this);
    auto mine = [this](const auto& object) { return &object.owner == this; };
    unreleased_objects& rest = unreleased();
    rest.streams += table<CUstream, stream>().remove_if(mine);
    rest.events += table<CUevent, event>().remove_if(mine);
    table<CUfunction, function>().remove_if(mine); // they belong to their module
    rest.modules += table<CUmodule, module>().remove_if(mine);
    rest.executable_graphs += table<CUgraphExec, graph_exec>().remove_if(mine);
    rest.graphs += table<CUgraph, const graph>().remove_if(mine);
    wait_idle();

    std::lock_guard lock(mutex_);
    rest.device_allocations += memory_->allocation_count();
    for (const auto& one : streams_)
        one->queue->close();
    streams_.clear();
    per_thread_.clear();
    legacy_.reset();
    memory_.reset();
    rest.host_allocations += pinned().release_all(*this);
}

std::shared_ptr<device_memory> context::memory()
{
    std::lock_guard lock(mutex_);
    require(memory_ != nullptr, CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context has been released");
    return memory_;
}

std::shared_ptr<stream> context::legacy_stream()
{
    std::lock_guard lock(mutex_);
    require(legacy_ != nullptr, CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context has been released");
    return legacy_;
}

std::shared_ptr<stream> context::per_thread_stream()
{
    std::lock_guard lock(mutex_);
    // An ended thread's stream passes to the next thread with its id: nothing in it can be waited for any more.
    std::shared_ptr<stream>& mine = per_thread_[std::this_thread::get_id()];
    if (mine == nullptr)
        mine = add_stream(stream_kind::blocking);
    return mine;
}

std::shared_ptr<stream> context::create_stream(stream_kind kind)
{
    std::lock_guard lock(mutex_);
    return add_stream(kind);
}

std::shared_ptr<stream> context::add_stream(stream_kind kind)
{
    require(memory_ != nullptr, CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context has been released");
    std::erase_if(streams_, [](const auto& one) { return one->is_destroyed && one->queue->is_idle(); });
    streams_.push_back(std::make_shared<stream>(*this, kind, legacy_ == nullptr ? nullptr : legacy_->queue, memory_));
    return streams_.back();
}

std::vector<stream_point> context::blocking_tails()
{
    std::lock_guard lock(mutex_);
    std::vector<stream_point> tails;
    for (const auto& one : streams_) {
        if (one->kind == stream_kind::blocking)
            tails.push_back(one->queue->tail());
    }
    return tails;
}

void context::wait_idle()
{
    std::vector<stream_point> tails;
    {
        std::lock_guard lock(mutex_);
        for (const auto& one : streams_)
            tails.push_back(one->queue->tail());
    }
    for (const stream_point& tail : tails)
        tail.wait();
}

const std::vector<std::unique_ptr<context>>& devices()
{
    static const auto& all = []() -> const std::vector<std::unique_ptr<context>>& {
        std::vector<std::unique_ptr<context>> contexts;
        contexts.reserve(static_cast<size_t>(settings().devices));
        for (int ordinal = 0; ordinal < settings().devices; ++ordinal)
            contexts.push_back(std::make_unique<context>(ordinal));
        auto& kept = immortal<std::vector<std::unique_ptr<context>>>();
        kept = std::move(contexts);
        return kept;
    }();
    return all;
}

context& device_context(CUdevice device)
{
    if (device < 0 || device >= static_cast<int>(devices().size()))
        refuse(CUDA_ERROR_INVALID_DEVICE,
               "device " + std::to_string(device) + " of " + std::to_string(devices().size()));
    return *devices()[static_cast<size_t>(device)];
}

context* find_context(CUcontext handle)
{
    for (const auto& one : devices()) {
        if (one->handle == handle)
            return one.get();
    }
    return nullptr;
}

std::vector<context*>& context_stack() noexcept
{
    thread_local std::vector<context*> stack;
    return stack;
}

context& require_context()
{
    require_no_error();
    const std::vector<context*>& stack = context_stack();
    if (stack.empty() || stack.back() == nullptr)
        refuse(CUDA_ERROR_INVALID_CONTEXT, "the calling thread has no current context");
    if (!stack.back()->is_active())
        refuse(CUDA_ERROR_CONTEXT_IS_DESTROYED, "the current context has been released");
    return *stack.back();
}

std::shared_ptr<stream> get_stream(CUstream handle)
{
    context& current = require_context();
    const auto value = reinterpret_cast<uintptr_t>(handle);
    if (value == 0 || value == CU_STREAM_LEGACY)
        return current.legacy_stream();
    if (value == CU_STREAM_PER_THREAD)
        return current.per_thread_stream();
    return table<CUstream, stream>().get(handle, "hStream");
}

} // namespace nin::host
