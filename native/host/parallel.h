// Parallel loops of the host provider. Work is split into pieces that don't depend on the number of threads, so that
// results don't either.
#pragma once

#include "host/runtime.h"

#include <algorithm>
#include <cstdint>
#include <omp.h>

namespace nin::host
{

// body(i) for i in [0, count), in parallel.
template <typename Body> void parallel_for(int64_t count, Body&& body)
{
    const int threads = static_cast<int>(std::min<int64_t>(thread_count(), count));
    if (threads <= 1) {
        for (int64_t i = 0; i < count; ++i)
            body(i);
        return;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t i = 0; i < count; ++i)
        body(i);
}

// body(begin, end) over consecutive ranges of `block` items (the last one may be shorter) that cover [0, count).
template <typename Body> void parallel_blocks(int64_t count, int64_t block, Body&& body)
{
    parallel_for((count + block - 1) / block, [&](int64_t i) { body(i * block, std::min(count, (i + 1) * block)); });
}

// While it lives, OpenMP regions that this thread opens (oneDNN's among them) use that many threads.
class operation_threads
{
  public:
    explicit operation_threads(int threads = thread_count()) : saved_(omp_get_max_threads())
    {
        omp_set_num_threads(threads);
    }
    ~operation_threads() { omp_set_num_threads(saved_); }
    operation_threads(const operation_threads&) = delete;
    operation_threads& operator=(const operation_threads&) = delete;

  private:
    int saved_;
};

} // namespace nin::host
