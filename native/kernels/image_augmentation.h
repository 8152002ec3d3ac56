// How one sample of a batch is changed on the way into the network. It lies in device memory, and only kernels write
// it: augmentation.cu draws it, input.cu does what it says.
#pragma once

#include <stdint.h>

namespace nin::kernels
{

struct image_augmentation {
    int32_t is_flipped;
    int32_t row_shift, column_shift;     // the stored pixel that takes the place of pixel (0, 0)
    int32_t erased_row, erased_column;   // the erased rectangle's first pixel in the network's input
    int32_t erased_height, erased_width; // 0: nothing is erased
};
static_assert(sizeof(image_augmentation) == 28, "the managed side reads these 28 bytes");

} // namespace nin::kernels
