// The CPU twins of kernels/gradient_clipping.cu.
#include "host/kernel_twin.h"
#include "kernels/gradient_clipping.cu"

namespace nin::host
{
namespace
{

template <typename T>
auto gradient_square_sum_accesses(const T* gradient, double* partial, int64_t count, int64_t elements_per_sum)
{
    return std::array{reads_array(gradient, {count}),
                      writes_array(partial, {kernels::piece_count(count, elements_per_sum)})};
}

auto gradient_clip_factor_accesses(const double* partial, const kernels::step_state* state, float* factor,
                                   int32_t partials, float)
{
    return std::array{reads_array(partial, {partials}), reads_array(state, {1}), writes_array(factor, {1})};
}

} // namespace

std::vector<kernel_twin> gradient_clipping_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&gradient_square_sum_f32, &gradient_square_sum_accesses<f32>>("gradient_square_sum_f32"),
        make_kernel_twin<&gradient_square_sum_f16, &gradient_square_sum_accesses<f16>>("gradient_square_sum_f16"),
        make_kernel_twin<&gradient_square_sum_bf16, &gradient_square_sum_accesses<bf16>>("gradient_square_sum_bf16"),
        make_kernel_twin<&gradient_clip_factor, &gradient_clip_factor_accesses>("gradient_clip_factor"),
    };
}

} // namespace nin::host
