// Softmax, cross-entropy with its gradient, and the running sums of loss and accuracy.
//
// entry (T = f32, f16, bf16)   parameters, in order
// softmax_cross_entropy_T      const T* logits (n, classes), const int32* labels (label_count),
//                              const int32* indices (n), const step_state* state, float* sample_loss (n),
//                              uint8* sample_correct (n), T* dlogits (n, classes) or null, int32 label_count,
//                              int32 n, int32 classes, float gradient_scale, float label_smoothing
// softmax_forward_T            const T* logits (n, classes), float* probabilities (n, classes), int32 n, int32 classes
// loss_accumulate              const float* sample_loss (n), const uint8* sample_correct (n), double* sums (3),
//                              int32 n, int32 only_finite
//
// Row r, 0 <= r < n, with l = logits[r], label = labels[indices[r]], m = max l, e = label_smoothing in [0, 1), and the
// target distribution t[c] = (1 - e) * (c == label) + e / classes, as in torch.nn.CrossEntropyLoss:
//   sample_loss    = log(sum_c exp(l[c] - m)) - ((1 - e) * (l[label] - m) + e / classes * sum_c (l[c] - m))
//                  = -sum_c t[c] log softmax(l)[c]
//   sample_correct = 1 when the first c with l[c] = m is the label, else 0
//   dlogits[c]     = (softmax(l)[c] - t[c]) * (gradient_scale * loss_scale), not computed when dlogits is null
//   probabilities  = softmax(l)
// Where e is 0 the sum over l[c] - m is left out, so that a logit of -infinity does not count.
// An index outside 0 … label_count - 1, a label outside 0 … classes - 1, or a NaN among the logits gives a NaN loss,
// NaN gradients and sample_correct 0. dlogits may be the memory of logits. sums[0] += the samples' losses, sums[1] +=
// the correct samples, sums[2] += n; with only_finite nothing is added where a loss is infinite or NaN.
//
// One warp takes a row; lane i adds up classes i, i + 32, … in order, the lanes' sums are added as a tree (device.h).
// exp(x) is 2^(x log2 e): with the rounding of the exponent its relative error is below 2^-22 + |x| 2^-23, so that a
// probability's absolute error is below 2^-20. log(x) is log2(x) ln 2, with an absolute error below 2^-22 near x = 1.
//
// Launch: any with blocks of at least 32 threads; meant for blocks of 128 threads, which is 4 rows a block.
// loss_accumulate: one block of 32 threads (further threads and blocks do nothing).
#include "numeric_types.h"
#include "step_state.h"

namespace nin::kernels
{
namespace
{

struct maximum {
    float value;
    int32_t index;
};

// Symmetric. NaN counts as the greatest; of equal values the first is taken.
__device__ __forceinline__ maximum greater_of(maximum a, maximum b)
{
    const bool a_wins = is_nan(a.value) || a.value > b.value;
    const bool b_wins = is_nan(b.value) || b.value > a.value;
    const bool take_a = a_wins == b_wins ? a.index < b.index : a_wins;
    return take_a ? a : b;
}

// exp(x) for x <= 0; see the file's head for the error.
__device__ __forceinline__ float exp_approximate(float x)
{
    return exp2_approximate(x * 1.44269504f);
}

template <typename T> __device__ __forceinline__ maximum row_maximum(const T* row, int32_t classes)
{
    per_lane<maximum> lanes;
    for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
        maximum best = {negative_infinity(), classes};
        for (int32_t c = lane; c < classes; c += k_warp_size)
            best = greater_of(best, {to_f32(row[c]), c});
        lanes[lane] = best;
    });
    return reduce(lanes, [](maximum a, maximum b) NIN_INLINE_LAMBDA { return greater_of(a, b); });
}

// The sum over the classes of exp(row[c] - max).
template <typename T> __device__ __forceinline__ float row_exp_sum(const T* row, int32_t classes, float max)
{
    per_lane<float> lanes;
    for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
        float sum = 0.0f;
        for (int32_t c = lane; c < classes; c += k_warp_size)
            sum += exp_approximate(to_f32(row[c]) - max);
        lanes[lane] = sum;
    });
    return reduce_sum(lanes);
}

// The sum over the classes of row[c] - max.
template <typename T> __device__ __forceinline__ float row_distance_sum(const T* row, int32_t classes, float max)
{
    per_lane<float> lanes;
    for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
        float sum = 0.0f;
        for (int32_t c = lane; c < classes; c += k_warp_size)
            sum += to_f32(row[c]) - max;
        lanes[lane] = sum;
    });
    return reduce_sum(lanes);
}

template <typename T>
__device__ __forceinline__ void
softmax_cross_entropy(const T* logits, const int32_t* labels, const int32_t* indices, const step_state* state,
                      float* sample_loss, uint8_t* sample_correct, T* dlogits, int32_t label_count, int32_t n,
                      int32_t classes, float gradient_scale, float label_smoothing)
{
    const float scale = gradient_scale * state->loss_scale;
    const float other_target = label_smoothing / static_cast<float>(classes);
    const float label_target = 1.0f - label_smoothing + other_target;
    for_each_warp_item(n, [=](int64_t r) NIN_INLINE_LAMBDA {
        const T* row = logits + r * classes;
        const int32_t index = indices[r];
        const int32_t label = index >= 0 && index < label_count ? labels[index] : classes;
        const maximum max = row_maximum(row, classes);
        const float sum = row_exp_sum(row, classes, max.value);
        const bool is_valid = label >= 0 && label < classes;
        const float label_logit = is_valid ? to_f32(row[label]) : quiet_nan();
        float target_logit = label_logit - max.value; // of the distances from the maximum, the mean over the target
        if (label_smoothing != 0.0f)
            target_logit =
                (1.0f - label_smoothing) * target_logit + other_target * row_distance_sum(row, classes, max.value);

        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            if (lane == 0) {
                sample_loss[r] = log2_approximate(sum) * 0.693147181f - target_logit;
                sample_correct[r] = is_valid && max.index == label && !is_nan(max.value);
            }
        });
        if (dlogits == nullptr)
            return;
        // dlogits may be logits: every lane has read row[label] before another writes it.
        synchronize_warp();
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            for (int32_t c = lane; c < classes; c += k_warp_size) {
                const float probability = exp_approximate(to_f32(row[c]) - max.value) / sum;
                const float difference = probability - (c == label ? label_target : other_target);
                dlogits[r * classes + c] = from_f32<T>(is_valid ? difference * scale : quiet_nan());
            }
        });
    });
}

template <typename T>
__device__ __forceinline__ void softmax_forward(const T* logits, float* probabilities, int32_t n, int32_t classes)
{
    for_each_warp_item(n, [=](int64_t r) NIN_INLINE_LAMBDA {
        const T* row = logits + r * classes;
        const float max = row_maximum(row, classes).value;
        const float sum = row_exp_sum(row, classes, max);
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            for (int32_t c = lane; c < classes; c += k_warp_size)
                probabilities[r * classes + c] = exp_approximate(to_f32(row[c]) - max) / sum;
        });
    });
}

} // namespace

#define NIN_LOSS_KERNELS(T)                                                                                            \
    extern "C" __global__ void softmax_cross_entropy_##T(                                                              \
        const T* logits, const int32_t* __restrict__ labels, const int32_t* __restrict__ indices,                      \
        const step_state* __restrict__ state, float* __restrict__ sample_loss, uint8_t* __restrict__ sample_correct,   \
        T* dlogits, int32_t label_count, int32_t n, int32_t classes, float gradient_scale, float label_smoothing)      \
    {                                                                                                                  \
        softmax_cross_entropy(logits, labels, indices, state, sample_loss, sample_correct, dlogits, label_count, n,    \
                              classes, gradient_scale, label_smoothing);                                               \
    }                                                                                                                  \
    extern "C" __global__ void softmax_forward_##T(const T* __restrict__ logits, float* __restrict__ probabilities,    \
                                                   int32_t n, int32_t classes)                                         \
    {                                                                                                                  \
        softmax_forward(logits, probabilities, n, classes);                                                            \
    }

NIN_LOSS_KERNELS(f32)
NIN_LOSS_KERNELS(f16)
NIN_LOSS_KERNELS(bf16)
#undef NIN_LOSS_KERNELS

extern "C" __global__ void loss_accumulate(const float* __restrict__ sample_loss,
                                           const uint8_t* __restrict__ sample_correct, double* __restrict__ sums,
                                           int32_t n, int32_t only_finite)
{
    // One item, so one warp of the whole launch works.
    for_each_warp_item(1, [=](int64_t) NIN_INLINE_LAMBDA {
        per_lane<double> losses, correct;
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            double loss_sum = 0.0, correct_sum = 0.0;
            for (int32_t i = lane; i < n; i += k_warp_size) {
                loss_sum += static_cast<double>(sample_loss[i]);
                correct_sum += static_cast<double>(sample_correct[i]);
            }
            losses[lane] = loss_sum;
            correct[lane] = correct_sum;
        });
        const double loss_total = reduce_sum(losses), correct_total = reduce_sum(correct);
        for_each_lane([&](int lane) NIN_INLINE_LAMBDA {
            if (lane == 0 && (only_finite == 0 || loss_total - loss_total == 0.0)) {
                sums[0] += loss_total;
                sums[1] += correct_total;
                sums[2] += static_cast<double>(n);
            }
        });
    });
}

} // namespace nin::kernels
