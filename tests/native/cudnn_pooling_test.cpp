// Pooling against plain loops, exactly; ties, padding and NaN as cuDNN has them.
#include "cudnn_test.h"

namespace nin::tests
{
namespace
{

struct pooling_case {
    int n, c, h, w;
    int window_h, window_w, pad_h, pad_w, stride_h, stride_w;
};

const pooling_case k_cases[] = {
    {1, 3, 7, 5, 3, 2, 1, 0, 2, 1},   {2, 70, 9, 8, 3, 3, 0, 0, 2, 2}, {3, 5, 6, 11, 2, 4, 1, 3, 1, 3},
    {2, 129, 5, 5, 5, 5, 0, 0, 1, 1}, {1, 1, 4, 3, 4, 3, 0, 0, 4, 3},  {2, 10, 5, 7, 3, 3, 2, 1, 3, 2},
};

constexpr cudnnPoolingMode_t k_modes[] = {CUDNN_POOLING_MAX, CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING,
                                          CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING, CUDNN_POOLING_MAX_DETERMINISTIC};

bool is_max(cudnnPoolingMode_t mode)
{
    return mode == CUDNN_POOLING_MAX || mode == CUDNN_POOLING_MAX_DETERMINISTIC;
}

template <typename Type> struct pooling_fixture {
    using T = typename Type::storage;

    pooling_case p;
    cudnnPoolingMode_t mode;
    tensor_shape x, y;
    tensor_descriptor x_desc, y_desc;
    pooling_descriptor pool_desc;

    pooling_fixture(const pooling_case& c, cudnnPoolingMode_t mode, cudnnTensorFormat_t format,
                    cudnnNanPropagation_t nan = CUDNN_NOT_PROPAGATE_NAN)
        : p(c), mode(mode)
    {
        x = tensor_shape::packed(format, {p.n, p.c, p.h, p.w});
        y = tensor_shape::packed(format, {p.n, p.c, 1 + (p.h + 2 * p.pad_h - p.window_h) / p.stride_h,
                                          1 + (p.w + 2 * p.pad_w - p.window_w) / p.stride_w});
        set(x_desc, data_type_of<Type>(), x);
        set(y_desc, data_type_of<Type>(), y);
        if (cudnnSetPooling2dDescriptor(pool_desc, mode, nan, p.window_h, p.window_w, p.pad_h, p.pad_w, p.stride_h,
                                        p.stride_w) != CUDNN_STATUS_SUCCESS)
            throw std::runtime_error("the pooling descriptor could not be set");
    }

    // body(x indices of the window's taps inside the image in row-major order, y index)
    void for_each_window(const std::function<void(const std::vector<size_t>&, size_t)>& body) const
    {
        y.for_each([&](int n, int c, int oh, int ow) {
            std::vector<size_t> taps;
            for (int r = 0; r < p.window_h; ++r)
                for (int s = 0; s < p.window_w; ++s) {
                    const int h = oh * p.stride_h - p.pad_h + r, w = ow * p.stride_w - p.pad_w + s;
                    if (h >= 0 && h < p.h && w >= 0 && w < p.w)
                        taps.push_back(x.at(n, c, h, w));
                }
            body(taps, y.at(n, c, oh, ow));
        });
    }

    float divisor(size_t taps) const
    {
        return static_cast<float>(mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING ? p.window_h * p.window_w : taps);
    }

    // The first largest in row-major order; padding never wins.
    static size_t largest(const std::vector<double>& values, const std::vector<size_t>& taps)
    {
        size_t best = taps.front();
        for (const size_t tap : taps)
            if (values[tap] > values[best])
                best = tap;
        return best;
    }
};

template <typename Type> class cudnn_pooling : public cudnn_test
{
  protected:
    using T = typename Type::storage;

    void expect_forward(const pooling_case& shape, cudnnPoolingMode_t mode, cudnnTensorFormat_t format, float alpha,
                        float beta)
    {
        const pooling_fixture<Type> f(shape, mode, format);
        // Few different values, all negative: ties are everywhere, and padding would win if it counted as 0.
        auto x = small_integers<Type>(f.x.count(), 4, 1);
        for (auto& element : x)
            element = Type::encoded(Type::value(element) - 8);
        const auto values = values_of<Type>(x);
        const auto old = small_integers<Type>(f.y.count(), 5, 2);
        std::vector<double> expected(f.y.count());
        f.for_each_window([&](const std::vector<size_t>& taps, size_t yi) {
            double result = values[f.largest(values, taps)];
            if (!is_max(mode)) {
                result = 0;
                for (const size_t tap : taps)
                    result += values[tap];
            }
            // The sum is exact; then one multiplication by the rounded quotient alpha / taps.
            const float factor = is_max(mode) ? alpha : alpha / f.divisor(taps.size());
            const float blended = factor * static_cast<float>(result) +
                                  (beta == 0 ? 0.0f : beta * static_cast<float>(Type::value(old[yi])));
            expected[yi] = Type::rounded(blended);
        });
        const device_array<T> x_array(x);
        const device_array<T> y(beta == 0 ? std::vector<T>(old.size(), Type::encoded(std::nan(""))) : old);
        NIN_CUDNN_CHECK(cudnnPoolingForward(this->handle_, f.pool_desc, &alpha, f.x_desc, pointer(x_array), &beta,
                                            f.y_desc, pointer(y)));
        ASSERT_NO_FATAL_FAILURE(expect_elements<Type>(y.download(), expected));
        EXPECT_EQ(x, x_array.download());
    }

    void expect_backward(const pooling_case& shape, cudnnPoolingMode_t mode, cudnnTensorFormat_t format, float alpha,
                         float beta)
    {
        const pooling_fixture<Type> f(shape, mode, format);
        const auto x = small_integers<Type>(f.x.count(), 2, 1), dy = small_integers<Type>(f.y.count(), 3, 2);
        const auto old = small_integers<Type>(f.x.count(), 5, 3);
        const auto values = values_of<Type>(x), gradients = values_of<Type>(dy);
        std::vector<T> y(f.y.count());
        std::vector<float> sums(f.x.count());
        f.for_each_window([&](const std::vector<size_t>& taps, size_t yi) {
            const size_t best = f.largest(values, taps);
            y[yi] = x[best]; // for max; not read for averages
            if (is_max(mode))
                sums[best] += static_cast<float>(gradients[yi]);
            else
                for (const size_t tap : taps)
                    sums[tap] += (1.0f / f.divisor(taps.size())) * static_cast<float>(gradients[yi]);
        });
        std::vector<double> expected(f.x.count());
        for (size_t i = 0; i < expected.size(); ++i) {
            const float scaled = alpha * sums[i];
            expected[i] = Type::rounded(beta == 0 ? scaled : scaled + beta * static_cast<float>(Type::value(old[i])));
        }
        const device_array<T> x_array(x), dy_array(dy), y_array(y);
        const device_array<T> dx(beta == 0 ? std::vector<T>(old.size(), Type::encoded(std::nan(""))) : old);
        NIN_CUDNN_CHECK(cudnnPoolingBackward(this->handle_, f.pool_desc, &alpha, f.y_desc, pointer(y_array), f.y_desc,
                                             pointer(dy_array), f.x_desc, pointer(x_array), &beta, f.x_desc,
                                             pointer(dx)));
        ASSERT_NO_FATAL_FAILURE(expect_elements<Type>(dx.download(), expected));
    }
};
TYPED_TEST_SUITE(cudnn_pooling, element_types);

TYPED_TEST(cudnn_pooling, Forward_EqualsPlainLoops)
{
    for (const auto& shape : k_cases)
        for (const auto mode : k_modes)
            for (const auto format : {CUDNN_TENSOR_NHWC, CUDNN_TENSOR_NCHW})
                for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {2.0f, 1.0f}})
                    ASSERT_NO_FATAL_FAILURE(this->expect_forward(shape, mode, format, alpha, beta))
                        << "mode " << mode << " format " << format << " x " << shape.n << "x" << shape.c << "x"
                        << shape.h << "x" << shape.w << " alpha " << alpha << " beta " << beta;
}

TYPED_TEST(cudnn_pooling, Backward_EqualsPlainLoops)
{
    for (const auto& shape : k_cases)
        for (const auto mode : k_modes)
            for (const auto format : {CUDNN_TENSOR_NHWC, CUDNN_TENSOR_NCHW})
                for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {2.0f, 1.0f}})
                    ASSERT_NO_FATAL_FAILURE(this->expect_backward(shape, mode, format, alpha, beta))
                        << "mode " << mode << " format " << format << " x " << shape.n << "x" << shape.c << "x"
                        << shape.h << "x" << shape.w << " alpha " << alpha << " beta " << beta;
}

TYPED_TEST(cudnn_pooling, Max_NaN_PropagatesOnlyWhenAsked)
{
    using T = typename TypeParam::storage;
    for (const auto nan : {CUDNN_NOT_PROPAGATE_NAN, CUDNN_PROPAGATE_NAN})
        for (const int position : {0, 2, 5}) {
            const pooling_fixture<TypeParam> f({1, 1, 2, 3, 2, 3, 0, 0, 1, 1}, CUDNN_POOLING_MAX, CUDNN_TENSOR_NHWC,
                                               nan);
            std::vector<T> x(6, TypeParam::encoded(-3));
            x[4] = TypeParam::encoded(7);
            x[position] = TypeParam::encoded(std::nan(""));
            const device_array<T> x_array(x), y(1);
            const float one = 1, zero = 0;
            NIN_CUDNN_CHECK(cudnnPoolingForward(this->handle_, f.pool_desc, &one, f.x_desc, pointer(x_array), &zero,
                                                f.y_desc, pointer(y)));
            ASSERT_NO_FATAL_FAILURE(
                expect_elements<TypeParam>(y.download(), {nan == CUDNN_PROPAGATE_NAN ? std::nan("") : 7}));
        }
}

class cudnn_pooling_rules : public cudnn_test
{
};

TEST_F(cudnn_pooling_rules, OutputDim_IsRoundedDown)
{
    const pooling_fixture<f32_type> f({2, 96, 54, 53, 3, 3, 0, 1, 2, 2}, CUDNN_POOLING_MAX, CUDNN_TENSOR_NHWC);
    int n, c, h, w;
    NIN_CUDNN_CHECK(cudnnGetPooling2dForwardOutputDim(f.pool_desc, f.x_desc, &n, &c, &h, &w));
    EXPECT_EQ((std::array{n, c, h, w}), (std::array{2, 96, 26, 27}));
}

TEST_F(cudnn_pooling_rules, Set_PaddingAsLargeAsTheWindow_IsRefused)
{
    const pooling_descriptor descriptor;
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM,
              cudnnSetPooling2dDescriptor(descriptor, CUDNN_POOLING_MAX, CUDNN_PROPAGATE_NAN, 3, 2, 1, 2, 1, 1));
    EXPECT_NE(std::string::npos, last_error().find("padding 1, 2"));
}

TEST_F(cudnn_pooling_rules, WrongOutputShapeOrType_IsRefusedWithTheValues)
{
    const pooling_fixture<f32_type> f({2, 4, 6, 6, 2, 2, 0, 0, 2, 2}, CUDNN_POOLING_MAX, CUDNN_TENSOR_NHWC);
    const float one = 1, zero = 0;
    const device_array<float> x(f.x.count()), y(1000);
    const auto forward = [&](cudnnTensorDescriptor_t y_desc) {
        return cudnnPoolingForward(handle_, f.pool_desc, &one, f.x_desc, pointer(x), &zero, y_desc, pointer(y));
    };
    tensor_descriptor wrong_shape, wrong_type;
    set(wrong_shape, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {2, 4, 3, 4}));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(wrong_shape));
    EXPECT_NE(std::string::npos, last_error().find("(2, 4, 3, 3)"));
    set(wrong_type, CUDNN_DATA_HALF, f.y);
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(wrong_type));
}

TEST_F(cudnn_pooling_rules, Backward_StridesOfPairsDiffer_IsNotSupported)
{
    const pooling_fixture<f32_type> f({2, 4, 6, 6, 2, 2, 0, 0, 2, 2}, CUDNN_POOLING_MAX, CUDNN_TENSOR_NHWC);
    const float one = 1, zero = 0;
    const device_array<float> x(f.x.count()), y(f.y.count());
    tensor_descriptor other;
    set(other, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NCHW, f.y.dims));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED,
              cudnnPoolingBackward(handle_, f.pool_desc, &one, f.y_desc, pointer(y), other, pointer(y), f.x_desc,
                                   pointer(x), &zero, f.x_desc, pointer(x)));
}

} // namespace
} // namespace nin::tests
