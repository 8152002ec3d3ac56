// Element-wise arithmetic and reductions over strided 4-D tensors in host memory: what the cuDNN functions that are not
// convolutions or pooling come down to. Arithmetic is in float for every element type.
#pragma once

#include "host/numeric_types.h"

#include <array>
#include <cstdint>

namespace nin::host
{

// Axes are always in N, C, H, W order, whatever the memory order; strides count elements.
struct tensor_view {
    element_type type = element_type::f32;
    std::array<int64_t, 4> dims{};
    std::array<int64_t, 4> strides{};

    friend bool operator==(const tensor_view&, const tensor_view&) = default;
};

tensor_view packed_nchw(element_type type, const std::array<int64_t, 4>& dims);
tensor_view packed_nhwc(element_type type, const std::array<int64_t, 4>& dims);

int64_t element_count(const tensor_view& view);
// From the first element to one past the last, in bytes.
size_t span_bytes(const tensor_view& view);
// Whether the elements fill the span without gaps or overlaps.
bool is_packed(const tensor_view& view);
// Same memory order, where axes of extent 1 may have any stride.
bool has_strides_of(const tensor_view& view, const tensor_view& other);
inline bool is_packed_nchw(const tensor_view& view)
{
    return has_strides_of(view, packed_nchw(view.type, view.dims));
}
inline bool is_packed_nhwc(const tensor_view& view)
{
    return has_strides_of(view, packed_nhwc(view.type, view.dims));
}

struct input_tensor {
    tensor_view view;
    const void* data;
};
struct output_tensor {
    tensor_view view;
    void* data;
};

// How a result meets what the destination holds: destination = alpha * result + beta * destination. With beta == 0 the
// destination is not read, so it may hold NaN.
struct blend_factors {
    float alpha = 1;
    float beta = 0;

    bool is_plain_store() const { return alpha == 1 && beta == 0; }
};

// y = alpha * x + beta * y; x is broadcast along its axes of extent 1. x may be y.
void blend(const input_tensor& x, blend_factors factors, const output_tensor& y);

// y = value.
void fill(float value, const output_tensor& y);

// y = alpha * max(x, 0) + beta * y. NaN becomes 0, or stays where propagate_nan. x may be y.
void relu_forward(const input_tensor& x, bool propagate_nan, blend_factors factors, const output_tensor& y);

// dx = alpha * (x > 0 ? dy : 0) + beta * dx. dy may be dx.
void relu_backward(const input_tensor& x, const input_tensor& dy, blend_factors factors, const output_tensor& dx);

// y = activation(alpha * x + z_factor * z + bias): z is not read where z_factor == 0. x, z and y have one shape, bias
// is (1, C, 1, 1); activation is max(., 0) with NaN becoming 0, or the identity. z may be y.
void bias_activation(const input_tensor& x, float alpha, const input_tensor& z, float z_factor,
                     const input_tensor& bias, bool relu, const output_tensor& y);

// db[c] = alpha * sum over n, h, w of dy[n, c, h, w] + beta * db[c]. dy is packed NCHW or NHWC; db has C consecutive
// elements of dy's type. Order of the sum: rows of one block of 256 in float, blocks in double, both ascending.
void sum_to_channels(const input_tensor& dy, blend_factors factors, void* db);

// The same for a row-major matrix of `rows` rows of `columns` floats, `stride` apart: sums[j] = sum over i of m[i][j].
void sum_rows(const float* matrix, int64_t rows, int64_t columns, int64_t stride, float* sums);

} // namespace nin::host
