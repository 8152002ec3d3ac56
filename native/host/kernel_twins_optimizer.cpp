// The CPU twins of kernels/optimizer.cu.
#include "host/kernel_twin.h"
#include "kernels/optimizer.cu"

namespace nin::host
{
namespace
{

auto sgd_step_accesses(const float* gradient, const kernels::step_state* state, const float* gradient_factor,
                       float* parameter, float* momentum_buffer, float* average, int64_t count, float, float, int32_t,
                       float)
{
    return std::array{reads_array(gradient, {count}),          reads_array(state, {1}),
                      reads_array(gradient_factor, {1}),       updates_array(parameter, {count}),
                      updates_array(momentum_buffer, {count}), updates_array(average, {count})};
}

template <typename T>
auto mixed_precision_sgd_step_accesses(const T* gradient, const kernels::step_state* state,
                                       const float* gradient_factor, float* parameter, float* momentum_buffer,
                                       T* compute_parameter, float* average, T* compute_average, int64_t count, float,
                                       float, int32_t, float)
{
    return std::array{reads_array(gradient, {count}),          reads_array(state, {1}),
                      reads_array(gradient_factor, {1}),       updates_array(parameter, {count}),
                      updates_array(momentum_buffer, {count}), writes_array(compute_parameter, {count}),
                      updates_array(average, {count}),         writes_array(compute_average, {count})};
}

} // namespace

std::vector<kernel_twin> optimizer_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&sgd_step_f32, &sgd_step_accesses>("sgd_step_f32"),
        make_kernel_twin<&sgd_step_f16, &mixed_precision_sgd_step_accesses<f16>>("sgd_step_f16"),
        make_kernel_twin<&sgd_step_bf16, &mixed_precision_sgd_step_accesses<bf16>>("sgd_step_bf16"),
    };
}

} // namespace nin::host
