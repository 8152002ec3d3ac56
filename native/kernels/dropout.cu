// Inverted dropout. The mask is not stored: forward and backward make it again from the seed, the step's number and the
// layer's number.
//
// entry (T = f32, f16, bf16)  parameters, in order
// dropout_forward_T           const T* x, const step_state* state, T* y, int64 count, uint64 seed, uint32 layer,
//                             uint32 threshold, float scale
// dropout_backward_T          const T* dy, const step_state* state, T* dx, int64 count, uint64 seed, uint32 layer,
//                             uint32 threshold, float scale
//
// Element i, 0 <= i < count, in memory order: y[i] = word >= threshold ? x[i] * scale : 0. The word is number i % 4 of
// Philox4x32-10 (philox.h) with
//   counter = (group, layer, step_low, step_high), group = i / 4 (below 2^32, that is up to 2^34 elements; the bits of
//             a larger group from 32 on are added to layer's from bit 16 on)
//   key     = (seed's lower half, seed's upper half).
// So a rate p is threshold = round(p * 2^32) and scale = 1 / (1 - p).
//
// Expected words, in hexadecimal, for seed 42 and layer 6: element 0 at step 0 has 7fff8d7f, element 5 at step 0 has
// 95a52778, element 3 at step 1 has 7f72dc30.
//
// Input and output may be the same memory. Launch: any; meant for blocks of 256 threads, one thread for 4 elements.
#include "numeric_types.h"
#include "philox.h"
#include "step_state.h"

namespace nin::kernels
{
namespace
{

template <typename T>
__device__ __forceinline__ void dropout(const T* x, const step_state* state, T* y, int64_t count, uint64_t seed,
                                        uint32_t layer, uint32_t threshold, float scale)
{
    const uint32_t step_low = state->step_low, step_high = state->step_high;
    const uint32_t seed_low = static_cast<uint32_t>(seed), seed_high = static_cast<uint32_t>(seed >> 32);

    const auto words_of = [=](int64_t group) NIN_INLINE_LAMBDA {
        const uint32_t group_low = static_cast<uint32_t>(group), group_high = static_cast<uint32_t>(group >> 32);
        return philox4x32_10({{group_low, layer + (group_high << 16), step_low, step_high}}, seed_low, seed_high);
    };
    const auto apply = [=](int64_t i, uint32_t word) NIN_INLINE_LAMBDA {
        const float kept = to_f32(x[i]) * scale; // computed in any case: a select, not a branch
        y[i] = from_f32<T>(word >= threshold ? kept : 0.0f);
    };

    const int64_t whole_groups = count / 4;
    for_each_item(whole_groups, [=](int64_t group) NIN_INLINE_LAMBDA {
        const philox_words random = words_of(group);
        apply(4 * group, random.words[0]);
        apply(4 * group + 1, random.words[1]);
        apply(4 * group + 2, random.words[2]);
        apply(4 * group + 3, random.words[3]);
    });
    const int rest = static_cast<int>(count % 4);
    for_each_item(rest > 0 ? 1 : 0, [=](int64_t) NIN_INLINE_LAMBDA {
        const philox_words random = words_of(whole_groups);
        for (int i = 0; i < 3; ++i)
            if (i < rest)
                apply(4 * whole_groups + i, random.words[i]);
    });
}

} // namespace

#define NIN_DROPOUT_KERNELS(T)                                                                                         \
    extern "C" __global__ void dropout_forward_##T(const T* x, const step_state* state, T* y, int64_t count,           \
                                                   uint64_t seed, uint32_t layer, uint32_t threshold, float scale)     \
    {                                                                                                                  \
        dropout(x, state, y, count, seed, layer, threshold, scale);                                                    \
    }                                                                                                                  \
    extern "C" __global__ void dropout_backward_##T(const T* dy, const step_state* state, T* dx, int64_t count,        \
                                                    uint64_t seed, uint32_t layer, uint32_t threshold, float scale)    \
    {                                                                                                                  \
        dropout(dy, state, dx, count, seed, layer, threshold, scale);                                                  \
    }

NIN_DROPOUT_KERNELS(f32)
NIN_DROPOUT_KERNELS(f16)
NIN_DROPOUT_KERNELS(bf16)
#undef NIN_DROPOUT_KERNELS

} // namespace nin::kernels
