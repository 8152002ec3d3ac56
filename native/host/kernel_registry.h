// The CPU twins of the CUDA kernels: what cuLaunchKernel runs when the provider is the host.
// A twin is found by the entry name in the loaded PTX; the PTX's parameter list must match the twin's.
#pragma once

#include "host/runtime.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace nin::host
{

struct kernel_parameter {
    size_t size;     // bytes, as in the PTX parameter list
    bool is_pointer; // a device address: translated and bounds-checked before the twin runs
};

// The arguments of one launch, copied at launch time. arguments[i] points to the i-th argument's bytes.
using kernel_arguments = const void* const*;

struct kernel_twin {
    std::string_view name;
    std::vector<kernel_parameter> parameters;

    // What a launch with these arguments touches: one access per pointer parameter, in parameter order.
    // A null pointer argument has an access of 0 bytes.
    std::vector<memory_access> (*accesses)(kernel_arguments arguments);

    // Runs the whole grid. Pointer arguments already hold host addresses. Results must not depend on the number of
    // threads.
    void (*run)(kernel_arguments arguments);
};

// nullptr where no twin has that name.
const kernel_twin* find_kernel_twin(std::string_view name);

} // namespace nin::host
