// 2-D pooling over host memory, for any layout and element type; vectors run over the channels, so NHWC is fastest.
#pragma once

#include "host/tensor_arithmetic.h"

namespace nin::host
{

enum class pooling_mode {
    max,                       // the gradient goes to the first largest x of the window, in row-major order
    max_equal_to_output,       // the gradient goes to the first x that equals y
    average_including_padding, // divides by the window's size
    average_excluding_padding, // divides by the number of taps inside the image
};

struct pooling_window {
    pooling_mode mode;
    bool propagate_nan; // max only: NaN wins where true, loses where false
    int64_t window_h, window_w;
    int64_t pad_h, pad_w;
    int64_t stride_h, stride_w;
};

// y = alpha * pool(x) + beta * y.
void pool_forward(const pooling_window& window, const input_tensor& x, blend_factors factors, const output_tensor& y);

// dx = alpha * (gradient of pool at x for dy) + beta * dx. Overlapping windows add, in row-major order of the windows.
void pool_backward(const pooling_window& window, const input_tensor& y, const input_tensor& dy, const input_tensor& x,
                   blend_factors factors, const output_tensor& dx);

} // namespace nin::host
