// Modules and kernels: PTX text in, CPU twins out.
#pragma once

#include "host/context.h"
#include "host/kernel_registry.h"
#include "host/ptx.h"

#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace nin::host
{

// What the simulated device allows, as cuDeviceGetAttribute and the launch checks both say.
constexpr int k_compute_capability = 80;
constexpr unsigned k_max_block_threads = 1024;
constexpr unsigned k_max_block_dim[3] = {1024, 1024, 64};
constexpr unsigned k_max_grid_dim[3] = {2147483647, 65535, 65535};
constexpr int k_threads_per_multiprocessor = 2048;
constexpr int k_blocks_per_multiprocessor = 32;
constexpr int k_shared_bytes_per_multiprocessor = 167936;
constexpr int k_shared_bytes_per_block = 49152;
constexpr int k_shared_bytes_per_block_optin = 166912;

struct module {
    module(context& owner_, ptx_module text_) :owner(owner_), text(std::move(text_)) {}

    context& owner;
    const ptx_module text;
};

struct function {
    function(context& owner_, std::shared_ptr<const module> parent_, const ptx_entry& entry_, const kernel_twin& twin_);

    // The largest block that this kernel can have, and the dynamic shared memory that a launch may ask for.
    unsigned max_block_threads() const noexcept;

    context& owner;
    const std::shared_ptr<const module> parent;
    const ptx_entry& entry; // lives in the parent
    const kernel_twin& twin;
    std::vector<size_t> offsets; // of the parameters in one packed argument buffer
    size_t argument_bytes;
    size_t pointer_count;
    std::atomic<int> max_dynamic_shared_bytes;
    std::atomic<int> shared_carveout{-1};
};

// Refuses with CUDA_ERROR_INVALID_PTX and its neighbours; the text goes to the JIT log.
std::shared_ptr<module> load_module(context& owner, const void* image);
// Refuses when the module has no such entry, or the entry no twin with the same parameters.
std::shared_ptr<function> find_function(const std::shared_ptr<module>& parent, const char* name);

struct launch_shape {
    unsigned grid[3];
    unsigned block[3];
    unsigned dynamic_shared_bytes;
};

// Checks the shape, copies the arguments and makes the operation.
operation make_launch(const function& kernel, const launch_shape& shape, void** kernel_params, void** extra);

} // namespace nin::host
