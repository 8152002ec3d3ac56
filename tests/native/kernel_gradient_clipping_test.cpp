// kernels/gradient_clipping.cu against double precision.
#include "kernel_launch.h"

namespace nin::tests
{
namespace
{

template <typename Type> class kernel_gradient_clipping : public kernel_test
{
};
TYPED_TEST_SUITE(kernel_gradient_clipping, element_types);

TYPED_TEST(kernel_gradient_clipping, partial_sums_are_those_of_their_pieces)
{
    using storage = typename TypeParam::storage;
    // The largest count is enough for several threads.
    for (const auto& [count, per_sum] : {std::pair<int64_t, int64_t>{1, 32}, {100, 33}, {1000, 1024}, {300007, 4096}}) {
        SCOPED_TRACE(testing::Message() << count << " elements by " << per_sum);
        const std::vector<storage> gradient = random_elements<TypeParam>(static_cast<size_t>(count), 0.5, 3);
        const size_t pieces = static_cast<size_t>((count + per_sum - 1) / per_sum);
        std::vector<double> expected(pieces, 0.0);
        for (size_t i = 0; i < gradient.size(); ++i)
            expected[i / static_cast<size_t>(per_sum)] += std::pow(TypeParam::value(gradient[i]), 2);

        const device_array<storage> device_gradient(gradient);
        const device_array<double> partial(pieces);
        launch("gradient_clipping", std::string("gradient_square_sum_") + TypeParam::name, 3, 256,
               device_gradient.address(), partial.address(), count, per_sum);
        const std::vector<double> actual = partial.download();
        for (size_t p = 0; p < pieces; ++p)
            expect_near(actual[p], expected[p], 0, static_cast<double>(per_sum) * 0x1p-53, p);
    }
}

using kernel_gradient_clip_factor = kernel_test;

TEST_F(kernel_gradient_clip_factor, is_the_quotient_of_the_norms_up_to_1)
{
    // 40 sums of 10: the root is 20, and without the scale 5.
    const device_array<double> partial(std::vector<double>(40, 10.0));
    const device_array<kernels::step_state> state({{0.1f, 4.0f, 0, 0}});
    const device_array<float> factor(1);
    const std::pair<float, double> cases[] = {{1.0f, 1 / 5.000001}, {5.0f, 5 / 5.000001}, {5.5f, 1.0}};
    for (const auto& [max_norm, expected] : cases) {
        launch("gradient_clipping", "gradient_clip_factor", 2, 64, partial.address(), state.address(), factor.address(),
               int32_t{40}, max_norm);
        EXPECT_EQ(factor.download(), std::vector<float>{static_cast<float>(expected)});
    }
}

} // namespace
} // namespace nin::tests
