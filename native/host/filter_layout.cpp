#include "host/filter_layout.h"

#include "host/parallel.h"

namespace nin::host
{
namespace
{

template <typename T> void arrange(const T* src, const filter_shape& shape, filter_arrangement arrangement, T* dst)
{
    const auto [outer, inner, r, s, channels_last] = shape;
    const bool rotate = arrangement != filter_arrangement::transposed;
    const bool transpose = arrangement != filter_arrangement::rotated;
    const int64_t taps = r * s;
    // Element strides in both filters, for the source's axes.
    const int64_t src_tap = channels_last ? inner : 1, src_inner = channels_last ? 1 : taps;
    const int64_t src_outer = inner * taps;
    const int64_t dst_columns = transpose ? outer : inner;
    const int64_t dst_tap = channels_last ? dst_columns : 1, dst_column = channels_last ? 1 : taps;
    const int64_t dst_row = dst_columns * taps;
    const int64_t dst_outer = transpose ? dst_column : dst_row, dst_inner = transpose ? dst_row : dst_column;
    // Squares of channels, so that reads and writes both stay within a few cache lines.
    constexpr int64_t k_square = 16;
    parallel_blocks(outer, k_square, [&](int64_t outer_begin, int64_t outer_end) {
        for (int64_t inner_begin = 0; inner_begin < inner; inner_begin += k_square)
            for (int64_t tap = 0; tap < taps; ++tap) {
                const T* const from = src + tap * src_tap;
                T* const to = dst + (rotate ? taps - 1 - tap : tap) * dst_tap;
                for (int64_t i = inner_begin; i < std::min(inner, inner_begin + k_square); ++i)
                    for (int64_t o = outer_begin; o < outer_end; ++o)
                        to[o * dst_outer + i * dst_inner] = from[o * src_outer + i * src_inner];
            }
    });
}

} // namespace

void arrange_filter(element_type type, const void* src, const filter_shape& shape, filter_arrangement arrangement,
                    void* dst)
{
    visit(type, [&](auto element) {
        using T = decltype(element);
        arrange(static_cast<const T*>(src), shape, arrangement, static_cast<T*>(dst));
    });
}

} // namespace nin::host
