// kernels/augmentation.cu: the documented example, and probabilities of 0 and 1.
#include "kernel_launch.h"
#include "kernels/image_augmentation.h"

namespace nin::tests
{
namespace
{

class kernel_augmentation : public kernel_test
{
  protected:
    static std::vector<kernels::image_augmentation> drawn(int32_t n, int32_t crop_padding, uint64_t flip_threshold,
                                                          uint64_t erase_threshold)
    {
        const device_array<kernels::step_state> state({{0.1f, 1.0f, 3, 0}});
        const device_array<kernels::image_augmentation> augmentations(static_cast<size_t>(n));
        launch("augmentation", "augmentation_draw", 2, 64, state.address(), augmentations.address(), uint64_t{42}, n,
               crop_padding, int32_t{28}, int32_t{28}, flip_threshold, erase_threshold);
        return augmentations.download();
    }
};

TEST_F(kernel_augmentation, documented_sample_is_drawn)
{
    const kernels::image_augmentation sample = drawn(2, 4, uint64_t{1} << 31, uint64_t{1} << 32)[1];
    EXPECT_EQ(sample.is_flipped, 1);
    EXPECT_EQ(sample.row_shift, -3);
    EXPECT_EQ(sample.column_shift, -3);
    EXPECT_EQ(sample.erased_row, 10);
    EXPECT_EQ(sample.erased_column, 7);
    EXPECT_EQ(sample.erased_height, 7);
    EXPECT_EQ(sample.erased_width, 8);
}

TEST_F(kernel_augmentation, probabilities_of_0_and_1_are_never_and_always)
{
    // Enough samples for several threads.
    for (const auto& sample : drawn(30000, 0, 0, 0)) {
        ASSERT_EQ(sample.is_flipped, 0);
        ASSERT_EQ(sample.row_shift, 0);
        ASSERT_EQ(sample.column_shift, 0);
        ASSERT_EQ(sample.erased_height * sample.erased_width, 0);
    }
    for (const auto& sample : drawn(30000, 1, uint64_t{1} << 32, uint64_t{1} << 32)) {
        ASSERT_EQ(sample.is_flipped, 1);
        ASSERT_GE(sample.row_shift, -1);
        ASSERT_LE(sample.row_shift, 1);
        ASSERT_GT(sample.erased_height, 0);
        ASSERT_LE(sample.erased_row + sample.erased_height, 28);
        ASSERT_LE(sample.erased_column + sample.erased_width, 28);
    }
}

} // namespace
} // namespace nin::tests
