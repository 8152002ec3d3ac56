// What the tests of cuDNN's rules share: small convolutions and their operands in device memory.
#pragma once

#include "cudnn_convolution_fixture.h"
#include "driver_test.h"

namespace nin::tests
{

using float_fixture = convolution_fixture<f32_type>;

constexpr convolution_case k_case{2, 8, 6, 5, 12, 3, 3, 1, 1, 1, 1, 1, 1};
constexpr convolution_case k_dilated{2, 8, 9, 9, 12, 3, 3, 1, 1, 1, 1, 2, 2};

class cudnn_strictness : public cudnn_test
{
  protected:
    // Device memory for a fixture's operands.
    struct operands {
        explicit operands(const float_fixture& f) : x(f.x_data), w(f.w_data), y(f.y_data), workspace(1 << 22) {}
        device_array<float> x, w, y;
        device_array<uint8_t> workspace;
    };

    cudnnStatus_t forward(const float_fixture& f, const operands& d, cudnnTensorDescriptor_t x_desc,
                          cudnnFilterDescriptor_t w_desc, cudnnTensorDescriptor_t y_desc,
                          int algo = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM)
    {
        const float one = 1, zero = 0;
        return cudnnConvolutionForward(handle_, &one, x_desc, pointer(d.x), w_desc, pointer(d.w), f.conv_desc,
                                       static_cast<cudnnConvolutionFwdAlgo_t>(algo), pointer(d.workspace), 1 << 22,
                                       &zero, y_desc, pointer(d.y));
    }

    cudnnStatus_t size(const float_fixture& f, direction d, int algo)
    {
        size_t bytes = 0;
        return f.workspace_size(handle_, d, algo, &bytes);
    }
};

} // namespace nin::tests
