// Looks twins up by name, and runs them on the threads.
#include "host/kernel_twin.h"

#include <mutex>
#include <unordered_map>

namespace nin::host
{
namespace
{

// Below this a launch takes about as long as waking the threads, some microseconds.
constexpr size_t k_single_thread_bytes = size_t{512} << 10;

std::unordered_map<std::string_view, kernel_twin> make_registry()
{
    std::unordered_map<std::string_view, kernel_twin> registry;
    for (const auto& family : {augmentation_twins(), input_twins(), dropout_twins(), loss_twins(), loss_scaling_twins(),
                               gradient_clipping_twins(), optimizer_twins(), activation_twins()})
        for (const kernel_twin& twin : family)
            registry.emplace(twin.name, twin);
    return registry;
}

} // namespace

const kernel_twin* find_kernel_twin(std::string_view name)
{
    static const std::unordered_map<std::string_view, kernel_twin> registry = make_registry();
    const auto found = registry.find(name);
    return found == registry.end() ? nullptr : &found->second;
}

void run_on_threads(size_t bytes_touched, void (*launch)(const void* context), const void* context)
{
    // Either all threads or one: OpenMP ends a team's surplus threads when a smaller team starts.
    const int threads = bytes_touched < k_single_thread_bytes ? 1 : thread_count();
    if (threads == 1) {
        kernels::current_host_thread = {0, 1};
        launch(context);
        return;
    }
    std::exception_ptr failure;
    std::mutex failure_mutex;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int index = 0; index < threads; ++index) {
        try {
            kernels::current_host_thread = {index, threads};
            launch(context);
        } catch (...) {
            const std::lock_guard lock(failure_mutex);
            failure = std::current_exception();
        }
    }
    if (failure)
        std::rethrow_exception(failure);
}

} // namespace nin::host
