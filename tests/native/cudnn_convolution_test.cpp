// Convolution in all directions against plain loops, exactly: operands are small whole numbers.
#include "cudnn_convolution_fixture.h"

namespace nin::tests
{
namespace
{

// H != W, R != S, stride != pad, channel counts that fit no vector, one image, one channel.
const convolution_case k_cases[] = {
    {1, 3, 7, 5, 4, 3, 2, 1, 0, 2, 1, 1, 1},    {2, 5, 9, 8, 7, 5, 3, 2, 1, 1, 1, 1, 1},
    {3, 1, 23, 19, 6, 11, 7, 1, 2, 4, 3, 1, 1}, {2, 16, 6, 10, 32, 3, 3, 1, 1, 1, 1, 1, 1},
    {1, 20, 5, 7, 10, 3, 3, 1, 1, 1, 1, 1, 1},  {2, 4, 11, 9, 3, 3, 2, 0, 2, 1, 2, 2, 3},
    {4, 33, 3, 2, 17, 1, 1, 0, 0, 1, 1, 1, 1},  {1, 6, 4, 4, 5, 4, 4, 0, 0, 1, 1, 1, 1},
};

template <typename Type> class cudnn_convolution : public cudnn_test
{
  protected:
    using T = typename Type::storage;

    // Runs every algorithm that the library says it has, with a workspace of just the size it asks for.
    void expect_direction(const convolution_case& shape, cudnnTensorFormat_t format, direction d,
                          cudnnConvolutionMode_t mode, float alpha, float beta)
    {
        const convolution_fixture<Type> f(shape, format, mode);
        auto expected = f.expected(d, mode == CUDNN_CONVOLUTION);
        const auto old = small_integers<Type>(expected.size(), 5, 4);
        for (size_t i = 0; i < expected.size(); ++i)
            expected[i] = Type::rounded(alpha * expected[i] + (beta == 0 ? 0 : beta * Type::value(old[i])));
        const device_array<T> first(f.first(d)), second(f.second(d));
        int algorithms_run = 0;
        for (int algo = 0; algo < 8; ++algo) {
            size_t bytes = 0;
            if (f.workspace_size(this->handle_, d, algo, &bytes) != CUDNN_STATUS_SUCCESS)
                continue;
            SCOPED_TRACE(testing::Message()
                         << Type::name << (format == CUDNN_TENSOR_NHWC ? " NHWC" : " NCHW") << " direction "
                         << static_cast<int>(d) << " algorithm " << algo << " alpha " << alpha << " beta " << beta
                         << " x " << shape.n << "x" << shape.c << "x" << shape.h << "x" << shape.w << " filter "
                         << shape.k << "x" << shape.r << "x" << shape.s);
            const device_array<uint8_t> workspace(bytes);
            // 0xa5 bytes are no NaN; with beta == 0 the destination must not matter even if it is one.
            const device_array<T> result(beta == 0 ? std::vector<T>(expected.size(), Type::encoded(std::nan("")))
                                                   : old);
            if (bytes > 0) {
                EXPECT_EQ(CUDNN_STATUS_BAD_PARAM,
                          f.run(this->handle_, d, algo, alpha, beta, pointer(first), pointer(second), pointer(result),
                                pointer(workspace), bytes - 1));
            }
            NIN_CUDNN_CHECK(f.run(this->handle_, d, algo, alpha, beta, pointer(first), pointer(second), pointer(result),
                                  bytes == 0 ? nullptr : pointer(workspace), bytes));
            expect_elements<Type>(result.download(), expected);
            workspace.download(); // checks its guards
            ++algorithms_run;
        }
        EXPECT_GT(algorithms_run, 0);
        EXPECT_EQ(f.first(d), first.download());
        EXPECT_EQ(f.second(d), second.download());
    }
};
TYPED_TEST_SUITE(cudnn_convolution, element_types);

TYPED_TEST(cudnn_convolution, EveryDirection_BothLayouts_EqualsPlainLoops)
{
    for (const auto& shape : k_cases)
        for (const auto format : {CUDNN_TENSOR_NHWC, CUDNN_TENSOR_NCHW})
            for (const auto d : {direction::forward, direction::backward_data, direction::backward_filter})
                ASSERT_NO_FATAL_FAILURE(this->expect_direction(shape, format, d, CUDNN_CROSS_CORRELATION, 1, 0));
}

TYPED_TEST(cudnn_convolution, AlphaAndBeta_BlendWithTheDestination)
{
    for (const auto& [alpha, beta] : {std::pair{1.0f, 1.0f}, {2.0f, 0.0f}, {-1.0f, 2.0f}, {0.0f, 1.0f}})
        for (const auto format : {CUDNN_TENSOR_NHWC, CUDNN_TENSOR_NCHW})
            for (const auto d : {direction::forward, direction::backward_data, direction::backward_filter})
                ASSERT_NO_FATAL_FAILURE(
                    this->expect_direction(k_cases[1], format, d, CUDNN_CROSS_CORRELATION, alpha, beta));
}

TYPED_TEST(cudnn_convolution, ConvolutionMode_RotatesTheFilter)
{
    for (const auto& shape : {k_cases[0], k_cases[1], k_cases[5]})
        for (const auto format : {CUDNN_TENSOR_NHWC, CUDNN_TENSOR_NCHW})
            for (const auto d : {direction::forward, direction::backward_data, direction::backward_filter})
                ASSERT_NO_FATAL_FAILURE(this->expect_direction(shape, format, d, CUDNN_CONVOLUTION, 1, 0));
}

TYPED_TEST(cudnn_convolution, BackwardBias_SumsOverImagesAndPixels)
{
    using T = typename TypeParam::storage;
    for (const auto format : {CUDNN_TENSOR_NHWC, CUDNN_TENSOR_NCHW})
        for (const float beta : {0.0f, 1.0f}) {
            // More rows than one summation block has, and a channel count that fits no vector.
            const auto shape = tensor_shape::packed(format, {3, 7, 13, 11});
            const auto db_shape = tensor_shape::packed(format, {1, 7, 1, 1});
            const auto dy = small_integers<TypeParam>(shape.count(), 3, 1), old = small_integers<TypeParam>(7, 3, 2);
            std::vector<double> expected(7);
            shape.for_each(
                [&](int n, int c, int h, int w) { expected[c] += TypeParam::value(dy[shape.at(n, c, h, w)]); });
            for (int c = 0; c < 7; ++c)
                expected[c] = TypeParam::rounded(2 * expected[c] + (beta == 0 ? 0 : beta * TypeParam::value(old[c])));
            tensor_descriptor dy_desc, db_desc;
            set(dy_desc, data_type_of<TypeParam>(), shape);
            set(db_desc, data_type_of<TypeParam>(), db_shape);
            const device_array<T> dy_array(dy),
                db(beta == 0 ? std::vector<T>(7, TypeParam::encoded(std::nan(""))) : old);
            const float alpha = 2;
            NIN_CUDNN_CHECK(cudnnConvolutionBackwardBias(this->handle_, &alpha, dy_desc, pointer(dy_array), &beta,
                                                         db_desc, pointer(db)));
            ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(db.download(), expected));
        }
}

// Large enough for minimal filtering, whose intermediate values are no whole numbers: each result must lie between the
// roundings of the exact one less and plus 2^-14 of the largest. (Ten roundings of float, 2^-24, in transforms that
// grow values up to a hundredfold before they cancel.)
TYPED_TEST(cudnn_convolution, LargeProblems_AreWithinTheTransformsRounding)
{
    using T = typename TypeParam::storage;
    for (const convolution_case& shape :
         {convolution_case{5, 33, 13, 11, 40, 3, 3, 1, 1, 1, 1, 1, 1}, {5, 33, 13, 11, 40, 5, 5, 2, 2, 1, 1, 1, 1}})
        for (const auto d : {direction::forward, direction::backward_data, direction::backward_filter})
            for (const auto& [mode, beta] : {std::pair{CUDNN_CROSS_CORRELATION, 0.0f}, {CUDNN_CONVOLUTION, 1.0f}}) {
                const convolution_fixture<TypeParam> f(shape, CUDNN_TENSOR_NHWC, mode);
                auto exact = f.expected(d, mode == CUDNN_CONVOLUTION);
                const auto old = small_integers<TypeParam>(exact.size(), 5, 4);
                double largest = 0;
                for (size_t i = 0; i < exact.size(); ++i) {
                    exact[i] += beta * TypeParam::value(old[i]);
                    largest = std::max(largest, std::abs(exact[i]));
                }
                constexpr int algo = 1; // of every direction: the fastest method
                size_t bytes = 0;
                NIN_CUDNN_CHECK(f.workspace_size(this->handle_, d, algo, &bytes));
                const device_array<uint8_t> workspace(bytes);
                const device_array<T> first(f.first(d)), second(f.second(d)), result(old);
                NIN_CUDNN_CHECK(f.run(this->handle_, d, algo, 1, beta, pointer(first), pointer(second), pointer(result),
                                      pointer(workspace), bytes));
                const auto actual = result.download();
                const double slack = largest * 0x1p-14;
                for (size_t i = 0; i < exact.size(); ++i) {
                    const double value = TypeParam::value(actual[i]);
                    ASSERT_TRUE(value >= TypeParam::rounded(exact[i] - slack) &&
                                value <= TypeParam::rounded(exact[i] + slack))
                        << TypeParam::name << " direction " << static_cast<int>(d) << " filter " << shape.r << " beta "
                        << beta << " element " << i << ": " << value << " for " << exact[i];
                }
                workspace.download();
            }
}

// y = act(alpha1 * conv + alpha2 * z + bias)
TYPED_TEST(cudnn_convolution, BiasActivationForward_EqualsPlainLoops)
{
    using T = typename TypeParam::storage;
    for (const auto& shape : k_cases)
        for (const auto format : {CUDNN_TENSOR_NHWC, CUDNN_TENSOR_NCHW})
            for (const auto mode : {CUDNN_ACTIVATION_RELU, CUDNN_ACTIVATION_IDENTITY})
                for (const auto& [alpha1, alpha2] : {std::pair{1.0f, 0.0f}, {2.0f, 1.0f}}) {
                    const convolution_fixture<TypeParam> f(shape, format);
                    const auto algo = f.p.dilation_h == 1 ? CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM
                                                          : CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
                    if (mode == CUDNN_ACTIVATION_IDENTITY && algo == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM)
                        continue; // refused, see below
                    const auto bias = small_integers<TypeParam>(shape.k, 9, 5);
                    auto z = small_integers<TypeParam>(f.y.count(), 3, 6);
                    if (alpha2 == 0)
                        std::fill(z.begin(), z.end(), TypeParam::encoded(std::nan(""))); // must not be read
                    auto expected = f.expected(direction::forward);
                    f.y.for_each([&](int n, int k, int h, int w) {
                        const size_t i = f.y.at(n, k, h, w);
                        double value = alpha1 * expected[i] + TypeParam::value(bias[k]);
                        if (alpha2 != 0)
                            value += alpha2 * TypeParam::value(z[i]);
                        expected[i] = TypeParam::rounded(mode == CUDNN_ACTIVATION_RELU && !(value > 0) ? 0 : value);
                    });
                    tensor_descriptor bias_desc;
                    set(bias_desc, data_type_of<TypeParam>(), tensor_shape::packed(format, {1, shape.k, 1, 1}));
                    activation_descriptor activation;
                    NIN_CUDNN_CHECK(cudnnSetActivationDescriptor(activation, mode, CUDNN_NOT_PROPAGATE_NAN, 0));
                    size_t bytes = 0;
                    NIN_CUDNN_CHECK(f.workspace_size(this->handle_, direction::forward, algo, &bytes));
                    const device_array<uint8_t> workspace(bytes);
                    const device_array<T> x(f.x_data), w(f.w_data), b(bias), z_array(z), y(f.y.count());
                    NIN_CUDNN_CHECK(cudnnConvolutionBiasActivationForward(
                        this->handle_, &alpha1, f.x_desc, pointer(x), f.w_desc, pointer(w), f.conv_desc, algo,
                        pointer(workspace), bytes, &alpha2, f.y_desc, pointer(z_array), bias_desc, pointer(b),
                        activation, f.y_desc, pointer(y)));
                    ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(y.download(), expected))
                        << "alpha1 " << alpha1 << " alpha2 " << alpha2 << " mode " << mode;
                    workspace.download();
                }
}

} // namespace
} // namespace nin::tests
