// Dynamic loss scaling's state. It lies in device memory, and only kernels change it.
#pragma once

#include <stdint.h>

namespace nin::kernels
{

struct loss_scaler {
    float scale;             // of the next step, a power of two
    int32_t good_steps;      // since the scale last changed
    int32_t skipped_steps;   // in all
    int32_t found_nonfinite; // whether this step's gradients have an infinity or NaN
};
static_assert(sizeof(loss_scaler) == 16, "the managed side reads and writes these 16 bytes");

} // namespace nin::kernels
