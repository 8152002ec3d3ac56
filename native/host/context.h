// Devices and their primary contexts (the host provider has no others), and the calling thread's context stack.
#pragma once

#include "host/driver.h"
#include "host/memory.h"
#include "host/stream.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace nin::host
{

// The primary context of one device. The object lives as long as the process; what is in it lives from the first retain
// to the last release.
class context
{
  public:
    explicit context(int ordinal);

    const int ordinal;
    const CUcontext handle;

    void retain();
    // Refuses when the context is not retained. The last release waits for all work and destroys what the context
    // holds.
    void release();
    bool is_active() const noexcept { return is_active_.load(std::memory_order_acquire); }

    std::shared_ptr<device_memory> memory();
    std::shared_ptr<stream> legacy_stream();
    std::shared_ptr<stream> per_thread_stream();
    std::shared_ptr<stream> create_stream(stream_kind kind);

    std::vector<stream_point> blocking_tails();
    // Waits for everything submitted to any stream, including destroyed ones that still run. Captures are not touched.
    void wait_idle();

    // Blocking streams of this context that capture: while there are any the legacy stream is unusable.
    std::atomic<int> capturing_blocking_streams{0};

  private:
    std::shared_ptr<stream> add_stream(stream_kind kind); // mutex_ is held
    void destroy_contents();

    std::mutex retain_mutex_; // held through activation and destruction
    int retain_count_ = 0;
    std::atomic<bool> is_active_{false};

    std::mutex mutex_; // guards what follows
    std::shared_ptr<device_memory> memory_;
    std::shared_ptr<stream> legacy_;
    std::map<std::thread::id, std::shared_ptr<stream>> per_thread_;
    std::vector<std::shared_ptr<stream>> streams_; // all of them, and destroyed ones until their work is done
};

// One per device, in ordinal order.
const std::vector<std::unique_ptr<context>>& devices();
// Refuses with CUDA_ERROR_INVALID_DEVICE.
context& device_context(CUdevice device);
// nullptr when no device's context has that handle.
context* find_context(CUcontext handle);

// The calling thread's stack of current contexts; an entry may be nullptr.
std::vector<context*>& context_stack() noexcept;

// The stream of a handle, special handles included (their context is the current one). Refuses bad handles.
std::shared_ptr<stream> get_stream(CUstream handle);

} // namespace nin::host
