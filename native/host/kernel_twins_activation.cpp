// The CPU twins of kernels/activation.cu.
#include "host/kernel_twin.h"
#include "kernels/activation.cu"

namespace nin::host
{
namespace
{

template <typename T>
auto relu_bias_backward_accesses(const T* y, T* dy, float* partial, int64_t rows, int32_t channels,
                                 int32_t rows_per_tile)
{
    const int64_t tiles = kernels::tile_count(rows, rows_per_tile);
    return std::array{reads_array(y, {rows, channels}), updates_array(dy, {rows, channels}),
                      writes_array(partial, {tiles, channels})};
}

template <typename T> auto bias_reduce_accesses(const float* partial, T* db, int32_t tiles, int32_t channels)
{
    return std::array{reads_array(partial, {tiles, channels}), writes_array(db, {channels})};
}

} // namespace

std::vector<kernel_twin> activation_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&relu_bias_backward_f32, &relu_bias_backward_accesses<f32>>("relu_bias_backward_f32"),
        make_kernel_twin<&relu_bias_backward_f16, &relu_bias_backward_accesses<f16>>("relu_bias_backward_f16"),
        make_kernel_twin<&relu_bias_backward_bf16, &relu_bias_backward_accesses<bf16>>("relu_bias_backward_bf16"),
        make_kernel_twin<&bias_reduce_f32, &bias_reduce_accesses<f32>>("bias_reduce_f32"),
        make_kernel_twin<&bias_reduce_f16, &bias_reduce_accesses<f16>>("bias_reduce_f16"),
        make_kernel_twin<&bias_reduce_bf16, &bias_reduce_accesses<bf16>>("bias_reduce_bf16"),
    };
}

} // namespace nin::host
