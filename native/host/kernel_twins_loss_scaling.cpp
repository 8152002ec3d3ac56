// The CPU twins of kernels/loss_scaling.cu.
#include "host/kernel_twin.h"
#include "kernels/loss_scaling.cu"

namespace nin::host
{
namespace
{

auto begin_accesses(const kernels::loss_scaler* scaler, kernels::step_state* state)
{
    return std::array{reads_array(scaler, {1}), updates_array(state, {1})};
}

template <typename T> auto check_accesses(const T* values, kernels::loss_scaler* scaler, int64_t count, int32_t)
{
    return std::array{reads_array(values, {count}), updates_array(scaler, {1})};
}

auto end_accesses(kernels::loss_scaler* scaler, kernels::step_state* state, int32_t)
{
    return std::array{updates_array(scaler, {1}), updates_array(state, {1})};
}

} // namespace

std::vector<kernel_twin> loss_scaling_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&loss_scaling_begin, &begin_accesses>("loss_scaling_begin"),
        make_kernel_twin<&loss_scaling_check_f32, &check_accesses<f32>>("loss_scaling_check_f32"),
        make_kernel_twin<&loss_scaling_check_f16, &check_accesses<f16>>("loss_scaling_check_f16"),
        make_kernel_twin<&loss_scaling_check_bf16, &check_accesses<bf16>>("loss_scaling_check_bf16"),
        make_kernel_twin<&loss_scaling_end, &end_accesses>("loss_scaling_end"),
    };
}

} // namespace nin::host
