// Plans by problem: made once, shared afterwards.
#pragma once

#include <map>
#include <memory>
#include <mutex>

namespace nin::host
{

template <typename Problem, typename Plan> class plan_cache
{
  public:
    // Plans in use stay alive when the cache forgets them. The limit is far above what one network needs.
    static constexpr size_t k_limit = 1024;

    template <typename Make> std::shared_ptr<const Plan> find(const Problem& problem, Make&& make)
    {
        {
            const std::lock_guard lock(mutex_);
            if (const auto found = plans_.find(problem); found != plans_.end())
                return found->second;
        }
        // Made outside the lock: it takes long, and may ask the cache for another plan. Of two made at once the first
        // stays.
        std::shared_ptr<const Plan> plan = make(problem);
        const std::lock_guard lock(mutex_);
        if (plans_.size() >= k_limit)
            plans_.clear();
        return plans_.emplace(problem, std::move(plan)).first->second;
    }

  private:
    std::mutex mutex_;
    std::map<Problem, std::shared_ptr<const Plan>> plans_;
};

} // namespace nin::host
