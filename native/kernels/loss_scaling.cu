// Dynamic loss scaling for float16, decided on the device: gradients are computed at a scale that keeps small ones from
// vanishing; a step whose gradients overflowed is skipped.
//
// entry                    parameters, in order
// loss_scaling_begin       const loss_scaler* scaler, step_state* state
// loss_scaling_check_f16   const f16* gradient, loss_scaler* scaler, int64 count
// loss_scaling_end         loss_scaler* scaler, step_state* state, int32 growth_interval
//
// begin: state->loss_scale = scaler->scale, which the loss kernel multiplies by and the optimiser divides by.
// check: scaler->found_nonfinite = 1 if an element of the gradient is infinite or NaN; else it stays.
// end, after a good step: the scale doubles after growth_interval good steps in a row, up to 2^24.
//      after a bad one:   the scale halves, down to 1, and state->loss_scale becomes 0, by which the optimiser skips.
// In both cases found_nonfinite becomes 0. The rule is that of torch.amp.GradScaler.
//
// Launch: check any, meant for blocks of 256 threads, one thread an element; the others one thread (more do nothing).
#include "loss_scaler.h"
#include "numeric_types.h"
#include "step_state.h"

namespace nin::kernels
{
namespace
{

constexpr float k_largest_scale = 16777216.0f;

} // namespace

extern "C" __global__ void loss_scaling_begin(const loss_scaler* __restrict__ scaler, step_state* __restrict__ state)
{
    for_each_item(1, [=](int64_t) NIN_INLINE_LAMBDA { state->loss_scale = scaler->scale; });
}

extern "C" __global__ void loss_scaling_check_f16(const f16* __restrict__ gradient, loss_scaler* __restrict__ scaler,
                                                  int64_t count)
{
    for_each_item(count, [=](int64_t i) NIN_INLINE_LAMBDA {
        const float value = to_f32(gradient[i]);
        // Whoever writes, writes the same.
        if (!(value - value == 0.0f))
            scaler->found_nonfinite = 1;
    });
}

extern "C" __global__ void loss_scaling_end(loss_scaler* __restrict__ scaler, step_state* __restrict__ state,
                                            int32_t growth_interval)
{
    for_each_item(1, [=](int64_t) NIN_INLINE_LAMBDA {
        if (scaler->found_nonfinite != 0) {
            scaler->scale = scaler->scale > 2.0f ? scaler->scale * 0.5f : 1.0f;
            scaler->good_steps = 0;
            scaler->skipped_steps += 1;
            scaler->found_nonfinite = 0;
            state->loss_scale = 0.0f;
            return;
        }
        const int32_t good_steps = scaler->good_steps + 1;
        const bool grows = good_steps >= growth_interval;
        scaler->good_steps = grows ? 0 : good_steps;
        if (grows && scaler->scale < k_largest_scale)
            scaler->scale *= 2.0f;
    });
}

} // namespace nin::kernels
