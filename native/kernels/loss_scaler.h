// The state of dynamic loss scaling, and of what became of steps that were not finite. It lies in device memory, and
// only kernels change it.
#pragma once

#include <stdint.h>

namespace nin::kernels
{

// Where an infinity or NaN was found, as bits.
constexpr int32_t k_nonfinite_gradient = 1;
constexpr int32_t k_nonfinite_loss = 2;

struct loss_scaler {
    float scale;             // of the next step, a power of two
    int32_t good_steps;      // since the scale last changed
    int32_t skipped_steps;   // in all
    int32_t found_nonfinite; // where this step has one
    int32_t skipped_in_a_row;
    int32_t first_found;     // where the first step had one that no smaller scale would have mended; 0: there was none
    uint32_t first_step_low; // that step's number, lower and upper half
    uint32_t first_step_high;
    int32_t halts; // not 0: behind that step none counts any more
};
static_assert(sizeof(loss_scaler) == 36, "the managed side reads and writes these 36 bytes");

} // namespace nin::kernels
