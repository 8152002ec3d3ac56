// Clipping of gradients by their global norm, decided on the device: what torch.nn.utils.clip_grad_norm_ multiplies all
// gradients by is computed, and the optimiser multiplies.
//
// entry (T = f32, f16, bf16)   parameters, in order
// gradient_square_sum_T        const T* gradient (count), double* partial (partials), int64 count,
//                              int64 elements_per_sum
// gradient_clip_factor         const double* partial (partials), const step_state* state, float* factor (1),
//                              int32 partials, float max_norm
//
// gradient_square_sum: partial[p] is the sum of the squares of elements p * elements_per_sum … (p + 1) *
// elements_per_sum
// - 1, the last piece may be shorter: partials = ceil(count / elements_per_sum). Lane i of a warp adds up the piece's
// elements i, i + 32, … in order, the lanes' sums are added as a tree (device.h). gradient_clip_factor adds up the
// partial sums in the same way, and with norm = sqrt(their sum) / loss_scale, the norm of the gradients without their
// scale,
//   factor = min(1, max_norm / (norm + 1e-6)), rounded to float; NaN where the norm is NaN.
// All sums are in double, where the square of a float is exact and can't overflow.
//
// Launch: any with blocks of at least 32 threads. gradient_square_sum is meant for blocks of 256 threads, one warp a
// piece; several hundred pieces keep a GPU busy. gradient_clip_factor: one block of 32 threads (further ones do
// nothing).
#include "numeric_types.h"
#include "step_state.h"

namespace nin::kernels
{
namespace
{

// 0 where the pieces' size makes no sense.
__device__ __forceinline__ int64_t piece_count(int64_t count, int64_t elements_per_sum)
{
    return count > 0 && elements_per_sum > 0 ? (count - 1) / elements_per_sum + 1 : 0;
}

template <typename T> __device__ __forceinline__ double square(T value)
{
    const double wide = static_cast<double>(to_f32(value));
    return wide * wide;
}

template <typename T>
__device__ __forceinline__ void gradient_square_sum(const T* gradient, double* partial, int64_t count,
                                                    int64_t elements_per_sum)
{
    for_each_warp_item(piece_count(count, elements_per_sum), [=](int64_t p) NIN_INLINE_LAMBDA {
        const int64_t first = p * elements_per_sum, left = count - first;
        const int64_t elements = left < elements_per_sum ? left : elements_per_sum;
        const int64_t whole = elements / k_warp_size * k_warp_size;
        const T* const piece = gradient + first;
        per_lane<double> sums;
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA { sums[lane] = 0.0; });
        // The lanes side by side, which the CPU's compiler makes vectors of.
        for (int64_t i = 0; i < whole; i += k_warp_size)
            for_each_lane([&](int lane) NIN_INLINE_LAMBDA { sums[lane] += square(piece[i + lane]); });
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            if (whole + lane < elements)
                sums[lane] += square(piece[whole + lane]);
        });
        const double sum = reduce_sum(sums);
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            if (lane == 0)
                partial[p] = sum;
        });
    });
}

} // namespace

#define NIN_GRADIENT_SQUARE_SUM_KERNEL(T)                                                                              \
    extern "C" __global__ void gradient_square_sum_##T(const T* __restrict__ gradient, double* __restrict__ partial,   \
                                                       int64_t count, int64_t elements_per_sum)                        \
    {                                                                                                                  \
        gradient_square_sum(gradient, partial, count, elements_per_sum);                                               \
    }

NIN_GRADIENT_SQUARE_SUM_KERNEL(f32)
NIN_GRADIENT_SQUARE_SUM_KERNEL(f16)
NIN_GRADIENT_SQUARE_SUM_KERNEL(bf16)
#undef NIN_GRADIENT_SQUARE_SUM_KERNEL

extern "C" __global__ void gradient_clip_factor(const double* __restrict__ partial,
                                                const step_state* __restrict__ state, float* __restrict__ factor,
                                                int32_t partials, float max_norm)
{
    // One item, so one warp of the whole launch works.
    for_each_warp_item(1, [=](int64_t) NIN_INLINE_LAMBDA {
        per_lane<double> sums;
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            double sum = 0.0;
            for (int32_t p = lane; p < partials; p += k_warp_size)
                sum += partial[p];
            sums[lane] = sum;
        });
        const double total = reduce_sum(sums);
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            if (lane == 0) {
                const double norm = square_root(total) / static_cast<double>(state->loss_scale);
                const double ratio = static_cast<double>(max_norm) / (norm + 1e-6);
                *factor = static_cast<float>(ratio > 1.0 ? 1.0 : ratio);
            }
        });
    });
}

} // namespace nin::kernels
