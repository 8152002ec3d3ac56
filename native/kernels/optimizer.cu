// Stochastic gradient descent with momentum, Nesterov momentum and weight decay, as torch.optim.SGD (dampening 0), and
// a moving average of the parameters.
//
// entry                parameters, in order
// sgd_step_f32         const f32* gradient, const step_state* state, const float* gradient_factor (1) or null,
//                      float* parameter, float* momentum_buffer or null, float* average or null, int64 count,
//                      float momentum, float weight_decay, int32 nesterov, float average_decay
// sgd_step_T           const T* gradient, const step_state* state, const float* gradient_factor (1) or null,
// (T = f16, bf16)      float* parameter, float* momentum_buffer or null, T* compute_parameter, float* average or null,
//                      T* compute_average or null, int64 count, float momentum, float weight_decay, int32 nesterov,
//                      float average_decay
//
// Element i, 0 <= i < count:
//   g = gradient * (gradient_factor / loss_scale) + weight_decay * parameter
//   momentum_buffer = momentum * momentum_buffer + g
//   parameter -= learning_rate * (nesterov ? g + momentum * momentum_buffer : momentum_buffer)
//   average += (1 - d) * (parameter - average), with d = min(average_decay, (1 + step) / (10 + step))
//   compute_parameter, compute_average = parameter, average rounded to T
// With a loss_scale of 0 nothing is written: the step is skipped (loss_scaling.cu). Else it is a power of two, so that
// its reciprocal is exact. gradient_factor is 1 where there is none (gradient_clipping.cu). momentum_buffer starts as
// zeros, which equals torch's first step; it may be null when momentum is 0 (then momentum_buffer stands for g, and
// nesterov changes nothing). A weight_decay of 0 leaves the parameter out of g, also where it is infinite or NaN. The
// average is d * average + (1 - d) * parameter, written so that it stays where the parameter does; steps count from 0,
// and the first ones have a smaller d, by which the average forgets the first parameters. Without an average there is
// no compute_average.
//
// All pointers are to distinct memory. Launch: any; meant for blocks of 256 threads, one thread an element.
#include "numeric_types.h"
#include "step_state.h"

namespace nin::kernels
{
namespace
{

// Stores a value where operators read it in their own type; in float32 that is the value itself.
__device__ __forceinline__ void store_copy(f32*, int64_t, float) {}

template <typename T> __device__ __forceinline__ void store_copy(T* copies, int64_t i, float value)
{
    copies[i] = from_f32<T>(value);
}

__device__ __forceinline__ float decay_of_step(const step_state* state, float average_decay)
{
    const float step = static_cast<float>(state->step_high) * 4294967296.0f + static_cast<float>(state->step_low);
    const float warm_up = (1.0f + step) / (10.0f + step);
    return warm_up < average_decay ? warm_up : average_decay;
}

template <typename T>
__device__ __forceinline__ void sgd_step(const T* gradient, const step_state* state, const float* gradient_factor,
                                         float* parameter, float* momentum_buffer, T* compute_parameter, float* average,
                                         T* compute_average, int64_t count, float momentum, float weight_decay,
                                         bool is_nesterov, float average_decay)
{
    const float learning_rate = state->learning_rate, loss_scale = state->loss_scale;
    if (loss_scale == 0.0f)
        return;
    const float inverse_loss_scale = 1.0f / loss_scale;
    const float gradient_scale =
        gradient_factor == nullptr ? inverse_loss_scale : inverse_loss_scale * *gradient_factor;
    const float approach = 1.0f - decay_of_step(state, average_decay);

    const auto decayed_gradient = [=](int64_t i) NIN_INLINE_LAMBDA {
        const float unscaled = to_f32(gradient[i]) * gradient_scale;
        return weight_decay == 0.0f ? unscaled : unscaled + weight_decay * parameter[i];
    };
    const auto momentum_direction = [=](int64_t i) NIN_INLINE_LAMBDA {
        const float g = decayed_gradient(i);
        const float velocity = momentum * momentum_buffer[i] + g;
        momentum_buffer[i] = velocity;
        const float look_ahead = g + momentum * velocity;
        return is_nesterov ? look_ahead : velocity;
    };
    const auto descend = [=](int64_t i, float direction) NIN_INLINE_LAMBDA {
        const float updated = parameter[i] - learning_rate * direction;
        parameter[i] = updated;
        store_copy(compute_parameter, i, updated);
        return updated;
    };
    const auto descend_and_average = [=](int64_t i, float direction) NIN_INLINE_LAMBDA {
        const float before = average[i];
        const float moved = before + approach * (descend(i, direction) - before);
        average[i] = moved;
        store_copy(compute_average, i, moved);
    };

    // Four loops, each without a decision: the CPU's compiler makes vectors of them.
    if (average == nullptr && momentum_buffer == nullptr)
        for_each_item(count, [=](int64_t i) NIN_INLINE_LAMBDA { descend(i, decayed_gradient(i)); });
    else if (average == nullptr)
        for_each_item(count, [=](int64_t i) NIN_INLINE_LAMBDA { descend(i, momentum_direction(i)); });
    else if (momentum_buffer == nullptr)
        for_each_item(count, [=](int64_t i) NIN_INLINE_LAMBDA { descend_and_average(i, decayed_gradient(i)); });
    else
        for_each_item(count, [=](int64_t i) NIN_INLINE_LAMBDA { descend_and_average(i, momentum_direction(i)); });
}

} // namespace

extern "C" __global__ void sgd_step_f32(const f32* __restrict__ gradient, const step_state* __restrict__ state,
                                        const float* __restrict__ gradient_factor, float* __restrict__ parameter,
                                        float* __restrict__ momentum_buffer, float* __restrict__ average, int64_t count,
                                        float momentum, float weight_decay, int32_t nesterov, float average_decay)
{
    sgd_step<f32>(gradient, state, gradient_factor, parameter, momentum_buffer, nullptr, average, nullptr, count,
                  momentum, weight_decay, nesterov != 0, average_decay);
}

#define NIN_MIXED_PRECISION_SGD_KERNEL(T)                                                                              \
    extern "C" __global__ void sgd_step_##T(                                                                           \
        const T* __restrict__ gradient, const step_state* __restrict__ state,                                          \
        const float* __restrict__ gradient_factor, float* __restrict__ parameter, float* __restrict__ momentum_buffer, \
        T* __restrict__ compute_parameter, float* __restrict__ average, T* __restrict__ compute_average,               \
        int64_t count, float momentum, float weight_decay, int32_t nesterov, float average_decay)                      \
    {                                                                                                                  \
        sgd_step(gradient, state, gradient_factor, parameter, momentum_buffer, compute_parameter, average,             \
                 compute_average, count, momentum, weight_decay, nesterov != 0, average_decay);                        \
    }

NIN_MIXED_PRECISION_SGD_KERNEL(f16)
NIN_MIXED_PRECISION_SGD_KERNEL(bf16)
#undef NIN_MIXED_PRECISION_SGD_KERNEL

} // namespace nin::kernels
