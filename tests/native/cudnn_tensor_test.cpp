// Tensor descriptors, element-wise functions and ReLU, over any strides and types.
#include "cudnn_test.h"

namespace nin::tests
{
namespace
{

// NHWC, NCHW, and one that leaves gaps along every axis.
std::array<tensor_shape, 3> layouts_of(const std::array<int, 4>& d)
{
    return {tensor_shape::packed(CUDNN_TENSOR_NHWC, d), tensor_shape::packed(CUDNN_TENSOR_NCHW, d),
            tensor_shape{d, {d[1] * d[2] * d[3] * 12 + 5, d[2] * d[3] * 6 + 1, d[3] * 3 + 1, 2}}};
}

constexpr std::array<int, 4> k_dims{2, 7, 3, 5};

template <typename Type> class cudnn_tensor : public cudnn_test
{
  protected:
    using T = typename Type::storage;
};
TYPED_TEST_SUITE(cudnn_tensor, element_types);

TYPED_TEST(cudnn_tensor, Transform_AnyLayoutToAnyLayout_ConvertsAndBlends)
{
    using T = typename TypeParam::storage;
    for (const auto& from : layouts_of(k_dims))
        for (const auto& to : layouts_of(k_dims))
            for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {2.0f, 1.0f}}) {
                const auto x = random_elements<f32_type>(from.span(), 1, 1);
                const auto old = small_integers<TypeParam>(to.span(), 3, 2);
                auto expected = values_of<TypeParam>(old); // gaps stay
                to.for_each([&](int n, int c, int h, int w) {
                    double& value = expected[to.at(n, c, h, w)];
                    const float scaled = alpha * x[from.at(n, c, h, w)];
                    value = TypeParam::rounded(beta == 0 ? scaled : scaled + beta * static_cast<float>(value));
                });
                tensor_descriptor x_desc, y_desc;
                set(x_desc, CUDNN_DATA_FLOAT, from);
                set(y_desc, data_type_of<TypeParam>(), to);
                const device_array<float> x_array(x);
                const device_array<T> y(old);
                NIN_CUDNN_CHECK(
                    cudnnTransformTensor(this->handle_, &alpha, x_desc, pointer(x_array), &beta, y_desc, pointer(y)));
                ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(y.download(), expected));
            }
}

TYPED_TEST(cudnn_tensor, Add_BroadcastsAxesOfExtentOne)
{
    using T = typename TypeParam::storage;
    for (const auto& a_dims : {std::array{1, 7, 1, 1}, {1, 1, 1, 1}, {2, 7, 3, 5}, {1, 7, 3, 1}, {2, 1, 1, 5}})
        for (const auto& c_shape : layouts_of(k_dims))
            for (const float beta : {0.0f, 1.0f, 3.0f}) {
                const auto a_shape = tensor_shape::packed(CUDNN_TENSOR_NHWC, a_dims);
                const auto a = small_integers<TypeParam>(a_shape.count(), 9, 1);
                auto old = small_integers<TypeParam>(c_shape.span(), 9, 2);
                auto expected = values_of<TypeParam>(old);
                c_shape.for_each([&](int n, int c, int h, int w) {
                    const size_t i = c_shape.at(n, c, h, w);
                    const auto in = [&](int axis, int at) { return a_dims[axis] == 1 ? 0 : at; };
                    const double addend = TypeParam::value(a[a_shape.at(in(0, n), in(1, c), in(2, h), in(3, w))]);
                    expected[i] = TypeParam::rounded(2 * addend + (beta == 0 ? 0 : beta * expected[i]));
                    if (beta == 0)
                        old[i] = TypeParam::encoded(std::nan("")); // must not be read
                });
                tensor_descriptor a_desc, c_desc;
                set(a_desc, data_type_of<TypeParam>(), a_shape);
                set(c_desc, data_type_of<TypeParam>(), c_shape);
                const device_array<T> a_array(a), c_array(old);
                const float alpha = 2;
                NIN_CUDNN_CHECK(
                    cudnnAddTensor(this->handle_, &alpha, a_desc, pointer(a_array), &beta, c_desc, pointer(c_array)));
                ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(c_array.download(), expected));
            }
}

TYPED_TEST(cudnn_tensor, SetAndScale_TouchElementsOnly)
{
    using T = typename TypeParam::storage;
    for (const auto& shape : layouts_of(k_dims)) {
        const auto old = small_integers<TypeParam>(shape.span(), 9, 1);
        auto scaled = values_of<TypeParam>(old), filled = scaled;
        shape.for_each([&](int n, int c, int h, int w) {
            scaled[shape.at(n, c, h, w)] *= 3;
            filled[shape.at(n, c, h, w)] = 1.5;
        });
        tensor_descriptor desc;
        set(desc, data_type_of<TypeParam>(), shape);
        const device_array<T> array(old);
        const float three = 3, value = 1.5;
        NIN_CUDNN_CHECK(cudnnScaleTensor(this->handle_, desc, pointer(array), &three));
        ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(array.download(), scaled));
        NIN_CUDNN_CHECK(cudnnSetTensor(this->handle_, desc, pointer(array), &value));
        ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(array.download(), filled));
    }
}

TYPED_TEST(cudnn_tensor, LongRows_AreHandledInPieces)
{
    using T = typename TypeParam::storage;
    const auto shape =
        tensor_shape::packed(CUDNN_TENSOR_NHWC, {3, 5, 41, 37}); // 22,755 elements, no multiple of any block
    const auto x = random_elements<TypeParam>(shape.count(), 1, 1);
    std::vector<double> expected;
    for (const auto element : x)
        expected.push_back(
            TypeParam::rounded(static_cast<float>(0.5f * static_cast<float>(TypeParam::value(element)))));
    tensor_descriptor desc;
    set(desc, data_type_of<TypeParam>(), shape);
    const device_array<T> x_array(x), y(shape.count());
    const float half = 0.5f, zero = 0;
    NIN_CUDNN_CHECK(cudnnTransformTensor(this->handle_, &half, desc, pointer(x_array), &zero, desc, pointer(y)));
    ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(y.download(), expected));
}

TYPED_TEST(cudnn_tensor, ReluForward_KeepsOrDropsNaN)
{
    using T = typename TypeParam::storage;
    for (const auto& shape : layouts_of(k_dims))
        for (const auto nan : {CUDNN_NOT_PROPAGATE_NAN, CUDNN_PROPAGATE_NAN})
            for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {2.0f, 1.0f}}) {
                auto x = small_integers<TypeParam>(shape.span(), 3, 1);
                x[shape.at(1, 2, 1, 3)] = TypeParam::encoded(std::nan(""));
                const auto old = small_integers<TypeParam>(shape.span(), 3, 2);
                auto expected = values_of<TypeParam>(old);
                shape.for_each([&](int n, int c, int h, int w) {
                    const size_t i = shape.at(n, c, h, w);
                    const double value = TypeParam::value(x[i]);
                    const double relu =
                        std::isnan(value) ? (nan == CUDNN_PROPAGATE_NAN ? value : 0) : std::max(value, 0.0);
                    expected[i] = TypeParam::rounded(alpha * relu + (beta == 0 ? 0 : beta * expected[i]));
                });
                activation_descriptor relu;
                NIN_CUDNN_CHECK(cudnnSetActivationDescriptor(relu, CUDNN_ACTIVATION_RELU, nan, 0));
                tensor_descriptor desc;
                set(desc, data_type_of<TypeParam>(), shape);
                const device_array<T> x_array(x), y(old);
                NIN_CUDNN_CHECK(cudnnActivationForward(this->handle_, relu, &alpha, desc, pointer(x_array), &beta, desc,
                                                       pointer(y)));
                ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(y.download(), expected));
            }
}

TYPED_TEST(cudnn_tensor, ReluBackward_PassesWhereXIsPositive_InPlaceToo)
{
    using T = typename TypeParam::storage;
    for (const auto& shape : layouts_of(k_dims)) {
        const auto x = small_integers<TypeParam>(shape.span(), 2, 1),
                   dy = small_integers<TypeParam>(shape.span(), 9, 2);
        auto expected = values_of<TypeParam>(dy);
        shape.for_each([&](int n, int c, int h, int w) {
            const size_t i = shape.at(n, c, h, w);
            if (!(TypeParam::value(x[i]) > 0))
                expected[i] = 0;
        });
        activation_descriptor relu;
        NIN_CUDNN_CHECK(cudnnSetActivationDescriptor(relu, CUDNN_ACTIVATION_RELU, CUDNN_NOT_PROPAGATE_NAN, 0));
        tensor_descriptor desc;
        set(desc, data_type_of<TypeParam>(), shape);
        const device_array<T> x_array(x), dy_array(dy);
        const float one = 1, zero = 0;
        NIN_CUDNN_CHECK(cudnnActivationBackward(this->handle_, relu, &one, desc, pointer(x_array), desc,
                                                pointer(dy_array), desc, pointer(x_array), &zero, desc,
                                                pointer(dy_array)));
        ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(dy_array.download(), expected));
    }
}

class cudnn_rules : public cudnn_test
{
};

TEST_F(cudnn_rules, Version_IsThatOfTheDeclaredAbi)
{
    EXPECT_EQ(90600u, cudnnGetVersion());
    EXPECT_STREQ("CUDNN_STATUS_NOT_SUPPORTED", cudnnGetErrorString(CUDNN_STATUS_NOT_SUPPORTED));
}

TEST_F(cudnn_rules, TensorDescriptor_FormatSetsStrides)
{
    const tensor_descriptor desc;
    NIN_CUDNN_CHECK(cudnnSetTensor4dDescriptor(desc, CUDNN_TENSOR_NHWC, CUDNN_DATA_BFLOAT16, 2, 3, 5, 7));
    cudnnDataType_t type;
    int v[8];
    NIN_CUDNN_CHECK(cudnnGetTensor4dDescriptor(desc, &type, v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7));
    EXPECT_EQ(CUDNN_DATA_BFLOAT16, type);
    EXPECT_EQ((std::vector<int>{2, 3, 5, 7, 105, 1, 21, 3}), std::vector<int>(v, v + 8));
}

TEST_F(cudnn_rules, TensorDescriptor_RefusesWhatCudnnRefuses)
{
    const tensor_descriptor desc;
    const auto set4d = [&](cudnnTensorFormat_t format, cudnnDataType_t type, int n, int c, int h, int w) {
        return cudnnSetTensor4dDescriptor(desc, format, type, n, c, h, w);
    };
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set4d(CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 0, 2, 2));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set4d(CUDNN_TENSOR_NHWC, CUDNN_DATA_FP8_E4M3, 1, 1, 2, 2));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set4d(CUDNN_TENSOR_NCHW_VECT_C, CUDNN_DATA_FLOAT, 1, 4, 2, 2));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set4d(static_cast<cudnnTensorFormat_t>(7), CUDNN_DATA_FLOAT, 1, 4, 2, 2));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, set4d(CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 70000, 100, 300, 300));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM,
              cudnnSetTensor4dDescriptor(nullptr, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 1, 1, 1, 1));
}

TEST_F(cudnn_rules, DestroyedOrUnsetDescriptors_AreRecognised)
{
    cudnnTensorDescriptor_t desc = nullptr;
    NIN_CUDNN_CHECK(cudnnCreateTensorDescriptor(&desc));
    const device_array<float> y(4);
    const float value = 1;
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetTensor(handle_, desc, pointer(y), &value));
    EXPECT_NE(std::string::npos, last_error().find("never set"));
    NIN_CUDNN_CHECK(cudnnDestroyTensorDescriptor(desc));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetTensor(handle_, desc, pointer(y), &value));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnDestroyTensorDescriptor(desc));
}

TEST_F(cudnn_rules, Create_WithoutCurrentContext_IsNotInitialized)
{
    CUcontext context = nullptr;
    NIN_CHECK(cuDevicePrimaryCtxRetain(&context, 0));
    NIN_CHECK(cuCtxSetCurrent(nullptr));
    cudnnHandle_t handle = nullptr;
    EXPECT_EQ(CUDNN_STATUS_NOT_INITIALIZED, cudnnCreate(&handle));
    NIN_CHECK(cuCtxSetCurrent(context));
    NIN_CHECK(cuDevicePrimaryCtxRelease_v2(0));
}

TEST_F(cudnn_rules, DoublePrecision_IsNotSupported)
{
    tensor_descriptor desc;
    set(desc, CUDNN_DATA_DOUBLE, tensor_shape::packed(CUDNN_TENSOR_NCHW, {1, 2, 2, 1}));
    const device_array<double> y(4);
    const double value = 1;
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, cudnnSetTensor(handle_, desc, pointer(y), &value));
}

TEST_F(cudnn_rules, MisalignedPointer_IsRefused)
{
    tensor_descriptor desc;
    set(desc, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NCHW, {1, 2, 2, 1}));
    const device_array<uint8_t> y(32);
    const float value = 1;
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetTensor(handle_, desc, pointer(y, 2), &value));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetTensor(handle_, desc, nullptr, &value));
}

TEST_F(cudnn_rules, Activation_IdentityAndOtherModes_AreRefused)
{
    tensor_descriptor desc;
    set(desc, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NCHW, {1, 2, 2, 1}));
    const device_array<float> x(4), y(4);
    const float one = 1, zero = 0;
    const activation_descriptor activation;
    const auto run = [&](cudnnActivationMode_t mode) {
        cudnnSetActivationDescriptor(activation, mode, CUDNN_NOT_PROPAGATE_NAN, 0);
        return cudnnActivationForward(handle_, activation, &one, desc, pointer(x), &zero, desc, pointer(y));
    };
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(CUDNN_ACTIVATION_IDENTITY));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, run(CUDNN_ACTIVATION_TANH));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, run(CUDNN_ACTIVATION_RELU));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetActivationDescriptor(activation, static_cast<cudnnActivationMode_t>(9),
                                                                   CUDNN_NOT_PROPAGATE_NAN, 0));
}

} // namespace
} // namespace nin::tests
