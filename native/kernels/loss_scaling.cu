// Dynamic loss scaling, decided on the device: float16's gradients are computed at a scale that keeps small ones from
// vanishing; a step whose loss or gradients are not finite is skipped, in any type.
//
// entry (T = f32, f16, bf16)   parameters, in order
// loss_scaling_begin           const loss_scaler* scaler, step_state* state
// loss_scaling_check_T         const T* values, loss_scaler* scaler, int64 count, int32 place
// loss_scaling_end             loss_scaler* scaler, step_state* state, int32 growth_interval
//
// begin: state->loss_scale = scaler->scale, which the loss kernel multiplies by and the optimiser divides by.
// check: scaler->found_nonfinite gets the bits of place if a value is infinite or NaN; else it stays.
// end, after a good step: the scale doubles after growth_interval good steps in a row, up to 2^24.
//      after a bad one:   the scale halves, down to 1, and state->loss_scale becomes 0, by which the optimiser skips.
// In any case found_nonfinite becomes 0. The rule is that of torch.amp.GradScaler. A scale of 1 that never grows is
// none: then only bad steps are skipped. The first bad step that a smaller scale would not have mended, since its loss
// is not finite or its scale is 1, leaves its number and what was found. Where scaler->halts is set, all steps behind
// it are skipped and change nothing at all, so that it can be run again to see where it went wrong.
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

template <typename T>
__device__ __forceinline__ void loss_scaling_check(const T* values, loss_scaler* scaler, int64_t count, int32_t place)
{
    int32_t found = 0;
    for_each_item(count, [&](int64_t i) NIN_INLINE_LAMBDA {
        const float value = to_f32(values[i]);
        found |= value - value == 0.0f ? 0 : place;
    });
    if (found != 0)
        scaler->found_nonfinite |= place; // whoever writes, writes the same
}

} // namespace

extern "C" __global__ void loss_scaling_begin(const loss_scaler* __restrict__ scaler, step_state* __restrict__ state)
{
    once([=]() NIN_INLINE_LAMBDA { state->loss_scale = scaler->scale; });
}

#define NIN_LOSS_SCALING_CHECK_KERNEL(T)                                                                               \
    extern "C" __global__ void loss_scaling_check_##T(const T* __restrict__ values, loss_scaler* __restrict__ scaler,  \
                                                      int64_t count, int32_t place)                                    \
    {                                                                                                                  \
        loss_scaling_check(values, scaler, count, place);                                                              \
    }

NIN_LOSS_SCALING_CHECK_KERNEL(f32)
NIN_LOSS_SCALING_CHECK_KERNEL(f16)
NIN_LOSS_SCALING_CHECK_KERNEL(bf16)
#undef NIN_LOSS_SCALING_CHECK_KERNEL

extern "C" __global__ void loss_scaling_end(loss_scaler* __restrict__ scaler, step_state* __restrict__ state,
                                            int32_t growth_interval)
{
    once([=]() NIN_INLINE_LAMBDA {
        const int32_t found = scaler->found_nonfinite;
        scaler->found_nonfinite = 0;
        if (scaler->halts != 0 && scaler->first_found != 0) {
            state->loss_scale = 0.0f;
            return;
        }
        const float scale = scaler->scale, smaller = scale > 2.0f ? scale * 0.5f : 1.0f;
        const bool is_bad = found != 0, is_overflow = found == k_nonfinite_gradient && scale > 1.0f;
        if (is_bad && !is_overflow && scaler->first_found == 0) {
            scaler->first_found = found;
            scaler->first_step_low = state->step_low;
            scaler->first_step_high = state->step_high;
        }
        const int32_t good_steps = is_bad ? 0 : scaler->good_steps + 1;
        const bool grows = good_steps >= growth_interval;
        const float larger = grows && scale < k_largest_scale ? scale * 2.0f : scale;
        scaler->scale = is_bad ? smaller : larger;
        scaler->good_steps = grows ? 0 : good_steps;
        scaler->skipped_steps += is_bad ? 1 : 0;
        scaler->skipped_in_a_row = is_bad ? scaler->skipped_in_a_row + 1 : 0;
        if (is_bad)
            state->loss_scale = 0.0f;
    });
}

} // namespace nin::kernels
