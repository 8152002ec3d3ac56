#include "host/stream.h"

#include "host/configuration.h"
#include "host/context.h"
#include "host/driver.h"
#include "host/graph.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <omp.h>
#include <set>
#include <string>

namespace nin::host
{
namespace
{

// Held by whoever runs operations in the modes without workers. One for the process, so that queues that wait for each
// other cannot be run against each other by two threads.
std::mutex& execution_mutex()
{
    return immortal<std::mutex>();
}

// To wake a sleeping worker costs the thread that queues work several microseconds, more than a worker loses that looks
// for work a little longer before it sleeps.
constexpr std::chrono::microseconds k_spin_time{50};

// A queue's lock is held for less than a microsecond, and to be put to sleep takes longer: it is tried a few times
// first.
std::unique_lock<std::mutex> lock_soon(std::mutex& mutex)
{
    for (int attempt = 0; attempt < 100; ++attempt) {
        if (mutex.try_lock())
            return {mutex, std::adopt_lock};
        __builtin_ia32_pause();
    }
    return std::unique_lock(mutex);
}

bool has_workers()
{
    return settings().streams == stream_mode::worker;
}

// The worker threads that live now; stop_all_workers waits until there are none.
struct worker_registry {
    std::mutex mutex;
    std::condition_variable ended;
    std::set<std::shared_ptr<stream_queue>> queues;
    std::atomic<bool> stopping{false};
};

worker_registry& workers()
{
    return immortal<worker_registry>();
}

void use_configured_threads()
{
    thread_local const bool applied = [] {
        omp_set_num_threads(thread_count());
        return true;
    }();
    static_cast<void>(applied);
}

std::string describe_failed_access(const operation& op, size_t index)
{
    const memory_access& access = op.accesses[index];
    char text[160];
    std::snprintf(text, sizeof(text), "%s: access %zu (%s) to 0x%llx, %zu bytes, is not inside one live allocation",
                  op.name, index,
                  access.kind == access_kind::read    ? "read"
                  : access.kind == access_kind::write ? "write"
                                                      : "read and write",
                  access.address, access.bytes);
    return text;
}

} // namespace

bool stream_point::reached() const noexcept
{
    return queue == nullptr || queue->reached(sequence);
}

void stream_point::wait() const
{
    if (queue != nullptr)
        queue->wait(sequence);
}

stream_point stream_queue::push(task work)
{
    uint64_t sequence;
    {
        const auto lock = lock_soon(mutex_);
        tasks_.push_back(std::move(work));
        sequence = ++submitted_;
        if (has_workers()) {
            if (!has_worker_)
                start_worker();
            else if (worker_sleeps_)
                work_arrived_.notify_one();
        }
    }
    if (settings().streams == stream_mode::sync)
        wait(sequence);
    return {shared_from_this(), sequence};
}

void stream_queue::wait(uint64_t sequence)
{
    if (reached(sequence))
        return;
    if (!has_workers()) {
        std::lock_guard execution(execution_mutex());
        use_configured_threads();
        drain(sequence);
        return;
    }
    std::unique_lock lock(mutex_);
    ++waiters_;
    progress_.wait(lock, [&] { return reached(sequence); });
    --waiters_;
}

stream_point stream_queue::tail()
{
    std::lock_guard lock(mutex_);
    return {shared_from_this(), submitted_};
}

void stream_queue::close()
{
    uint64_t last;
    {
        std::lock_guard lock(mutex_);
        closed_ = true;
        last = submitted_;
        work_arrived_.notify_one();
    }
    if (!has_workers())
        wait(last);
}

// mutex_ is held.
void stream_queue::start_worker()
{
    worker_registry& registry = workers();
    auto self = shared_from_this();
    {
        std::lock_guard lock(registry.mutex);
        if (registry.queues.empty()) {
            static const int registered = std::atexit([] { stream_queue::stop_all_workers(); });
            static_cast<void>(registered); // without the handler an exit with busy workers is merely less orderly
        }
        registry.queues.insert(self);
    }
    try {
        std::thread([self] { self->work(); }).detach();
    } catch (...) {
        std::lock_guard lock(registry.mutex);
        registry.queues.erase(self);
        throw;
    }
    has_worker_ = true;
}

void stream_queue::work()
{
    use_configured_threads();
    worker_registry& registry = workers();
    {
        std::unique_lock lock(mutex_);
        while (true) {
            if (!tasks_.empty()) {
                run_next(lock);
                continue;
            }
            if (has_ended())
                break;
            if (spin_for_work(lock))
                continue;
            worker_sleeps_ = true;
            work_arrived_.wait(lock);
            worker_sleeps_ = false;
        }
        has_worker_ = false; // a push after the end (only while the process exits) starts a worker that finds it
    }
    std::lock_guard lock(registry.mutex);
    registry.queues.erase(shared_from_this());
    registry.ended.notify_all();
}

// mutex_ is held. Whoever ends a queue notifies its worker after that, which must not have begun to sleep since it looked.
bool stream_queue::has_ended() const
{
    return closed_ || workers().stopping.load();
}

// Called with the lock held; it is released meanwhile. Says whether there is work now, or will be none.
bool stream_queue::spin_for_work(std::unique_lock<std::mutex>& lock)
{
    lock.unlock();
    const auto end = std::chrono::steady_clock::now() + k_spin_time;
    while (is_idle() && std::chrono::steady_clock::now() < end)
        __builtin_ia32_pause();
    lock = lock_soon(mutex_);
    return !tasks_.empty() || has_ended();
}

// Called with the lock held; it is released while the task runs. Only one thread at a time runs a queue's tasks: its
// worker, or the holder of the execution mutex.
void stream_queue::run_next(std::unique_lock<std::mutex>& lock)
{
    {
        task work = std::move(tasks_.front());
        tasks_.pop_front();
        lock.unlock();
        execute(work);
    } // what the task owns goes before the task counts as completed
    lock = lock_soon(mutex_);
    completed_.store(completed_.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    if (waiters_ != 0)
        progress_.notify_all();
}

// The execution mutex is held.
void stream_queue::drain(uint64_t sequence)
{
    std::unique_lock lock(mutex_);
    while (!reached(sequence))
        run_next(lock);
}

void stream_queue::execute(task& work) noexcept
{
    if (auto* op = std::get_if<operation>(&work)) {
        run_operation(*op, *memory_);
    } else if (auto* waiting = std::get_if<wait_task>(&work)) {
        stream_queue& other = *waiting->point.queue;
        if (has_workers())
            other.wait(waiting->point.sequence);
        else
            other.drain(waiting->point.sequence);
    } else if (auto* record = std::get_if<record_task>(&work)) {
        if (record->stamp != nullptr)
            record->stamp->time = std::chrono::steady_clock::now();
    } else {
        replay(*std::get<replay_task>(work).recorded, *memory_);
    }
}

void stream_queue::stop_all_workers() noexcept
{
    worker_registry& registry = workers();
    std::unique_lock lock(registry.mutex);
    registry.stopping = true;
    const auto queues = registry.queues;
    lock.unlock();
    for (const auto& queue : queues) {
        std::lock_guard guard(queue->mutex_);
        queue->work_arrived_.notify_one();
    }
    lock.lock();
    // Bounded: a host function may wait for a thread that no longer runs.
    registry.ended.wait_for(lock, std::chrono::seconds(10), [&] { return registry.queues.empty(); });
}

void run_operation(const operation& op, const device_memory& memory) noexcept
{
    if (sticky_error() != CUDA_SUCCESS || workers().stopping.load(std::memory_order_relaxed))
        return;
    thread_local std::vector<void*> pointers; // kept between operations, so that none allocates
    inside_operation scope;
    try {
        pointers.resize(op.accesses.size());
        size_t failed = 0;
        if (!memory.resolve(op.accesses, pointers.data(), failed)) {
            set_sticky_error(CUDA_ERROR_ILLEGAL_ADDRESS, describe_failed_access(op, failed));
            return;
        }
        if (!settings().skips_work)
            op.body(pointers.data());
    } catch (const std::exception& e) {
        set_sticky_error(CUDA_ERROR_LAUNCH_FAILED, std::string(op.name) + ": " + e.what());
    } catch (...) {
        set_sticky_error(CUDA_ERROR_LAUNCH_FAILED, std::string(op.name) + ": unknown exception");
    }
}

stream_point enqueue(stream& target, task work)
{
    if (target.kind == stream_kind::legacy) {
        for (const stream_point& point : target.owner.blocking_tails()) {
            if (!point.reached())
                target.queue->push(wait_task{point});
        }
    } else if (target.kind == stream_kind::blocking && !target.legacy_queue->is_idle()) {
        target.queue->push(wait_task{target.legacy_queue->tail()});
    }
    return target.queue->push(std::move(work));
}

void synchronize_stream(stream& target)
{
    // On the legacy stream an empty task takes the dependencies on the blocking streams along.
    const stream_point end =
        target.kind == stream_kind::legacy ? enqueue(target, record_task{nullptr}) : target.queue->tail();
    end.wait();
}

bool query_stream(stream& target)
{
    if (settings().streams != stream_mode::worker) {
        synchronize_stream(target); // nothing else would make progress
        return true;
    }
    if (target.kind == stream_kind::legacy) {
        for (const stream_point& point : target.owner.blocking_tails()) {
            if (!point.reached())
                return false;
        }
    }
    return target.queue->is_idle();
}

} // namespace nin::host
