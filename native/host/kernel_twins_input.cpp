// The CPU twins of kernels/input.cu.
#include "host/kernel_twin.h"
#include "kernels/input.cu"

namespace nin::host
{
namespace
{

template <typename T>
auto input_forward_accesses(const uint8_t* images, const int32_t* indices, const int32_t* row_bounds,
                            const int32_t* row_weights, const int32_t* column_bounds, const int32_t* column_weights,
                            const float* mean, const float* inverse_std, T* y, int32_t count, int32_t n, int32_t height,
                            int32_t width, int32_t channels, int32_t out_height, int32_t out_width, int32_t row_taps,
                            int32_t column_taps)
{
    return std::array{reads_array(images, {count, height, width, channels}),
                      reads_array(indices, {n}),
                      reads_array(row_bounds, {out_height, 2}),
                      reads_array(row_weights, {out_height, row_taps}),
                      reads_array(column_bounds, {out_width, 2}),
                      reads_array(column_weights, {out_width, column_taps}),
                      reads_array(mean, {channels}),
                      reads_array(inverse_std, {channels}),
                      writes_array(y, {n, out_height, out_width, channels})};
}

} // namespace

std::vector<kernel_twin> input_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&input_forward_f32, &input_forward_accesses<f32>>("input_forward_f32"),
        make_kernel_twin<&input_forward_f16, &input_forward_accesses<f16>>("input_forward_f16"),
        make_kernel_twin<&input_forward_bf16, &input_forward_accesses<bf16>>("input_forward_bf16"),
    };
}

} // namespace nin::host
