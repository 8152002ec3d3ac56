#include "host/pooling.h"

#include "host/parallel.h"

#include <limits>
#include <type_traits>
#include <vector>

namespace nin::host
{
namespace
{

// Channels handled together: the accumulators of a vector loop, and the unit of work beside the image.
constexpr int64_t k_lanes = 64;

struct range {
    int64_t begin, end;
};

// The part of a window that lies inside the image, along one axis.
range clip(int64_t out, int64_t stride, int64_t pad, int64_t window, int64_t extent)
{
    const int64_t begin = out * stride - pad;
    return {std::max<int64_t>(begin, 0), std::min(begin + window, extent)};
}

template <typename T> void load_lanes(const T* src, int64_t stride, float* dst, int64_t n)
{
    if (stride == 1)
        for (int64_t i = 0; i < n; ++i)
            dst[i] = to_float(src[i]);
    else
        for (int64_t i = 0; i < n; ++i)
            dst[i] = to_float(src[i * stride]);
}

template <typename T> void store_lanes(const float* src, T* dst, int64_t stride, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        dst[i * stride] = from_float<T>(src[i]);
}

NIN_VECTORIZED void max_lanes(const float* x, bool propagate_nan, float* best, int64_t n)
{
    if (propagate_nan)
        for (int64_t i = 0; i < n; ++i)
            best[i] = x[i] <= best[i] ? best[i] : (best[i] == best[i] ? x[i] : best[i]);
    else
        for (int64_t i = 0; i < n; ++i)
            best[i] = x[i] > best[i] ? x[i] : best[i];
}

NIN_VECTORIZED void add_lanes(const float* x, float* sum, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        sum[i] += x[i];
}

// Replaces best and its position where x is larger (or NaN, the first time, if NaN propagates).
NIN_VECTORIZED void max_lanes_at(const float* x, bool propagate_nan, int32_t tap, float* best, int32_t* position,
                                 int64_t n)
{
    for (int64_t i = 0; i < n; ++i) {
        const bool nan_wins = propagate_nan && x[i] != x[i] && best[i] == best[i];
        const bool wins = x[i] > best[i] || nan_wins;
        best[i] = wins ? x[i] : best[i];
        position[i] = wins ? tap : position[i];
    }
}

// Takes the position where x equals y and none was found before (none: -1).
NIN_VECTORIZED void equal_lanes_at(const float* x, const float* y, int32_t tap, int32_t* position, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        position[i] = position[i] < 0 && x[i] == y[i] ? tap : position[i];
}

NIN_VECTORIZED void add_lanes_at(const float* dy, const int32_t* position, int32_t tap, float* dx, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        dx[i] += position[i] == tap ? dy[i] : 0.0f;
}

NIN_VECTORIZED void scale_lanes(const float* x, float factor, float* out, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        out[i] = factor * x[i];
}

bool is_max(pooling_mode mode)
{
    return mode == pooling_mode::max || mode == pooling_mode::max_equal_to_output;
}

// One tensor's image n, channels from c on: element (h, w, lane i) at h * h_stride + w * w_stride + i * c_stride.
template <typename T> struct image {
    T* data;
    int64_t c_stride, h_stride, w_stride;

    T* at(int64_t h, int64_t w) const { return data + h * h_stride + w * w_stride; }
};

template <typename T, typename Tensor> image<T> image_of(const Tensor& tensor, int64_t n, int64_t c)
{
    const auto& s = tensor.view.strides;
    return {static_cast<T*>(tensor.data) + n * s[0] + c * s[1], s[1], s[2], s[3]};
}

// The lanes of one pixel as floats, in place where they already are.
template <typename T> const float* lanes_at(const image<const T>& image, int64_t h, int64_t w, float* buffer, int64_t n)
{
    if constexpr (std::is_same_v<T, float>)
        if (image.c_stride == 1)
            return image.at(h, w);
    load_lanes(image.at(h, w), image.c_stride, buffer, n);
    return buffer;
}

template <typename T>
void forward_row(const pooling_window& p, const input_tensor& x, blend_factors factors, const output_tensor& y,
                 int64_t n, int64_t c, int64_t oh)
{
    const int64_t lanes = std::min(k_lanes, x.view.dims[1] - c);
    const auto from = image_of<const T>(x, n, c);
    const auto to = image_of<T>(y, n, c);
    float buffer[k_lanes], result[k_lanes];
    const range rows = clip(oh, p.stride_h, p.pad_h, p.window_h, x.view.dims[2]);
    for (int64_t ow = 0; ow < y.view.dims[3]; ++ow) {
        const range columns = clip(ow, p.stride_w, p.pad_w, p.window_w, x.view.dims[3]);
        std::fill_n(result, lanes, is_max(p.mode) ? -std::numeric_limits<float>::infinity() : 0.0f);
        for (int64_t h = rows.begin; h < rows.end; ++h)
            for (int64_t w = columns.begin; w < columns.end; ++w) {
                const float* const in = lanes_at<T>(from, h, w, buffer, lanes);
                if (is_max(p.mode))
                    max_lanes(in, p.propagate_nan, result, lanes);
                else
                    add_lanes(in, result, lanes);
            }
        float factor = factors.alpha;
        if (p.mode == pooling_mode::average_including_padding)
            factor /= static_cast<float>(p.window_h * p.window_w);
        else if (p.mode == pooling_mode::average_excluding_padding)
            factor /= static_cast<float>((rows.end - rows.begin) * (columns.end - columns.begin));
        if (factor != 1)
            scale_lanes(result, factor, result, lanes);
        T* const out = to.at(oh, ow);
        if (factors.beta != 0)
            for (int64_t i = 0; i < lanes; ++i)
                result[i] += factors.beta * to_float(out[i * to.c_stride]);
        store_lanes(result, out, to.c_stride, lanes);
    }
}

// The gradient of one image and channel group, in a float image of (H, W, lanes).
template <typename T>
void backward_image(const pooling_window& p, const input_tensor& y, const input_tensor& dy, const input_tensor& x,
                    int64_t n, int64_t c, int64_t lanes, float* gradient)
{
    const int64_t height = x.view.dims[2], width = x.view.dims[3];
    const auto xs = image_of<const T>(x, n, c), ys = image_of<const T>(y, n, c), dys = image_of<const T>(dy, n, c);
    std::fill_n(gradient, height * width * lanes, 0.0f);
    float buffer[k_lanes], y_buffer[k_lanes], dy_buffer[k_lanes], best[k_lanes];
    int32_t position[k_lanes];
    for (int64_t oh = 0; oh < y.view.dims[2]; ++oh)
        for (int64_t ow = 0; ow < y.view.dims[3]; ++ow) {
            const range rows = clip(oh, p.stride_h, p.pad_h, p.window_h, height);
            const range columns = clip(ow, p.stride_w, p.pad_w, p.window_w, width);
            const float* const out_gradient = lanes_at<T>(dys, oh, ow, dy_buffer, lanes);
            const auto for_each_tap = [&](auto&& body) {
                int32_t tap = 0;
                for (int64_t h = rows.begin; h < rows.end; ++h)
                    for (int64_t w = columns.begin; w < columns.end; ++w)
                        body(tap++, h, w);
            };
            if (!is_max(p.mode)) {
                const int64_t taps = p.mode == pooling_mode::average_including_padding
                                         ? p.window_h * p.window_w
                                         : (rows.end - rows.begin) * (columns.end - columns.begin);
                scale_lanes(out_gradient, 1.0f / static_cast<float>(taps), buffer, lanes);
                for_each_tap([&](int32_t, int64_t h, int64_t w) {
                    add_lanes(buffer, gradient + (h * width + w) * lanes, lanes);
                });
                continue;
            }
            if (p.mode == pooling_mode::max) {
                std::fill_n(position, lanes, 0);
                std::fill_n(best, lanes, -std::numeric_limits<float>::infinity());
                for_each_tap([&](int32_t tap, int64_t h, int64_t w) {
                    max_lanes_at(lanes_at<T>(xs, h, w, buffer, lanes), p.propagate_nan, tap, best, position, lanes);
                });
            } else {
                std::fill_n(position, lanes, -1);
                const float* const output = lanes_at<T>(ys, oh, ow, y_buffer, lanes);
                for_each_tap([&](int32_t tap, int64_t h, int64_t w) {
                    equal_lanes_at(lanes_at<T>(xs, h, w, buffer, lanes), output, tap, position, lanes);
                });
            }
            for_each_tap([&](int32_t tap, int64_t h, int64_t w) {
                add_lanes_at(out_gradient, position, tap, gradient + (h * width + w) * lanes, lanes);
            });
        }
}

} // namespace

void pool_forward(const pooling_window& window, const input_tensor& x, blend_factors factors, const output_tensor& y)
{
    const int64_t groups = (x.view.dims[1] + k_lanes - 1) / k_lanes;
    const int64_t rows = y.view.dims[2];
    visit(x.view.type, [&](auto element) {
        parallel_for(x.view.dims[0] * rows, [&](int64_t index) {
            for (int64_t group = 0; group < groups; ++group)
                forward_row<decltype(element)>(window, x, factors, y, index / rows, group * k_lanes, index % rows);
        });
    });
}

void pool_backward(const pooling_window& window, const input_tensor& y, const input_tensor& dy, const input_tensor& x,
                   blend_factors factors, const output_tensor& dx)
{
    const auto [images, channels, height, width] = x.view.dims;
    const int64_t groups = (channels + k_lanes - 1) / k_lanes;
    visit(x.view.type, [&](auto element) {
        using T = decltype(element);
        parallel_for(images * groups, [&](int64_t index) {
            const int64_t n = index / groups, c = index % groups * k_lanes;
            const int64_t lanes = std::min(k_lanes, channels - c);
            thread_local std::vector<float> gradient;
            gradient.resize(static_cast<size_t>(height * width * lanes));
            backward_image<T>(window, y, dy, x, n, c, lanes, gradient.data());
            const auto to = image_of<T>(dx, n, c);
            for (int64_t h = 0; h < height; ++h)
                for (int64_t w = 0; w < width; ++w) {
                    float* const row = gradient.data() + (h * width + w) * lanes;
                    T* const out = to.at(h, w);
                    if (factors.alpha != 1)
                        scale_lanes(row, factors.alpha, row, lanes);
                    if (factors.beta != 0)
                        for (int64_t i = 0; i < lanes; ++i)
                            row[i] += factors.beta * to_float(out[i * to.c_stride]);
                    store_lanes(row, out, to.c_stride, lanes);
                }
        });
    });
}

} // namespace nin::host
