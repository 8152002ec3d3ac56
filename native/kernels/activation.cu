// The backward pass of bias + ReLU: the gradient is masked where the activation is off, and summed for the bias.
//
// entry (T = f32, f16, bf16)   parameters, in order
// relu_bias_backward_T         const T* y (rows, channels), T* dy (rows, channels), float* partial (tiles, channels),
//                              int64 rows, int32 channels, int32 rows_per_tile
// bias_reduce_T                const float* partial (tiles, channels), T* db (channels), int32 tiles, int32 channels
//
// relu_bias_backward: dy stays where y > 0 or y is NaN, and becomes 0 elsewhere (as in PyTorch). A tile is
// rows_per_tile consecutive rows, the last may be shorter: tiles = ceil(rows / rows_per_tile). partial[tile][c] is the
// float sum of the tile's masked dy in the order of the rows. bias_reduce: db[c] = sum of partial[tile][c] over the
// tiles, in float: 32 sums over tiles i, i + 32, … in order, then added as a tree (device.h).
//
// Launch: any. relu_bias_backward is meant for blocks of 256 threads, one thread for a tile's column of 16 bytes (where
// channels and pointers are multiples of 16 bytes, else of one element); several hundred tiles keep a GPU busy.
// bias_reduce is meant for blocks of 128 threads, one warp a channel (at least 32 threads a block).
#include "numeric_types.h"

namespace nin::kernels
{
namespace
{

// 0 where the tile's size makes no sense.
__device__ __forceinline__ int64_t tile_count(int64_t rows, int32_t rows_per_tile)
{
    return rows_per_tile > 0 ? rows / rows_per_tile + (rows % rows_per_tile > 0 ? 1 : 0) : 0;
}

template <typename T> __device__ __forceinline__ T masked(T y, T dy)
{
    const bool is_off = to_f32(y) <= 0.0f; // false for NaN
    return is_off ? T{} : dy;
}

#if NIN_HOST

// Masks consecutive elements; gradients gets the result as floats.
template <typename T> __forceinline__ void mask_elements(const T* y, T* dy, float* gradients, int64_t count)
{
    NIN_INDEPENDENT_ITEMS
    for (int64_t i = 0; i < count; ++i) {
        const T gradient = masked(y[i], dy[i]);
        dy[i] = gradient;
        gradients[i] = to_f32(gradient);
    }
}

template <typename T>
__forceinline__ void relu_bias_backward(const T* y, T* dy, float* partial, int64_t rows, int32_t channels,
                                        int32_t rows_per_tile)
{
    // Along the rows, as they lie in memory, a piece at a time: a piece is masked in one run, so that a few channels
    // fill the vectors too, and then added to the tile's sums. Each sum still takes its rows in order.
    constexpr int piece = 1024;
    float gradients[piece];
    const item_range tiles = share_of(tile_count(rows, rows_per_tile));
    for (int64_t tile = tiles.begin; tile < tiles.end; ++tile) {
        float* const sums = partial + tile * channels;
        for (int32_t c = 0; c < channels; ++c)
            sums[c] = 0.0f;
        const int64_t first_row = tile * rows_per_tile;
        const int64_t end_row = first_row + rows_per_tile < rows ? first_row + rows_per_tile : rows;
        int64_t channel = 0;
        for (int64_t i = first_row * channels; i < end_row * channels; i += piece) {
            const int64_t left = end_row * channels - i, count = left < piece ? left : piece;
            mask_elements(y + i, dy + i, gradients, count);
            for (int64_t j = 0; j < count;) {
                const int64_t row_left = channels - channel, run = count - j < row_left ? count - j : row_left;
                for (int64_t k = 0; k < run; ++k)
                    sums[channel + k] += gradients[j + k];
                j += run;
                channel = run == row_left ? 0 : channel + run;
            }
        }
    }
}

template <typename T> __forceinline__ void bias_reduce(const float* partial, T* db, int32_t tiles, int32_t channels)
{
    // The lanes' sums of a few channels side by side, so that reading runs along the rows of partial.
    constexpr int width = 16;
    const item_range groups = share_of((channels + width - 1) / width);
    for (int64_t group = groups.begin; group < groups.end; ++group) {
        const int32_t first = static_cast<int32_t>(group) * width;
        const int32_t count = channels - first < width ? channels - first : width;
        float sums[k_warp_size][width] = {};
        for (int32_t tile = 0; tile < tiles; ++tile)
            for (int32_t c = 0; c < count; ++c)
                sums[tile % k_warp_size][c] += partial[static_cast<int64_t>(tile) * channels + first + c];
        for (int32_t c = 0; c < count; ++c) {
            per_lane<float> lanes;
            for_each_lane([&](int lane) NIN_INLINE_LAMBDA { lanes[lane] = sums[lane][c]; });
            db[first + c] = from_f32<T>(reduce_sum(lanes));
        }
    }
}

#else

constexpr int k_rows_in_flight = 4;

// A thread's channels, loaded and stored at once.
template <typename T, int width> struct alignas(sizeof(T) * width) channel_vector {
    T values[width];
};

template <int width, typename T>
__device__ __forceinline__ void relu_bias_backward_columns(const T* y, T* dy, float* partial, int64_t rows,
                                                           int32_t channels, int32_t rows_per_tile)
{
    using vector = channel_vector<T, width>;
    const int32_t columns = channels / width;
    const int64_t tiles = tile_count(rows, rows_per_tile);
    for_each_item(tiles * columns, [=](int64_t item) {
        const int64_t tile = item / columns;
        const int64_t channel = (item - tile * columns) * width;
        const int64_t first = tile * rows_per_tile, end = first + rows_per_tile < rows ? first + rows_per_tile : rows;
        float sums[width] = {};
        for (int64_t row = first; row < end; row += k_rows_in_flight) {
            // All loads come before the first store, behind which the compiler could not move them.
            vector y_vectors[k_rows_in_flight] = {}, dy_vectors[k_rows_in_flight] = {};
#pragma unroll
            for (int r = 0; r < k_rows_in_flight; ++r) {
                if (row + r < end) {
                    const int64_t offset = (row + r) * channels + channel;
                    y_vectors[r] = *reinterpret_cast<const vector*>(y + offset);
                    dy_vectors[r] = *reinterpret_cast<const vector*>(dy + offset);
                }
            }
#pragma unroll
            for (int r = 0; r < k_rows_in_flight; ++r) {
                if (row + r < end) {
#pragma unroll
                    for (int i = 0; i < width; ++i) {
                        T& gradient = dy_vectors[r].values[i];
                        gradient = masked(y_vectors[r].values[i], gradient);
                        sums[i] += to_f32(gradient);
                    }
                    *reinterpret_cast<vector*>(dy + (row + r) * channels + channel) = dy_vectors[r];
                }
            }
        }
#pragma unroll
        for (int i = 0; i < width; ++i)
            partial[tile * channels + channel + i] = sums[i];
    });
}

template <typename T>
__device__ __forceinline__ void relu_bias_backward(const T* y, T* dy, float* partial, int64_t rows, int32_t channels,
                                                   int32_t rows_per_tile)
{
    constexpr int width = 16 / sizeof(T);
    const bool is_aligned = (reinterpret_cast<uintptr_t>(y) | reinterpret_cast<uintptr_t>(dy)) % 16 == 0;
    if (is_aligned && channels % width == 0)
        relu_bias_backward_columns<width>(y, dy, partial, rows, channels, rows_per_tile);
    else
        relu_bias_backward_columns<1>(y, dy, partial, rows, channels, rows_per_tile);
}

template <typename T>
__device__ __forceinline__ void bias_reduce(const float* partial, T* db, int32_t tiles, int32_t channels)
{
    for_each_warp_item(channels, [=](int64_t c) {
        per_lane<float> lanes;
        for_each_lane([&](int lane) {
            float sum = 0.0f;
#pragma unroll 4
            for (int64_t tile = lane; tile < tiles; tile += k_warp_size)
                sum += partial[tile * channels + c];
            lanes[lane] = sum;
        });
        const float total = reduce_sum(lanes);
        for_each_lane([&](int lane) {
            if (lane == 0)
                db[c] = from_f32<T>(total);
        });
    });
}

#endif

} // namespace

#define NIN_ACTIVATION_KERNELS(T)                                                                                      \
    extern "C" __global__ void relu_bias_backward_##T(const T* __restrict__ y, T* __restrict__ dy,                     \
                                                      float* __restrict__ partial, int64_t rows, int32_t channels,     \
                                                      int32_t rows_per_tile)                                           \
    {                                                                                                                  \
        relu_bias_backward(y, dy, partial, rows, channels, rows_per_tile);                                             \
    }                                                                                                                  \
    extern "C" __global__ void bias_reduce_##T(const float* __restrict__ partial, T* __restrict__ db, int32_t tiles,   \
                                               int32_t channels)                                                       \
    {                                                                                                                  \
        bias_reduce(partial, db, tiles, channels);                                                                     \
    }

NIN_ACTIVATION_KERNELS(f32)
NIN_ACTIVATION_KERNELS(f16)
NIN_ACTIVATION_KERNELS(bf16)
#undef NIN_ACTIVATION_KERNELS

} // namespace nin::kernels
