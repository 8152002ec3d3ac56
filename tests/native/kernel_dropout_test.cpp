// kernels/dropout.cu against the documented random words.
#include "kernel_launch.h"

#include <array>

namespace nin::tests
{
namespace
{

using words = std::array<uint32_t, 4>;

words philox(words counter, std::array<uint32_t, 2> key)
{
    for (int round = 0; round < 10; ++round) {
        const uint64_t a = uint64_t{0xd2511f53} * counter[0], b = uint64_t{0xcd9e8d57} * counter[2];
        counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
                   static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
        key = {key[0] + 0x9e3779b9, key[1] + 0xbb67ae85};
    }
    return counter;
}

uint32_t word_of(int64_t element, uint64_t seed, uint32_t layer, uint64_t step)
{
    const words counter = {static_cast<uint32_t>(element / 4), layer, static_cast<uint32_t>(step),
                           static_cast<uint32_t>(step >> 32)};
    return philox(counter, {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)})[element % 4];
}

kernels::step_state state_at(uint64_t step)
{
    return {0.1f, 1.0f, static_cast<uint32_t>(step), static_cast<uint32_t>(step >> 32)};
}

TEST(philox_reference, known_counters_give_the_published_words)
{
    EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
    EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
    EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              (words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(philox_reference, documented_elements_give_the_documented_words)
{
    EXPECT_EQ(word_of(0, 42, 6, 0), 0x7fff8d7fu);
    EXPECT_EQ(word_of(5, 42, 6, 0), 0x95a52778u);
    EXPECT_EQ(word_of(3, 42, 6, 1), 0x7f72dc30u);
}

template <typename Type> class kernel_dropout : public kernel_test
{
};
TYPED_TEST_SUITE(kernel_dropout, element_types);

// Both directions, in and out of place, all tails, one and several threads.
TYPED_TEST(kernel_dropout, elements_are_kept_where_their_word_reaches_the_threshold)
{
    using storage = typename TypeParam::storage;
    const uint64_t seed = 0x0123456789abcdef, step = 0x0000000500000003;
    const uint32_t layer = 6, threshold = 0x60000000;
    const float scale = 1.6f;
    const device_array<kernels::step_state> state({state_at(step)});
    for (const int64_t count : {1, 2, 3, 4, 5, 63, 64, 1000, 200003}) {
        const std::vector<storage> x = random_elements<TypeParam>(static_cast<size_t>(count), 2.0, 7);
        std::vector<double> expected;
        for (int64_t i = 0; i < count; ++i) {
            const float scaled = static_cast<float>(TypeParam::value(x[i])) * scale;
            expected.push_back(word_of(i, seed, layer, step) >= threshold ? TypeParam::rounded(scaled) : 0.0);
        }

        const device_array<storage> device_x(x), y(x.size());
        launch("dropout", std::string("dropout_forward_") + TypeParam::name, 3, 64, device_x.address(), state.address(),
               y.address(), count, seed, layer, threshold, scale);
        expect_elements<TypeParam>(y.download(), expected);
        EXPECT_EQ(std::memcmp(device_x.download().data(), x.data(), x.size() * sizeof(storage)), 0);

        launch("dropout", std::string("dropout_backward_") + TypeParam::name, 3, 64, device_x.address(),
               state.address(), device_x.address(), count, seed, layer, threshold, scale);
        expect_elements<TypeParam>(device_x.download(), expected);
    }
}

TYPED_TEST(kernel_dropout, threshold_zero_and_scale_one_copy_every_bit_pattern)
{
    using storage = typename TypeParam::storage;
    std::vector<storage> x;
    std::vector<double> expected;
    for (uint32_t bits = 0; bits < 0x10000; ++bits) {
        // For f32 the upper half of the pattern and a changing lower one.
        const uint32_t pattern = sizeof(storage) == 2 ? bits : bits << 16 | (bits * 40503 & 0xffff);
        storage element;
        std::memcpy(&element, &pattern, sizeof element);
        x.push_back(element);
        expected.push_back(TypeParam::value(element));
    }
    const device_array<kernels::step_state> state({state_at(0)});
    const device_array<storage> device_x(x), y(x.size());
    launch("dropout", std::string("dropout_forward_") + TypeParam::name, 64, 256, device_x.address(), state.address(),
           y.address(), static_cast<int64_t>(x.size()), uint64_t{1}, uint32_t{0}, uint32_t{0}, 1.0f);
    expect_elements<TypeParam>(y.download(), expected);
}

TYPED_TEST(kernel_dropout, dropped_infinity_and_nan_become_zero)
{
    using storage = typename TypeParam::storage;
    const std::vector<storage> x = {TypeParam::encoded(std::nan("")), TypeParam::encoded(INFINITY)};
    const device_array<kernels::step_state> state({state_at(0)});
    const device_array<storage> device_x(x), y(x.size());
    // With seed 42 and layer 6 neither of the first two words is the largest one.
    launch("dropout", std::string("dropout_forward_") + TypeParam::name, 1, 256, device_x.address(), state.address(),
           y.address(), int64_t{2}, uint64_t{42}, uint32_t{6}, ~uint32_t{0}, 2.0f);
    expect_elements<TypeParam>(y.download(), {0.0, 0.0});
}

using kernel_dropout_f32 = kernel_test;

// One threshold keeps the element and the next one drops it: this pins the whole word.
TEST_F(kernel_dropout_f32, documented_word_is_the_exact_threshold)
{
    const device_array<kernels::step_state> state({state_at(0)});
    const device_array<float> x(std::vector<float>(8, 1.0f)), y(8);
    const auto sixth = [&](uint32_t threshold) {
        launch("dropout", "dropout_forward_f32", 1, 256, x.address(), state.address(), y.address(), int64_t{8},
               uint64_t{42}, uint32_t{6}, threshold, 2.0f);
        return y.download()[5];
    };
    EXPECT_EQ(sixth(0x95a52778), 2.0f);
    EXPECT_EQ(sixth(0x95a52779), 0.0f);
}

TEST_F(kernel_dropout_f32, empty_array_is_left_alone)
{
    const device_array<kernels::step_state> state({state_at(0)});
    launch("dropout", "dropout_forward_f32", 1, 256, k_null, state.address(), k_null, int64_t{0}, uint64_t{42},
           uint32_t{6}, uint32_t{0}, 2.0f);
}

} // namespace
} // namespace nin::tests
