// The CPU twins of kernels/input.cu.
#include "host/kernel_twin.h"
#include "kernels/input.cu"

#include <algorithm>

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

template <typename T>
auto input_augmented_accesses(const kernels::image_augmentation* augmentations, const uint8_t* images,
                              const int32_t* indices, const int32_t* row_bounds, const int32_t* row_weights,
                              const int32_t* column_bounds, const int32_t* column_weights, const float* mean,
                              const float* inverse_std, T* y, int32_t count, int32_t n, int32_t height, int32_t width,
                              int32_t channels, int32_t out_height, int32_t out_width, int32_t row_taps,
                              int32_t column_taps)
{
    const std::array others = input_forward_accesses(images, indices, row_bounds, row_weights, column_bounds,
                                                     column_weights, mean, inverse_std, y, count, n, height, width,
                                                     channels, out_height, out_width, row_taps, column_taps);
    std::array<memory_access, others.size() + 1> accesses = {reads_array(augmentations, {n})};
    std::copy(others.begin(), others.end(), accesses.begin() + 1);
    return accesses;
}

} // namespace

std::vector<kernel_twin> input_twins()
{
    using namespace kernels;
    return {
        make_kernel_twin<&input_forward_f32, &input_forward_accesses<f32>>("input_forward_f32"),
        make_kernel_twin<&input_forward_f16, &input_forward_accesses<f16>>("input_forward_f16"),
        make_kernel_twin<&input_forward_bf16, &input_forward_accesses<bf16>>("input_forward_bf16"),
        make_kernel_twin<&input_augmented_f32, &input_augmented_accesses<f32>>("input_augmented_f32"),
        make_kernel_twin<&input_augmented_f16, &input_augmented_accesses<f16>>("input_augmented_f16"),
        make_kernel_twin<&input_augmented_bf16, &input_augmented_accesses<bf16>>("input_augmented_bf16"),
    };
}

} // namespace nin::host
