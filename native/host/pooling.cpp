#include "host/pooling.h"

#include "host/parallel.h"

#include <limits>
#include <utility>
#include <vector>

namespace nin::host
{
namespace
{

struct range {
    int64_t begin, end;
};

// Windows along one axis.
struct pooling_axis {
    int64_t in, out, window, stride, pad;

    // The part of an output's window that lies inside the image.
    range taps(int64_t output) const
    {
        const int64_t begin = output * stride - pad;
        return {std::max<int64_t>(begin, 0), std::min(begin + window, in)};
    }

    // The outputs whose windows hold an input.
    range outputs(int64_t input) const
    {
        const int64_t last_begin = input + pad, first_begin = std::max<int64_t>(last_begin - window + 1, 0);
        return {(first_begin + stride - 1) / stride, std::min(last_begin / stride + 1, out)};
    }

    // At most so many, whatever the output or the input.
    int64_t most_taps() const { return std::min(window, in); }
    int64_t most_outputs() const { return std::min((window + stride - 1) / stride, out); }
};

struct pooling_grid {
    pooling_axis rows, columns;
    int64_t channels;

    pooling_grid(const pooling_window& p, const std::array<int64_t, 4>& in, const std::array<int64_t, 4>& out)
        : rows{in[2], out[2], p.window_h, p.stride_h, p.pad_h}, columns{in[3], out[3], p.window_w, p.stride_w, p.pad_w},
          channels(in[1])
    {
    }

    // The place of an input pixel in the image, which has fewer than 2^31: as floats, more would be 8 GiB a channel.
    int32_t place(int64_t h, int64_t w) const { return static_cast<int32_t>(h * columns.in + w); }

    // What an average over a window with that many taps inside the image divides by.
    int64_t divisor(pooling_mode mode, int64_t taps) const
    {
        return mode == pooling_mode::average_including_padding ? rows.window * columns.window : taps;
    }
};

// ---- Loops over the channels of one pixel, which are consecutive. Several taps go in one pass, so that what they are
// folded into is read and written once.

template <typename T, int N> NIN_VECTORIZED void fold_sums(const T* const* taps, float* sums, int64_t channels)
{
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
        float sum = sums[c];
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i)
            sum += to_float(taps[i][c]);
        sums[c] = sum;
    }
}

// Choices are made with masks of all bits: the compiler would turn conditions of several parts, or those that decide on
// two values, into branches, and not vectorise them.
inline uint32_t mask_of(bool condition)
{
    return condition ? ~0u : 0u;
}

inline int32_t choose(uint32_t mask, int32_t a, int32_t b)
{
    return static_cast<int32_t>((mask & static_cast<uint32_t>(a)) | (~mask & static_cast<uint32_t>(b)));
}

inline float choose(uint32_t mask, float a, float b)
{
    return std::bit_cast<float>(choose(mask, std::bit_cast<int32_t>(a), std::bit_cast<int32_t>(b)));
}

// Whether x takes best's place: it is larger, or the first NaN where NaN propagates.
template <bool PropagateNan> inline uint32_t wins(float x, float best)
{
    return PropagateNan ? mask_of(!(x <= best)) & mask_of(best == best) : mask_of(x > best);
}

template <typename T, bool PropagateNan, int N>
NIN_VECTORIZED void fold_maxima(const T* const* taps, float* maxima, int64_t channels)
{
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
        float best = maxima[c];
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i) {
            const float x = to_float(taps[i][c]);
            best = choose(wins<PropagateNan>(x, best), x, best);
        }
        maxima[c] = best;
    }
}

// The same with the winner's place.
template <typename T, bool PropagateNan, int N>
NIN_VECTORIZED void fold_places(const T* const* taps, const int32_t* tap_places, float* maxima, int32_t* places,
                                int64_t channels)
{
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
        float best = maxima[c];
        int32_t place = places[c];
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i) {
            const float x = to_float(taps[i][c]);
            const uint32_t won = wins<PropagateNan>(x, best);
            best = choose(won, x, best);
            place = choose(won, tap_places[i], place);
        }
        maxima[c] = best;
        places[c] = place;
    }
}

// The place of the first tap that equals y; none found before: -1.
template <typename T, int N>
NIN_VECTORIZED void fold_equals(const T* const* taps, const int32_t* tap_places, const float* y, int32_t* places,
                                int64_t channels)
{
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
        int32_t place = places[c];
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i)
            place = choose(mask_of(place < 0) & mask_of(to_float(taps[i][c]) == y[c]), tap_places[i], place);
        places[c] = place;
    }
}

// What an output gives back, per channel: the gradient, and for maxima the place that it goes to.
struct output_share {
    const float* gradients;
    const int32_t* places;
};

// Adds what goes to the input at `place`; averages give to every input of the window.
template <bool IsMax, int N>
NIN_VECTORIZED void collect(const output_share* shares, int32_t place, float* sums, int64_t channels)
{
#pragma GCC ivdep
    for (int64_t c = 0; c < channels; ++c) {
        float sum = sums[c];
#pragma GCC unroll 16
        for (int i = 0; i < N; ++i)
            if constexpr (IsMax)
                sum += choose(mask_of(shares[i].places[c] == place), shares[i].gradients[c], 0.0f);
            else
                sum += shares[i].gradients[c];
        sums[c] = sum;
    }
}

NIN_VECTORIZED void scale(float factor, float* values, int64_t channels)
{
    for (int64_t c = 0; c < channels; ++c)
        values[c] *= factor;
}

// body(first, constant N) over [0, count) in passes of 9 (a window of 3x3), 4 (one of 2x2; the windows of 3x3 and
// stride 2 that hold an input are 4, 2 or 1), 2 and 1.
template <typename Body> void for_each_pass(int64_t count, Body&& body)
{
    int64_t first = 0;
    const auto passes_of = [&](auto n) {
        for (; first + n <= count; first += n)
            body(first, n);
    };
    passes_of(std::integral_constant<int, 9>());
    passes_of(std::integral_constant<int, 4>());
    passes_of(std::integral_constant<int, 2>());
    passes_of(std::integral_constant<int, 1>());
}

// ---- Tensors

// Channels of one pixel to and from float; they are `stride` apart.
template <typename T> void load_pixel(const T* from, int64_t stride, float* to, int64_t channels)
{
    if (stride == 1)
        row_to_float(element_type_of<T>(), from, to, channels);
    else
        for (int64_t c = 0; c < channels; ++c)
            to[c] = to_float(from[c * stride]);
}

// One image of a tensor.
template <typename T> struct image {
    T* data;
    int64_t c_stride, h_stride, w_stride;

    bool has_consecutive_channels() const { return c_stride == 1; }
    T* at(int64_t h, int64_t w) const { return data + h * h_stride + w * w_stride; }
};

// Where a pixel's floats are to be computed that store_pixel then stores: in place where they need no more than a
// factor.
template <typename T> float* pixel_values(T* to, int64_t stride, blend_factors factors, std::vector<float>& buffer)
{
    if constexpr (std::is_same_v<T, float>)
        if (stride == 1 && factors.beta == 0)
            return to;
    return buffer.data();
}

// to = factor * values + beta * to. The values are lost.
template <typename T> void store_pixel(float* values, float factor, float beta, T* to, int64_t stride, int64_t channels)
{
    if (factor != 1)
        scale(factor, values, channels);
    if (static_cast<const void*>(values) == to)
        return;
    if (beta != 0)
        for (int64_t c = 0; c < channels; ++c)
            values[c] += beta * to_float(to[c * stride]);
    if (stride == 1)
        row_from_float(element_type_of<T>(), values, to, channels);
    else
        for (int64_t c = 0; c < channels; ++c)
            to[c * stride] = from_float<T>(values[c]);
}

template <typename T, typename Tensor> image<T> image_of(const Tensor& tensor, int64_t n)
{
    const auto& s = tensor.view.strides;
    return {static_cast<T*>(tensor.data) + n * s[0], s[1], s[2], s[3]};
}

// The image with consecutive channels: itself, or a copy in the buffer.
template <typename T>
image<const T> with_consecutive_channels(const image<const T>& from, const pooling_grid& grid, std::vector<T>& buffer)
{
    if (from.has_consecutive_channels())
        return from;
    const int64_t row = grid.columns.in * grid.channels;
    buffer.resize(static_cast<size_t>(grid.rows.in * row));
    for (int64_t h = 0; h < grid.rows.in; ++h)
        for (int64_t c = 0; c < grid.channels; ++c)
            for (int64_t w = 0; w < grid.columns.in; ++w)
                buffer[static_cast<size_t>(h * row + w * grid.channels + c)] = from.at(h, w)[c * from.c_stride];
    return {buffer.data(), 1, row, grid.channels};
}

// The taps of an output's window that lie inside the image, in row-major order, and their places.
template <typename T> class window_taps
{
  public:
    void reserve(const pooling_grid& grid)
    {
        const auto most = static_cast<size_t>(grid.rows.most_taps() * grid.columns.most_taps());
        addresses_.resize(most);
        places_.resize(most);
    }

    void find(const pooling_grid& grid, const image<const T>& x, int64_t oh, int64_t ow)
    {
        const range rows = grid.rows.taps(oh), columns = grid.columns.taps(ow);
        size_t i = 0;
        for (int64_t h = rows.begin; h < rows.end; ++h)
            for (int64_t w = columns.begin; w < columns.end; ++w, ++i) {
                addresses_[i] = x.at(h, w);
                places_[i] = grid.place(h, w);
            }
        count_ = static_cast<int64_t>(i);
    }

    const T* const* addresses(int64_t first = 0) const { return addresses_.data() + first; }
    const int32_t* places(int64_t first = 0) const { return places_.data() + first; }
    int64_t count() const { return count_; }

  private:
    std::vector<const T*> addresses_;
    std::vector<int32_t> places_;
    int64_t count_ = 0;
};

// ---- Pooling one image at a time. Everything a thread needs beside the tensors is kept from image to image.

bool is_max(pooling_mode mode)
{
    return mode == pooling_mode::max || mode == pooling_mode::max_equal_to_output;
}

constexpr float k_lowest = -std::numeric_limits<float>::infinity();

template <typename T> class forward_pooling
{
  public:
    void run_rows(const pooling_grid& grid, const pooling_window& p, const image<const T>& from, blend_factors factors,
                  const image<T>& y, range rows)
    {
        const image<const T> x = with_consecutive_channels(from, grid, packed_);
        taps_.reserve(grid);
        values_.resize(static_cast<size_t>(grid.channels));
        for (int64_t oh = rows.begin; oh < rows.end; ++oh)
            for (int64_t ow = 0; ow < grid.columns.out; ++ow) {
                taps_.find(grid, x, oh, ow);
                float* const values = pixel_values(y.at(oh, ow), y.c_stride, factors, values_);
                std::fill_n(values, grid.channels, is_max(p.mode) ? k_lowest : 0.0f);
                for_each_pass(taps_.count(), [&](int64_t first, auto n) {
                    const T* const* const taps = taps_.addresses(first);
                    if (!is_max(p.mode))
                        fold_sums<T, n>(taps, values, grid.channels);
                    else if (p.propagate_nan)
                        fold_maxima<T, true, n>(taps, values, grid.channels);
                    else
                        fold_maxima<T, false, n>(taps, values, grid.channels);
                });
                const float factor = is_max(p.mode)
                                         ? factors.alpha
                                         : factors.alpha / static_cast<float>(grid.divisor(p.mode, taps_.count()));
                store_pixel(values, factor, factors.beta, y.at(oh, ow), y.c_stride, grid.channels);
            }
    }

  private:
    window_taps<T> taps_;
    std::vector<float> values_;
    std::vector<T> packed_;
};

template <typename T> class backward_pooling
{
  public:
    // Writes the rows of dx once each, from what the output rows above them give back.
    void run_rows(const pooling_grid& grid, const pooling_window& p, const image<const T>& y, const image<const T>& dy,
                  const image<const T>& from, blend_factors factors, const image<T>& dx, range rows)
    {
        const image<const T> x = is_max(p.mode) ? with_consecutive_channels(from, grid, packed_) : from;
        kept_rows_ = grid.rows.most_outputs();
        const auto elements = static_cast<size_t>(kept_rows_ * grid.columns.out * grid.channels);
        gradients_.resize(elements);
        places_.resize(is_max(p.mode) ? elements : 0);
        taps_.reserve(grid);
        values_.resize(static_cast<size_t>(grid.channels));
        output_columns_.clear();
        for (int64_t w = 0; w < grid.columns.in; ++w)
            output_columns_.push_back(grid.columns.outputs(w));
        int64_t next = grid.rows.outputs(rows.begin).begin; // the output row to come
        for (int64_t h = rows.begin; h < rows.end; ++h) {
            for (; next < grid.rows.outputs(h).end; ++next)
                for (int64_t ow = 0; ow < grid.columns.out; ++ow)
                    share_out(grid, p, x, y, dy, next, ow);
            const range outputs = grid.rows.outputs(h);
            for (int64_t w = 0; w < grid.columns.in; ++w) {
                float* const values = pixel_values(dx.at(h, w), dx.c_stride, factors, values_);
                collect_shares(grid, p, h, w, outputs, output_columns_[static_cast<size_t>(w)], values);
                store_pixel(values, factors.alpha, factors.beta, dx.at(h, w), dx.c_stride, grid.channels);
            }
        }
    }

  private:
    int64_t offset(const pooling_grid& grid, int64_t oh, int64_t ow) const
    {
        return (oh % kept_rows_ * grid.columns.out + ow) * grid.channels;
    }

    void share_out(const pooling_grid& grid, const pooling_window& p, const image<const T>& x, const image<const T>& y,
                   const image<const T>& dy, int64_t oh, int64_t ow)
    {
        float* const gradients = gradients_.data() + offset(grid, oh, ow);
        load_pixel(dy.at(oh, ow), dy.c_stride, gradients, grid.channels);
        taps_.find(grid, x, oh, ow);
        if (!is_max(p.mode)) {
            scale(1.0f / static_cast<float>(grid.divisor(p.mode, taps_.count())), gradients, grid.channels);
            return;
        }
        int32_t* const places = places_.data() + offset(grid, oh, ow);
        const bool finds_equals = p.mode == pooling_mode::max_equal_to_output;
        if (finds_equals)
            load_pixel(y.at(oh, ow), y.c_stride, values_.data(), grid.channels);
        else
            std::fill(values_.begin(), values_.end(), k_lowest);
        std::fill_n(places, grid.channels, finds_equals ? -1 : *taps_.places());
        for_each_pass(taps_.count(), [&](int64_t first, auto n) {
            const T* const* const taps = taps_.addresses(first);
            const int32_t* const tap_places = taps_.places(first);
            if (finds_equals)
                fold_equals<T, n>(taps, tap_places, values_.data(), places, grid.channels);
            else if (p.propagate_nan)
                fold_places<T, true, n>(taps, tap_places, values_.data(), places, grid.channels);
            else
                fold_places<T, false, n>(taps, tap_places, values_.data(), places, grid.channels);
        });
    }

    // The gradient of one input: from the windows that hold it, in row-major order.
    void collect_shares(const pooling_grid& grid, const pooling_window& p, int64_t h, int64_t w, range rows,
                        range columns, float* gradients)
    {
        shares_.clear();
        for (int64_t oh = rows.begin; oh < rows.end; ++oh) {
            const int64_t row = offset(grid, oh, 0);
            for (int64_t ow = columns.begin; ow < columns.end; ++ow) {
                const int64_t at = row + ow * grid.channels;
                shares_.push_back({gradients_.data() + at, places_.data() + at});
            }
        }
        std::fill_n(gradients, grid.channels, 0.0f);
        for_each_pass(static_cast<int64_t>(shares_.size()), [&](int64_t first, auto n) {
            if (is_max(p.mode))
                collect<true, n>(shares_.data() + first, grid.place(h, w), gradients, grid.channels);
            else
                collect<false, n>(shares_.data() + first, grid.place(h, w), gradients, grid.channels);
        });
    }

    window_taps<T> taps_;
    std::vector<output_share> shares_;
    std::vector<range> output_columns_;     // of every input column
    int64_t kept_rows_ = 0;                 // output rows whose windows can hold one input row
    std::vector<float> gradients_, values_; // (kept_rows, columns.out, channels); (channels)
    std::vector<int32_t> places_;
    std::vector<T> packed_;
};

// body(n, rows) over all rows of all images, in parallel: whole images, or parts where the images are too few for the
// threads. The parts don't change the result.
template <typename Body> void for_each_part(int64_t images, int64_t rows, Body&& body)
{
    const int64_t parts = std::min(rows, (4 * thread_count() + images - 1) / images);
    parallel_for(images * parts, [&](int64_t index) {
        const int64_t part = index % parts;
        body(index / parts, range{rows * part / parts, rows * (part + 1) / parts});
    });
}

} // namespace

void pool_forward(const pooling_window& window, const input_tensor& x, blend_factors factors, const output_tensor& y)
{
    const pooling_grid grid(window, x.view.dims, y.view.dims);
    visit(x.view.type, [&](auto element) {
        using T = decltype(element);
        for_each_part(x.view.dims[0], grid.rows.out, [&](int64_t n, range rows) {
            thread_local forward_pooling<T> pooling;
            pooling.run_rows(grid, window, image_of<const T>(x, n), factors, image_of<T>(y, n), rows);
        });
    });
}

void pool_backward(const pooling_window& window, const input_tensor& y, const input_tensor& dy, const input_tensor& x,
                   blend_factors factors, const output_tensor& dx)
{
    const pooling_grid grid(window, x.view.dims, y.view.dims);
    visit(x.view.type, [&](auto element) {
        using T = decltype(element);
        for_each_part(x.view.dims[0], grid.rows.in, [&](int64_t n, range rows) {
            thread_local backward_pooling<T> pooling;
            pooling.run_rows(grid, window, image_of<const T>(y, n), image_of<const T>(dy, n), image_of<const T>(x, n),
                             factors, image_of<T>(dx, n), rows);
        });
    });
}

} // namespace nin::host
