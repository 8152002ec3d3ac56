// The CPU twin of kernels/augmentation.cu.
#include "host/kernel_twin.h"
#include "kernels/augmentation.cu"

namespace nin::host
{
namespace
{

auto augmentation_draw_accesses(const kernels::step_state* state, kernels::image_augmentation* augmentations, uint64_t,
                                int32_t n, int32_t, int32_t, int32_t, uint64_t, uint64_t)
{
    return std::array{reads_array(state, {1}), writes_array(augmentations, {n})};
}

} // namespace

std::vector<kernel_twin> augmentation_twins()
{
    using namespace kernels;
    return {make_kernel_twin<&augmentation_draw, &augmentation_draw_accesses>("augmentation_draw")};
}

} // namespace nin::host
