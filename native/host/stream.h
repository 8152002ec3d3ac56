// Operation queues: in-order execution of what a stream holds, in the three modes (worker thread, in the call,
// deferred), and points in a stream that others can wait for.
#pragma once

#include "host/memory.h"
#include "host/runtime.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

namespace nin::host
{

class stream_queue;
struct capture;
struct graph;

// "Everything submitted to this queue up to here." An empty point is reached.
struct stream_point {
    std::shared_ptr<stream_queue> queue;
    uint64_t sequence = 0;

    bool reached() const noexcept;
    void wait() const; // runs the work itself when nothing else does (deferred)
};

struct wait_task {
    stream_point point;
};

// The moment at which the queue came by. Written by the executing thread before the task counts as completed.
struct time_stamp {
    std::chrono::steady_clock::time_point time;
};

struct record_task {
    std::shared_ptr<time_stamp> stamp; // nullptr: no timing wanted
};

struct replay_task {
    std::shared_ptr<const graph> recorded;
};

using task = std::variant<operation, wait_task, record_task, replay_task>;

class stream_queue : public std::enable_shared_from_this<stream_queue>
{
  public:
    explicit stream_queue(std::shared_ptr<const device_memory> memory) : memory_(std::move(memory)) {}
    stream_queue(const stream_queue&) = delete;
    stream_queue& operator=(const stream_queue&) = delete;

    // Everything pushed is completed in order. Returns the point behind the task.
    stream_point push(task work);

    bool reached(uint64_t sequence) const noexcept { return completed_.load(std::memory_order_acquire) >= sequence; }
    void wait(uint64_t sequence);
    stream_point tail();
    bool is_idle() const noexcept { return reached(submitted_.load(std::memory_order_acquire)); }

    // Nothing is pushed from now on. What is queued still runs.
    void close();

    // Ends the worker threads before the process's static objects go. Queued operations do not run any more.
    static void stop_all_workers() noexcept;

  private:
    void start_worker();
    void work();
    bool has_ended() const;
    bool spin_for_work(std::unique_lock<std::mutex>& lock);
    void run_next(std::unique_lock<std::mutex>& lock);
    void drain(uint64_t sequence);
    void execute(task& work) noexcept;

    const std::shared_ptr<const device_memory> memory_;
    std::mutex mutex_;
    std::condition_variable work_arrived_;
    std::condition_variable progress_;
    std::deque<task> tasks_;
    std::atomic<uint64_t> submitted_{0}; // both written under mutex_
    std::atomic<uint64_t> completed_{0};
    int waiters_ = 0;
    bool has_worker_ = false;
    bool worker_sleeps_ = false;
    bool closed_ = false;
};

enum class stream_kind : uint8_t {
    legacy, // the default stream: ordered with every blocking stream of its context
    blocking,
    non_blocking,
};

struct stream {
    stream(context& owner_, stream_kind kind_, std::shared_ptr<stream_queue> legacy_queue_,
           std::shared_ptr<const device_memory> memory)
        : owner(owner_), kind(kind_), queue(std::make_shared<stream_queue>(std::move(memory))),
          legacy_queue(std::move(legacy_queue_))
    {
    }

    context& owner;
    const stream_kind kind;
    const std::shared_ptr<stream_queue> queue;
    const std::shared_ptr<stream_queue> legacy_queue; // of the same context; nullptr in the legacy stream itself
    std::atomic<bool> is_destroyed{false};            // the handle is dead; queued work may still run

    // Capture (capture.h). The flag is the fast path; the rest is guarded by the capture mutex.
    std::atomic<bool> is_capturing{false};
    std::shared_ptr<capture> active_capture;
    std::vector<size_t> frontier; // the nodes that the next recorded node depends on
};

// Puts the task on the stream, ordered with the legacy default stream as the stream's kind asks.
stream_point enqueue(stream& target, task work);

// Submits an operation: records it when the stream captures, else enqueues it. Refuses what capture forbids.
void submit_work(const std::shared_ptr<stream>& target, operation op);

// Waits, or looks, for everything submitted to the stream; on the legacy stream also for every blocking stream.
void synchronize_stream(stream& target);
bool query_stream(stream& target);

// Runs one operation now, on this thread: checks its accesses, then its body. Failures become the sticky error.
void run_operation(const operation& op, const device_memory& memory) noexcept;

struct event {
    event(context& owner_, unsigned int flags_) : owner(owner_), flags(flags_) {}

    context& owner;
    const unsigned int flags;

    std::mutex mutex; // guards what follows
    stream_point point;
    std::shared_ptr<time_stamp> stamp;         // nullptr: never recorded, or timing is disabled
    std::shared_ptr<capture> recorded_capture; // last recorded in this capture; else nullptr
    std::vector<size_t> captured_nodes;
};

} // namespace nin::host
