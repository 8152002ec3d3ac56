// kernels/input.cu against a resize that keeps every intermediate image; every comparison is exact.
#include "kernel_launch.h"

#include <algorithm>

namespace nin::tests
{
namespace
{

// Pillow's bilinear coefficients for one axis: a triangle of half-width max(in / out, 1), in units of 2^-22.
struct axis_table {
    std::vector<int32_t> bounds, weights;
    int32_t taps = 0;
};

axis_table make_table(int32_t in, int32_t out)
{
    const double scale = static_cast<double>(in) / out, radius = std::max(scale, 1.0);
    axis_table table;
    table.taps = in == out ? 1 : 2 * static_cast<int32_t>(std::ceil(radius)) + 1;
    for (int32_t o = 0; o < out; ++o) {
        const double centre = (o + 0.5) * scale;
        int32_t first = std::max(static_cast<int32_t>(centre - radius + 0.5), 0);
        int32_t end = std::min(static_cast<int32_t>(centre + radius + 0.5), in);
        if (in == out) {
            first = o;
            end = o + 1;
        }
        std::vector<double> w;
        double sum = 0;
        for (int32_t i = first; i < end; ++i) {
            w.push_back(in == out ? 1.0 : std::max(0.0, 1.0 - std::abs(i - centre + 0.5) / radius));
            sum += w.back();
        }
        table.bounds.push_back(first);
        table.bounds.push_back(end - first);
        for (int32_t k = 0; k < table.taps; ++k)
            table.weights.push_back(
                k < end - first ? static_cast<int32_t>(std::lround(w[static_cast<size_t>(k)] / sum * (1 << 22))) : 0);
    }
    return table;
}

int clamped_byte(int64_t sum)
{
    return static_cast<int>(std::clamp<int64_t>((sum + (1 << 21)) >> 22, 0, 255));
}

struct input_case {
    int32_t count, height, width, channels, out_height, out_width;
    std::vector<int32_t> indices;
};

template <typename Type> class kernel_input : public kernel_test
{
  protected:
    using storage = typename Type::storage;

    static void expect_resized(const input_case& c)
    {
        SCOPED_TRACE(testing::Message() << c.height << "x" << c.width << "x" << c.channels << " to " << c.out_height
                                        << "x" << c.out_width);
        const axis_table rows = make_table(c.height, c.out_height), columns = make_table(c.width, c.out_width);
        const auto at = [&](int64_t sample, int64_t row, int64_t column, int64_t channel, int64_t height,
                            int64_t width) {
            return static_cast<size_t>(((sample * height + row) * width + column) * c.channels + channel);
        };
        std::mt19937 generator(9);
        std::vector<uint8_t> images(at(c.count, 0, 0, 0, c.height, c.width));
        for (uint8_t& pixel : images)
            pixel = static_cast<uint8_t>(generator() % 8 < 2 ? generator() % 2 * 255 : generator());
        std::vector<float> mean, inverse_std;
        for (int32_t channel = 0; channel < c.channels; ++channel) {
            mean.push_back(0.1f * static_cast<float>(channel + 1));
            inverse_std.push_back(3.0f + static_cast<float>(channel));
        }

        std::vector<double> expected;
        for (const int32_t index : c.indices) {
            const bool is_valid = index >= 0 && index < c.count;
            std::vector<int> wide(at(1, 0, 0, 0, c.height, c.out_width));
            for (int32_t row = 0; is_valid && row < c.height; ++row)
                for (int32_t column = 0; column < c.out_width; ++column)
                    for (int32_t channel = 0; channel < c.channels; ++channel) {
                        int64_t sum = 0;
                        for (int32_t k = 0; k < columns.bounds[2 * column + 1]; ++k)
                            sum += int64_t{columns.weights[column * columns.taps + k]} *
                                   images[at(index, row, columns.bounds[2 * column] + k, channel, c.height, c.width)];
                        wide[at(0, row, column, channel, c.height, c.out_width)] = clamped_byte(sum);
                    }
            for (int32_t row = 0; row < c.out_height; ++row)
                for (int32_t column = 0; column < c.out_width; ++column)
                    for (int32_t channel = 0; channel < c.channels; ++channel) {
                        int64_t sum = 0;
                        for (int32_t k = 0; k < rows.bounds[2 * row + 1]; ++k)
                            sum += int64_t{rows.weights[row * rows.taps + k]} *
                                   wide[at(0, rows.bounds[2 * row] + k, column, channel, c.height, c.out_width)];
                        const float centred = static_cast<float>(clamped_byte(sum)) / 255.0f - mean[channel];
                        expected.push_back(is_valid ? Type::rounded(centred * inverse_std[channel]) : NAN);
                    }
        }

        const device_array<uint8_t> device_images(images);
        const device_array<int32_t> indices(c.indices), row_bounds(rows.bounds), row_weights(rows.weights),
            column_bounds(columns.bounds), column_weights(columns.weights);
        const device_array<float> device_mean(mean), device_inverse_std(inverse_std);
        const device_array<storage> y(expected.size());
        launch("input", std::string("input_forward_") + Type::name, 13, 256, device_images.address(), indices.address(),
               row_bounds.address(), row_weights.address(), column_bounds.address(), column_weights.address(),
               device_mean.address(), device_inverse_std.address(), y.address(), c.count,
               static_cast<int32_t>(c.indices.size()), c.height, c.width, c.channels, c.out_height, c.out_width,
               rows.taps, columns.taps);
        expect_elements<Type>(y.download(), expected);
    }
};
TYPED_TEST_SUITE(kernel_input, element_types);

TYPED_TEST(kernel_input, resized_batch_equals_the_two_pass_reference)
{
    this->expect_resized({5, 28, 28, 1, 224, 224, {4, 0, 2}});
    // This batch is enough for several threads.
    this->expect_resized({5, 28, 28, 1, 224, 224, {4, 0, 2, 3, 1, 0, 4, 4, 1, 2, 3}});
    this->expect_resized({3, 28, 28, 1, 28, 28, {2, 1}});
    this->expect_resized({3, 28, 28, 1, 14, 14, {0, 0, 2, 1}});
    this->expect_resized({4, 9, 13, 3, 31, 22, {3, 1, 2, 0, 0}});
    this->expect_resized({2, 32, 20, 3, 11, 50, {1}});
    this->expect_resized({2, 1, 1, 2, 3, 5, {1, 0}});
    this->expect_resized({2, 16, 40, 1, 16, 7, {1, 0}});
}

TYPED_TEST(kernel_input, sample_with_an_index_outside_the_set_is_nan)
{
    this->expect_resized({3, 6, 5, 2, 9, 8, {0, -1, 2, 3, 1, -2147483647 - 1, 2147483647}});
}

using kernel_input_f32 = kernel_test;

// Weights of 2, -1 and 1, as a filter with overshoot would have.
TEST_F(kernel_input_f32, each_pass_clamps_to_a_byte)
{
    const int32_t one = 1 << 22;
    const device_array<uint8_t> images(std::vector<uint8_t>{200});
    const device_array<int32_t> indices(std::vector<int32_t>{0}), row_bounds({0, 1}),
        row_weights(std::vector<int32_t>{one}), column_bounds({0, 1, 0, 1, 0, 1}), column_weights({2 * one, -one, one});
    const device_array<float> mean(std::vector<float>{0.0f}), inverse_std(std::vector<float>{255.0f}), y(3);
    launch("input", "input_forward_f32", 1, 256, images.address(), indices.address(), row_bounds.address(),
           row_weights.address(), column_bounds.address(), column_weights.address(), mean.address(),
           inverse_std.address(), y.address(), int32_t{1}, int32_t{1}, int32_t{1}, int32_t{1}, int32_t{1}, int32_t{1},
           int32_t{3}, int32_t{1}, int32_t{1});
    EXPECT_EQ(y.download(), (std::vector<float>{255.0f, 0.0f, 200.0f / 255.0f * 255.0f}));
}

} // namespace
} // namespace nin::tests
