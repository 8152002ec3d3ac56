// Parts of a workspace: offsets are handed out while a plan is made, and turned into addresses when it runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace nin::host
{

// Cache lines, and the widest vector: aligned stores fault otherwise.
constexpr size_t k_alignment = 64;

class workspace_layout
{
  public:
    size_t add(size_t bytes)
    {
        const size_t offset = end_;
        end_ += (bytes + k_alignment - 1) / k_alignment * k_alignment;
        return offset;
    }

    // Enough for all parts, wherever the workspace begins.
    size_t bytes() const { return end_ == 0 ? 0 : end_ + k_alignment - 1; }

  private:
    size_t end_ = 0;
};

inline std::byte* aligned_start(void* workspace)
{
    const auto address = reinterpret_cast<uintptr_t>(workspace);
    return reinterpret_cast<std::byte*>((address + k_alignment - 1) / k_alignment * k_alignment);
}

// Memory for one operation that its caller gives no workspace for. Each thread keeps its largest one, so that running
// an operation again allocates nothing. The memory of an earlier call on this thread is no longer valid.
inline void* thread_scratch(size_t bytes)
{
    struct release {
        void operator()(void* memory) const { std::free(memory); }
    };
    thread_local std::unique_ptr<void, release> memory;
    thread_local size_t capacity = 0;
    if (bytes > capacity) {
        capacity = 0;
        const size_t rounded = (bytes + k_alignment - 1) / k_alignment * k_alignment;
        memory.reset(std::aligned_alloc(k_alignment, rounded));
        if (!memory)
            throw std::bad_alloc();
        capacity = rounded;
    }
    return memory.get();
}

} // namespace nin::host
