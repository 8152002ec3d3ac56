// The network's input: gathers the batch's images, resizes them bilinearly, scales to [0, 1], normalises and converts.
//
// entry (T = f32, f16, bf16)   parameters, in order
// input_forward_T              const uint8* images (count, height, width, channels), const int32* indices (n),
//                              const int32* row_bounds (out_height, 2), const int32* row_weights (out_height,
//                              row_taps), const int32* column_bounds (out_width, 2), const int32* column_weights
//                              (out_width, column_taps), const float* mean (channels), const float* inverse_std
//                              (channels), T* y (n, out_height, out_width, channels), int32 count, int32 n, int32
//                              height, int32 width, int32 channels, int32 out_height, int32 out_width, int32 row_taps,
//                              int32 column_taps
//
// The resize is Pillow's for 8-bit images, to the bit. bounds[o] = (first source position, number of taps), the taps
// lie inside the image and are at most row_taps or column_taps; weights[o][k] is tap k's weight times 2^22, rounded to
// an integer; a position's weights sum to about 2^22, so that no sum leaves 32 bits. The horizontal pass comes first,
// and each pass rounds to 8 bits: v = clamp((sum of weight * source + 2^21) >> 22, 0, 255). Then
//   y = (v / 255 - mean[c]) * inverse_std[c], with a true division, rounded to T.
// A sample whose index lies outside 0 … count - 1 becomes NaN.
//
// input_augmented changes each sample as its image_augmentation (augmentation.cu) says: pixel (row, column) of the
// stored image becomes pixel (row + row_shift, column + column_shift), which is black outside; the resized image is
// flipped horizontally; and in the flipped one the erased rectangle, which lies inside, becomes black. Black is v = 0,
// before the normalisation.
//
// Launch: any; meant for blocks of 256 threads, one block for an output row.
#include "image_augmentation.h"
#include "numeric_types.h"

#if NIN_HOST
#include <vector>
#endif

namespace nin::kernels
{
namespace
{

constexpr int k_weight_bits = 22;

// The shape of a resize and its tables; positions are those of one axis.
struct resize_axis {
    const int32_t* bounds;
    const int32_t* weights;
    int32_t taps;

    __device__ __forceinline__ int32_t first(int32_t position) const { return bounds[2 * position]; }
    __device__ __forceinline__ int32_t tap_count(int32_t position) const { return bounds[2 * position + 1]; }
    __device__ __forceinline__ int32_t weight(int32_t position, int32_t tap) const
    {
        return weights[static_cast<int64_t>(position) * taps + tap];
    }
};

__device__ __forceinline__ int32_t rounded_to_byte(int32_t weighted_sum)
{
    const int32_t value = (weighted_sum + (1 << (k_weight_bits - 1))) >> k_weight_bits;
    return value < 0 ? 0 : value > 255 ? 255 : value;
}

// What happens to a sample on the way: nothing, all of which the compiler leaves out, or …
struct unchanged {
    __device__ __forceinline__ unchanged(const image_augmentation*, int64_t) {}
    __device__ __forceinline__ int32_t shifted_row(int32_t row) const { return row; }
    __device__ __forceinline__ int32_t shifted_column(int32_t column) const { return column; }
    __device__ __forceinline__ bool is_inside(int64_t, int32_t) const { return true; }
    __device__ __forceinline__ int32_t flipped(int32_t out_column, int32_t) const { return out_column; }
    __device__ __forceinline__ bool is_erased(int32_t, int32_t) const { return false; }
};

// … what its image_augmentation says.
class augmented
{
  public:
    __device__ __forceinline__ augmented(const image_augmentation* augmentations, int64_t sample)
        : change_(augmentations[sample])
    {
    }

    __device__ __forceinline__ int32_t shifted_row(int32_t row) const { return row + change_.row_shift; }
    __device__ __forceinline__ int32_t shifted_column(int32_t column) const { return column + change_.column_shift; }
    __device__ __forceinline__ bool is_inside(int64_t position, int32_t extent) const
    {
        return position >= 0 && position < extent;
    }
    __device__ __forceinline__ int32_t flipped(int32_t out_column, int32_t out_width) const
    {
        return change_.is_flipped ? out_width - 1 - out_column : out_column;
    }
    __device__ __forceinline__ bool is_erased(int32_t out_row, int32_t out_column) const
    {
        const int32_t row = out_row - change_.erased_row, column = out_column - change_.erased_column;
        return row >= 0 && row < change_.erased_height && column >= 0 && column < change_.erased_width;
    }

  private:
    image_augmentation change_;
};

// One value of the horizontal pass: source is a row (width, channels).
template <typename Change>
__device__ __forceinline__ int32_t resized_in_row(const uint8_t* source, int32_t width, const resize_axis& columns,
                                                  int32_t column, int32_t channels, int32_t channel,
                                                  const Change& change)
{
    const int64_t first = change.shifted_column(columns.first(column));
    int32_t sum = 0;
    for (int32_t tap = 0; tap < columns.tap_count(column); ++tap)
        if (change.is_inside(first + tap, width))
            sum += columns.weight(column, tap) * source[(first + tap) * channels + channel];
    return rounded_to_byte(sum);
}

__device__ __forceinline__ float normalised(int32_t value, float mean, float inverse_std)
{
    return (static_cast<float>(value) / 255.0f - mean) * inverse_std;
}

#if NIN_HOST

template <typename Change, typename T>
__forceinline__ void input_forward(const image_augmentation* augmentations, const uint8_t* images,
                                   const int32_t* indices, resize_axis rows, resize_axis columns, const float* mean,
                                   const float* inverse_std, T* y, int32_t count, int32_t n, int32_t height,
                                   int32_t width, int32_t channels, int32_t out_height, int32_t out_width)
{
    // Each source row is resized horizontally once; the vertical pass then runs along whole rows.
    const int64_t row_elements = static_cast<int64_t>(out_width) * channels;
    std::vector<uint8_t> resized_rows(static_cast<size_t>(height * row_elements));
    std::vector<int32_t> sums(static_cast<size_t>(row_elements));
    std::vector<float> means(static_cast<size_t>(row_elements)), inverse_stds(static_cast<size_t>(row_elements));
    for (int64_t j = 0; j < row_elements; ++j) {
        means[j] = mean[j % channels];
        inverse_stds[j] = inverse_std[j % channels];
    }

    const item_range samples = share_of(n);
    for (int64_t sample = samples.begin; sample < samples.end; ++sample) {
        T* const sample_y = y + sample * out_height * row_elements;
        const int32_t index = indices[sample];
        if (index < 0 || index >= count) {
            for (int64_t j = 0; j < out_height * row_elements; ++j)
                sample_y[j] = from_f32<T>(quiet_nan());
            continue;
        }
        const Change change(augmentations, sample);
        const uint8_t* const image = images + static_cast<int64_t>(index) * height * width * channels;
        for (int32_t row = 0; row < height; ++row) {
            const int32_t source_row = change.shifted_row(row);
            const uint8_t* const source = image + static_cast<int64_t>(source_row) * width * channels;
            uint8_t* const resized = &resized_rows[row * row_elements];
            if (!change.is_inside(source_row, height)) {
                for (int64_t j = 0; j < row_elements; ++j)
                    resized[j] = 0;
                continue;
            }
            for (int32_t column = 0; column < out_width; ++column)
                for (int32_t channel = 0; channel < channels; ++channel)
                    resized[static_cast<int64_t>(change.flipped(column, out_width)) * channels + channel] =
                        static_cast<uint8_t>(resized_in_row(source, width, columns, column, channels, channel, change));
        }
        for (int32_t out_row = 0; out_row < out_height; ++out_row) {
            for (int64_t j = 0; j < row_elements; ++j)
                sums[j] = 0;
            for (int32_t tap = 0; tap < rows.tap_count(out_row); ++tap) {
                const uint8_t* const source = &resized_rows[(rows.first(out_row) + tap) * row_elements];
                const int32_t weight = rows.weight(out_row, tap);
                for (int64_t j = 0; j < row_elements; ++j)
                    sums[j] += weight * source[j];
            }
            for (int32_t column = 0; column < out_width; ++column)
                for (int32_t channel = 0; change.is_erased(out_row, column) && channel < channels; ++channel)
                    sums[static_cast<int64_t>(column) * channels + channel] = 0;
            T* const row_y = sample_y + out_row * row_elements;
            for (int64_t j = 0; j < row_elements; ++j)
                row_y[j] = from_f32<T>(normalised(rounded_to_byte(sums[j]), means[j], inverse_stds[j]));
        }
    }
}

#else

template <typename Change, typename T>
__device__ __forceinline__ void
input_forward(const image_augmentation* augmentations, const uint8_t* images, const int32_t* indices, resize_axis rows,
              resize_axis columns, const float* mean, const float* inverse_std, T* y, int32_t count, int32_t n,
              int32_t height, int32_t width, int32_t channels, int32_t out_height, int32_t out_width)
{
    const int64_t row_elements = static_cast<int64_t>(out_width) * channels;
    for (int64_t y_row = block_index(); y_row < static_cast<int64_t>(n) * out_height; y_row += grid_size()) {
        const int64_t sample = y_row / out_height;
        const int32_t out_row = static_cast<int32_t>(y_row - sample * out_height);
        const int32_t index = indices[sample];
        const bool is_valid = index >= 0 && index < count;
        const Change change(augmentations, sample);
        const int64_t first_row = change.shifted_row(rows.first(out_row));
        const int64_t image_row = static_cast<int64_t>(index) * height;
        for (int64_t j = thread_index(); j < row_elements; j += block_size()) {
            // A row has fewer than 2^31 elements unless a single image has more than 2 GiB.
            const int32_t column = static_cast<int32_t>(j) / channels;
            const int32_t channel = static_cast<int32_t>(j) - column * channels;
            float value = quiet_nan();
            if (is_valid) {
                int32_t sum = 0;
                const int32_t taps = change.is_erased(out_row, column) ? 0 : rows.tap_count(out_row);
                for (int32_t tap = 0; tap < taps; ++tap) {
                    if (!change.is_inside(first_row + tap, height))
                        continue; // black stays black in the horizontal pass
                    const uint8_t* const source = images + (image_row + first_row + tap) * width * channels;
                    sum += rows.weight(out_row, tap) * resized_in_row(source, width, columns,
                                                                      change.flipped(column, out_width), channels,
                                                                      channel, change);
                }
                value = normalised(rounded_to_byte(sum), mean[channel], inverse_std[channel]);
            }
            y[y_row * row_elements + j] = from_f32<T>(value);
        }
    }
}

#endif

} // namespace

#define NIN_INPUT_KERNELS(T)                                                                                           \
    extern "C" __global__ void input_forward_##T(                                                                      \
        const uint8_t* __restrict__ images, const int32_t* __restrict__ indices,                                       \
        const int32_t* __restrict__ row_bounds, const int32_t* __restrict__ row_weights,                               \
        const int32_t* __restrict__ column_bounds, const int32_t* __restrict__ column_weights,                         \
        const float* __restrict__ mean, const float* __restrict__ inverse_std, T* __restrict__ y, int32_t count,       \
        int32_t n, int32_t height, int32_t width, int32_t channels, int32_t out_height, int32_t out_width,             \
        int32_t row_taps, int32_t column_taps)                                                                         \
    {                                                                                                                  \
        input_forward<unchanged>(nullptr, images, indices, {row_bounds, row_weights, row_taps},                        \
                                 {column_bounds, column_weights, column_taps}, mean, inverse_std, y, count, n, height, \
                                 width, channels, out_height, out_width);                                              \
    }                                                                                                                  \
    extern "C" __global__ void input_augmented_##T(                                                                    \
        const image_augmentation* __restrict__ augmentations, const uint8_t* __restrict__ images,                      \
        const int32_t* __restrict__ indices, const int32_t* __restrict__ row_bounds,                                   \
        const int32_t* __restrict__ row_weights, const int32_t* __restrict__ column_bounds,                            \
        const int32_t* __restrict__ column_weights, const float* __restrict__ mean,                                    \
        const float* __restrict__ inverse_std, T* __restrict__ y, int32_t count, int32_t n, int32_t height,            \
        int32_t width, int32_t channels, int32_t out_height, int32_t out_width, int32_t row_taps, int32_t column_taps) \
    {                                                                                                                  \
        input_forward<augmented>(augmentations, images, indices, {row_bounds, row_weights, row_taps},                  \
                                 {column_bounds, column_weights, column_taps}, mean, inverse_std, y, count, n, height, \
                                 width, channels, out_height, out_width);                                              \
    }

NIN_INPUT_KERNELS(f32)
NIN_INPUT_KERNELS(f16)
NIN_INPUT_KERNELS(bf16)
#undef NIN_INPUT_KERNELS

} // namespace nin::kernels
