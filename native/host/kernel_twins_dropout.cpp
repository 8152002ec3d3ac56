// The CPU twins of kernels/dropout.cu.
#include "host/kernel_twin.h"
#include "kernels/dropout.cu"

namespace nin::host
{
namespace
{

template <typename T>
auto dropout_accesses(const T* x, const kernels::step_state* state, T* y, int64_t count, uint64_t, uint32_t, uint32_t,
                      float)
{
    return std::array{reads_array(x, {count}), reads_array(state, {1}), writes_array(y, {count})};
}

} // namespace

std::vector<kernel_twin> dropout_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&dropout_forward_f32, &dropout_accesses<f32>>("dropout_forward_f32"),
        make_kernel_twin<&dropout_forward_f16, &dropout_accesses<f16>>("dropout_forward_f16"),
        make_kernel_twin<&dropout_forward_bf16, &dropout_accesses<bf16>>("dropout_forward_bf16"),
        make_kernel_twin<&dropout_backward_f32, &dropout_accesses<f32>>("dropout_backward_f32"),
        make_kernel_twin<&dropout_backward_f16, &dropout_accesses<f16>>("dropout_backward_f16"),
        make_kernel_twin<&dropout_backward_bf16, &dropout_accesses<bf16>>("dropout_backward_bf16"),
    };
}

} // namespace nin::host
