// What changes from step to step. It lies in device memory and is uploaded before the step, so that a captured graph
// can be replayed with new values.
#pragma once

#include <stdint.h>

namespace nin::kernels
{

struct step_state {
    float learning_rate;
    float
        loss_scale; // a power of two: the loss's gradient is multiplied by it, the optimiser divides it out; 0: no step
    uint32_t step_low; // the step's number, lower and upper half: part of the random number generator's counter
    uint32_t step_high;
};
static_assert(sizeof(step_state) == 16, "the managed side writes these 16 bytes");

} // namespace nin::kernels
