// kernels/activation.cu against plain loops in the documented order of summation; every comparison is exact.
#include "kernel_launch.h"

namespace nin::tests
{
namespace
{

template <typename Type> class kernel_activation : public kernel_test
{
  protected:
    using storage = typename Type::storage;

    void expect_masked_and_summed(int64_t rows, int32_t channels, int32_t rows_per_tile)
    {
        SCOPED_TRACE(testing::Message() << rows << " rows, " << channels << " channels, tiles of " << rows_per_tile);
        const size_t count = static_cast<size_t>(rows * channels);
        std::vector<storage> y = random_elements<Type>(count, 1.0, 1);
        const std::vector<storage> dy = random_elements<Type>(count, 1.0, 2);
        const double specials[] = {0.0, -0.0, NAN, INFINITY, -INFINITY, 1e-30, -1e-30};
        for (size_t i = 0; i < count; i += 5)
            y[i] = Type::encoded(specials[i / 5 % std::size(specials)]);

        const int64_t tiles = (rows + rows_per_tile - 1) / rows_per_tile;
        std::vector<double> masked(count), partial(static_cast<size_t>(tiles * channels));
        std::vector<float> sums(partial.size(), 0.0f);
        for (int64_t row = 0; row < rows; ++row)
            for (int32_t c = 0; c < channels; ++c) {
                const size_t i = static_cast<size_t>(row * channels + c);
                const double activation = Type::value(y[i]);
                masked[i] = activation > 0 || std::isnan(activation) ? Type::value(dy[i]) : 0.0;
                sums[static_cast<size_t>(row / rows_per_tile * channels + c)] += static_cast<float>(masked[i]);
            }
        for (size_t i = 0; i < sums.size(); ++i)
            partial[i] = sums[i];

        const device_array<storage> device_y(y), device_dy(dy);
        const device_array<float> device_partial(partial.size());
        launch("activation", std::string("relu_bias_backward_") + Type::name, 7, 256, device_y.address(),
               device_dy.address(), device_partial.address(), rows, channels, rows_per_tile);
        expect_elements<Type>(device_dy.download(), masked);
        expect_elements<f32_type>(device_partial.download(), partial);
    }

    void expect_reduced(int32_t tiles, int32_t channels)
    {
        SCOPED_TRACE(testing::Message() << tiles << " tiles, " << channels << " channels");
        const std::vector<float> partial = random_elements<f32_type>(static_cast<size_t>(tiles) * channels, 1.0, 3);
        std::vector<double> expected;
        for (int32_t c = 0; c < channels; ++c) {
            float lanes[32] = {};
            for (int32_t tile = 0; tile < tiles; ++tile)
                lanes[tile % 32] += partial[static_cast<size_t>(tile) * channels + c];
            for (int distance = 16; distance > 0; distance /= 2)
                for (int lane = 0; lane < distance; ++lane)
                    lanes[lane] += lanes[lane + distance];
            expected.push_back(Type::rounded(lanes[0]));
        }
        const device_array<float> device_partial(partial);
        const device_array<storage> db(static_cast<size_t>(channels));
        launch("activation", std::string("bias_reduce_") + Type::name, 3, 128, device_partial.address(), db.address(),
               tiles, channels);
        expect_elements<Type>(db.download(), expected);
    }
};
TYPED_TEST_SUITE(kernel_activation, element_types);

TYPED_TEST(kernel_activation, gradient_is_masked_and_summed_per_tile_in_row_order)
{
    this->expect_masked_and_summed(1, 1, 1);
    this->expect_masked_and_summed(25, 10, 8);
    this->expect_masked_and_summed(3200, 10, 64);
    this->expect_masked_and_summed(700, 7, 33);
    this->expect_masked_and_summed(300, 96, 32);
    this->expect_masked_and_summed(1001, 96, 500);
    this->expect_masked_and_summed(130, 384, 1000);
    this->expect_masked_and_summed(65, 17, 1);
}

TYPED_TEST(kernel_activation, tile_of_no_rows_does_nothing)
{
    using storage = typename TypeParam::storage;
    const std::vector<storage> values(8, TypeParam::encoded(1.0));
    const device_array<storage> y(values), dy(values);
    const device_array<float> partial(8);
    launch("activation", std::string("relu_bias_backward_") + TypeParam::name, 1, 256, y.address(), dy.address(),
           partial.address(), int64_t{2}, int32_t{4}, int32_t{0});
    expect_elements<TypeParam>(dy.download(), std::vector<double>(8, 1.0));
}

TYPED_TEST(kernel_activation, bias_gradient_is_the_sum_over_tiles_in_the_documented_order)
{
    this->expect_reduced(1, 1);
    this->expect_reduced(5, 10);
    this->expect_reduced(33, 96);
    this->expect_reduced(1000, 10);
    this->expect_reduced(777, 100);
    this->expect_reduced(64, 384);
    this->expect_reduced(3000, 100); // enough for several threads
}

} // namespace
} // namespace nin::tests
