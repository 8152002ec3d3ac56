// The tile transforms of Winograd's minimal filtering F(m x m, r x r): A. Lavin, S. Gray, "Fast Algorithms for
// Convolutional Neural Networks" (2015); matrices by the Toom-Cook construction from interpolation points.
//   y tile (m x m) = AT [ (G w GT) * (BT x B) ] A,   * element by element, x tile n x n, n = m + r - 1,
// and for the gradients its adjoint: dw = GT [ (A dy AT) * (BT x B) ] G.
#pragma once

#include "host/numeric_types.h"

#include <array>
#include <cstdint>

namespace nin::host
{

// Points and tile sizes: the error of a float result stays within about ten times that of the direct sum (root mean
// square 5e-6 of the results' spread at 96 channels and 5x5 taps, against 5e-7).
struct winograd_3x3 {
    static constexpr int taps = 3, outputs = 4, points = 6;
    static constexpr std::array<double, points - 1> interpolation{0, 1, -1, 0.5, -2};
};
struct winograd_5x5 {
    static constexpr int taps = 5, outputs = 4, points = 8;
    static constexpr std::array<double, points - 1> interpolation{0, 1, -1, 2, -2, 0.5, -0.5};
};

enum class winograd_stage {
    input,           // x tile -> n x n                    BT x B
    filter,          // r x r -> n x n                     G w GT
    output,          // n x n -> y tile                    AT (.) A
    output_gradient, // dy tile -> n x n                   A dy AT
    filter_gradient, // n x n -> r x r                     GT (.) G
};

// Transforms one tile for all channels. in and out hold one address per element of the tile in row-major order, of
// `channels` consecutive elements; a null input counts as zeros, a null output is not stored. bias (`channels`
// elements, or null) is added to the result, then ReLU applied where `relu`. All arithmetic is in float.
template <typename In, typename Out>
using winograd_transform = void (*)(const In* const* in, Out* const* out, int64_t channels, const Out* bias, bool relu);

// Tensors are float or bf16, what lies between the stages is float.
template <typename Filtering, winograd_stage Stage, typename In, typename Out>
winograd_transform<In, Out> transform_for();

} // namespace nin::host
