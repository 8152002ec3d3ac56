// Plans by problem: made once, shared afterwards.
#pragma once

#include "host/driver.h"

#include <map>
#include <memory>
#include <mutex>

namespace nin::host
{

// One plan of any kind is made at a time. oneDNN 2.6 makes convolution primitives (brgconv) that compute wrong values
// now and then, when threads make primitives at once: 18 of 805 processes with 8 threads, with and without its own
// cache of primitives. Recursive, since making a plan may ask for another one.
inline std::recursive_mutex& plan_making()
{
    return immortal<std::recursive_mutex>();
}

template <typename Problem, typename Plan> class plan_cache
{
  public:
    // Plans in use stay alive when the cache forgets them. The limit is far above what one network needs.
    static constexpr size_t k_limit = 1024;

    template <typename Make> std::shared_ptr<const Plan> find(const Problem& problem, Make&& make)
    {
        if (auto found = look_up(problem))
            return found;
        const std::lock_guard making(plan_making());
        if (auto found = look_up(problem)) // another thread has made it meanwhile
            return found;
        std::shared_ptr<const Plan> plan = make(problem);
        const std::lock_guard lock(mutex_);
        if (plans_.size() >= k_limit)
            plans_.clear();
        return plans_.emplace(problem, std::move(plan)).first->second;
    }

  private:
    std::shared_ptr<const Plan> look_up(const Problem& problem)
    {
        const std::lock_guard lock(mutex_);
        const auto found = plans_.find(problem);
        return found == plans_.end() ? nullptr : found->second;
    }

    std::mutex mutex_;
    std::map<Problem, std::shared_ptr<const Plan>> plans_;
};

} // namespace nin::host
