// Stochastic gradient descent with momentum, Nesterov momentum and weight decay, as torch.optim.SGD (dampening 0).
//
// entry                parameters, in order
// sgd_step_f32         const f32* gradient, const step_state* state, const float* gradient_factor (1) or null,
//                      float* parameter, float* momentum_buffer, int64 count, float momentum, float weight_decay,
//                      int32 nesterov
// sgd_step_T           const T* gradient, const step_state* state, const float* gradient_factor (1) or null,
// (T = f16, bf16)      float* parameter, float* momentum_buffer, T* compute_parameter, int64 count, float momentum,
//                      float weight_decay, int32 nesterov
//
// Element i, 0 <= i < count:
//   g = gradient * (gradient_factor / loss_scale) + weight_decay * parameter
//   momentum_buffer = momentum * momentum_buffer + g
//   parameter -= learning_rate * (nesterov ? g + momentum * momentum_buffer : momentum_buffer)
//   compute_parameter = parameter rounded to T
// With a loss_scale of 0 nothing is written: the step is skipped (loss_scaling.cu). Else it is a power of two, so that
// its reciprocal is exact. gradient_factor is 1 where there is none (gradient_clipping.cu). momentum_buffer starts as
// zeros, which equals torch's first step; it may be null when momentum is 0 (then momentum_buffer stands for g, and
// nesterov changes nothing). A weight_decay of 0 leaves the parameter out of g, also where it is infinite or NaN.
//
// All pointers are to distinct memory. Launch: any; meant for blocks of 256 threads, one thread an element.
#include "numeric_types.h"
#include "step_state.h"

namespace nin::kernels
{
namespace
{

// store is called with each element's index and its new parameter.
template <typename T, typename Store>
__device__ __forceinline__ void sgd_step(const T* gradient, const step_state* state, const float* gradient_factor,
                                         float* parameter, float* momentum_buffer, int64_t count, float momentum,
                                         float weight_decay, bool is_nesterov, Store store)
{
    const float learning_rate = state->learning_rate, loss_scale = state->loss_scale;
    if (loss_scale == 0.0f)
        return;
    float gradient_scale = 1.0f / loss_scale;
    if (gradient_factor != nullptr)
        gradient_scale *= *gradient_factor;

    const auto decayed_gradient = [=](int64_t i) NIN_INLINE_LAMBDA {
        const float unscaled = to_f32(gradient[i]) * gradient_scale;
        return weight_decay == 0.0f ? unscaled : unscaled + weight_decay * parameter[i];
    };
    const auto descend = [=](int64_t i, float direction) NIN_INLINE_LAMBDA {
        const float updated = parameter[i] - learning_rate * direction;
        parameter[i] = updated;
        store(i, updated);
    };

    if (momentum_buffer == nullptr) {
        for_each_item(count, [=](int64_t i) NIN_INLINE_LAMBDA { descend(i, decayed_gradient(i)); });
        return;
    }
    for_each_item(count, [=](int64_t i) NIN_INLINE_LAMBDA {
        const float g = decayed_gradient(i);
        const float velocity = momentum * momentum_buffer[i] + g;
        momentum_buffer[i] = velocity;
        const float look_ahead = g + momentum * velocity;
        descend(i, is_nesterov ? look_ahead : velocity);
    });
}

} // namespace

extern "C" __global__ void sgd_step_f32(const f32* __restrict__ gradient, const step_state* __restrict__ state,
                                        const float* __restrict__ gradient_factor, float* __restrict__ parameter,
                                        float* __restrict__ momentum_buffer, int64_t count, float momentum,
                                        float weight_decay, int32_t nesterov)
{
    sgd_step(gradient, state, gradient_factor, parameter, momentum_buffer, count, momentum, weight_decay, nesterov != 0,
             [](int64_t, float) NIN_INLINE_LAMBDA {});
}

#define NIN_MIXED_PRECISION_SGD_KERNEL(T)                                                                              \
    extern "C" __global__ void sgd_step_##T(const T* __restrict__ gradient, const step_state* __restrict__ state,      \
                                            const float* __restrict__ gradient_factor, float* __restrict__ parameter,  \
                                            float* __restrict__ momentum_buffer, T* __restrict__ compute_parameter,    \
                                            int64_t count, float momentum, float weight_decay, int32_t nesterov)       \
    {                                                                                                                  \
        sgd_step(gradient, state, gradient_factor, parameter, momentum_buffer, count, momentum, weight_decay,          \
                 nesterov != 0,                                                                                        \
                 [=](int64_t i, float updated) NIN_INLINE_LAMBDA { compute_parameter[i] = from_f32<T>(updated); });    \
    }

NIN_MIXED_PRECISION_SGD_KERNEL(f16)
NIN_MIXED_PRECISION_SGD_KERNEL(bf16)
#undef NIN_MIXED_PRECISION_SGD_KERNEL

} // namespace nin::kernels
