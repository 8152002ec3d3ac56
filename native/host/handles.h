// The live handles of the driver API. A handle is a number that is never given twice, not an address: a stale, foreign
// or made-up handle is recognised instead of dereferenced.
#pragma once

#include "host/driver.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

namespace nin::host
{

// Non-canonical on x86-64, so that dereferencing a handle on the host faults; far above the special stream handles.
inline uintptr_t next_handle() noexcept
{
    static std::atomic<uintptr_t> counter{uintptr_t{3} << 61};
    return counter.fetch_add(16, std::memory_order_relaxed);
}

template <typename Handle> Handle make_handle() noexcept
{
    return reinterpret_cast<Handle>(next_handle());
}

template <typename Handle, typename Object> class handle_table
{
  public:
    Handle add(std::shared_ptr<Object> object)
    {
        const Handle handle = make_handle<Handle>();
        std::unique_lock lock(mutex_);
        objects_.emplace(handle, std::move(object));
        return handle;
    }

    // nullptr when the handle is not live.
    std::shared_ptr<Object> find(Handle handle) const
    {
        std::shared_lock lock(mutex_);
        auto found = objects_.find(handle);
        return found == objects_.end() ? nullptr : found->second;
    }

    // Refuses with CUDA_ERROR_INVALID_HANDLE when the handle is not live; `name` is the parameter's.
    std::shared_ptr<Object> get(Handle handle, const char* name) const
    {
        std::shared_ptr<Object> object = find(handle);
        if (object == nullptr)
            refuse(CUDA_ERROR_INVALID_HANDLE, std::string(name) + " is not a live handle");
        return object;
    }

    // As get; the handle is dead from now on.
    std::shared_ptr<Object> take(Handle handle, const char* name)
    {
        std::unique_lock lock(mutex_);
        auto found = objects_.find(handle);
        if (found == objects_.end())
            refuse(CUDA_ERROR_INVALID_HANDLE, std::string(name) + " is not a live handle");
        std::shared_ptr<Object> object = std::move(found->second);
        objects_.erase(found);
        return object;
    }

    // The number of those removed.
    template <typename Predicate> size_t remove_if(Predicate&& predicate)
    {
        std::unique_lock lock(mutex_);
        return std::erase_if(objects_, [&](const auto& item) { return predicate(*item.second); });
    }

    size_t size() const
    {
        std::shared_lock lock(mutex_);
        return objects_.size();
    }

  private:
    mutable std::shared_mutex mutex_;
    std::unordered_map<Handle, std::shared_ptr<Object>> objects_;
};

// The one table of a handle type.
template <typename Handle, typename Object> handle_table<Handle, Object>& table()
{
    return immortal<handle_table<Handle, Object>>();
}

} // namespace nin::host
