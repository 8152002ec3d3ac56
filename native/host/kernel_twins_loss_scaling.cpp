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

auto check_accesses(const kernels::f16* gradient, kernels::loss_scaler* scaler, int64_t count)
{
    return std::array{reads_array(gradient, {count}), updates_array(scaler, {1})};
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
        make_kernel_twin<&loss_scaling_check_f16, &check_accesses>("loss_scaling_check_f16"),
        make_kernel_twin<&loss_scaling_end, &end_accesses>("loss_scaling_end"),
    };
}

} // namespace nin::host
