// Draws how each sample of a batch is changed on the way into the network: shifted, flipped, and partly erased.
//
// entry                parameters, in order
// augmentation_draw    const step_state* state, image_augmentation* augmentations (n), uint64 seed, int32 n,
//                      int32 crop_padding, int32 out_height, int32 out_width, uint64 flip_threshold,
//                      uint64 erase_threshold
//
// Sample r, 0 <= r < n, has 16 blocks of four random words: word w of block b is word w of Philox4x32-10 (philox.h)
// with
//   counter = (16 r + b, 0x80000000, step_low, step_high), where a dropout layer has its number (dropout.cu)
//   key     = (seed's lower half, seed's upper half).
// With below(word, m) = floor(word * m / 2^32), uniform in 0 … m - 1, and unit(word) = floor(word / 2^8) / 2^24:
//   is_flipped   = word 0 of block 0 < flip_threshold: with probability p where the threshold is round(p * 2^32)
//   row_shift    = below(word 1 of block 0, 2 * crop_padding + 1) - crop_padding, column_shift the same of word 2
//   a rectangle is erased where word 3 of block 0 < erase_threshold.
// The rectangle is torchvision's RandomErasing with scale (0.02, 0.33) and ratio (0.3, 3.3). Attempt a of up to ten,
// with the words of block 1 + a, in float with one rounding per operation:
//   area   = (0.02 + 0.31 * unit(word 0)) * (out_height * out_width), side = sqrt(area)
//   ratio' = exp(log(0.3) / 2 + (log(3.3) - log(0.3)) / 2 * unit(word 1)), the root of the ratio, by exp's series to
//   x^7 height = floor(side * ratio' + 0.5), width = floor(side / ratio' + 0.5)
// The first with height < out_height and width < out_width is taken, at the row below(word 2, out_height - height + 1)
// and the column below(word 3, out_width - width + 1). Without one, nothing is erased.
//
// Launch: any; one thread a sample.
#include "image_augmentation.h"
#include "numeric_types.h"
#include "philox.h"
#include "step_state.h"

namespace nin::kernels
{
namespace
{

constexpr uint32_t k_stream = 0x80000000u; // dropout layers have numbers below, whatever their size
constexpr uint32_t k_blocks_per_sample = 16;
constexpr int k_attempts = 10;

// Uniform in 0 … count - 1, each with a probability that is off by at most 2^-32.
__device__ __forceinline__ int32_t below(uint32_t word, int32_t count)
{
    return static_cast<int32_t>(multiply_high(word, static_cast<uint32_t>(count)));
}

// Uniform in [0, 1), a multiple of 2^-24.
__device__ __forceinline__ float unit(uint32_t word)
{
    return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24f;
}

// exp(x) for |x| <= 0.61 with a relative error below 2^-20. Unlike the instructions for it, it gives the same
// everywhere.
__device__ __forceinline__ float exp_series(float x)
{
    float sum = 1.0f;
    for (int k = 7; k > 0; --k)
        sum = 1.0f + x * sum / static_cast<float>(k);
    return sum;
}

__device__ __forceinline__ int32_t rounded(float value)
{
    return static_cast<int32_t>(value + 0.5f);
}

} // namespace

extern "C" __global__ void augmentation_draw(const step_state* __restrict__ state,
                                             image_augmentation* __restrict__ augmentations, uint64_t seed, int32_t n,
                                             int32_t crop_padding, int32_t out_height, int32_t out_width,
                                             uint64_t flip_threshold, uint64_t erase_threshold)
{
    constexpr float lowest = -0.601986402f, range = 1.19894763f; // of the ratio's root, its logarithm
    const uint32_t step_low = state->step_low, step_high = state->step_high;
    const uint32_t seed_low = static_cast<uint32_t>(seed), seed_high = static_cast<uint32_t>(seed >> 32);
    for_each_item(n, [=](int64_t r) NIN_INLINE_LAMBDA {
        const auto words_of = [=](uint32_t block) NIN_INLINE_LAMBDA {
            const uint32_t counter = static_cast<uint32_t>(r) * k_blocks_per_sample + block;
            return philox4x32_10({{counter, k_stream, step_low, step_high}}, seed_low, seed_high);
        };
        const philox_words first = words_of(0);
        image_augmentation drawn = {};
        drawn.is_flipped = first.words[0] < flip_threshold;
        drawn.row_shift = below(first.words[1], 2 * crop_padding + 1) - crop_padding;
        drawn.column_shift = below(first.words[2], 2 * crop_padding + 1) - crop_padding;
        const int attempts = first.words[3] < erase_threshold ? k_attempts : 0;
        for (int a = 0; a < attempts; ++a) {
            const philox_words random = words_of(1 + a);
            const float share = 0.02f + 0.31f * unit(random.words[0]);
            const float side = square_root(share * (static_cast<float>(out_height) * static_cast<float>(out_width)));
            const float stretch = exp_series(lowest + range * unit(random.words[1]));
            const int32_t height = rounded(side * stretch), width = rounded(side / stretch);
            if (height < out_height && width < out_width) {
                drawn.erased_row = below(random.words[2], out_height - height + 1);
                drawn.erased_column = below(random.words[3], out_width - width + 1);
                drawn.erased_height = height;
                drawn.erased_width = width;
                break;
            }
        }
        augmentations[r] = drawn;
    });
}

} // namespace nin::kernels
