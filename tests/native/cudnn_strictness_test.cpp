// What cuDNN forbids, rule by rule: each call is refused with the library's status, or its violation becomes the sticky
// error. docs/host-provider.md lists the rules with these tests.
#include "cudnn_convolution_fixture.h"
#include "driver_test.h"

#include <memory>

namespace nin::tests
{
namespace
{

using float_fixture = convolution_fixture<f32_type>;

constexpr convolution_case k_case{2, 8, 6, 5, 12, 3, 3, 1, 1, 1, 1, 1, 1};
constexpr convolution_case k_dilated{2, 8, 9, 9, 12, 3, 3, 1, 1, 1, 1, 2, 2};

class cudnn_strictness : public cudnn_test
{
  protected:
    // Device memory for a fixture's operands.
    struct operands {
        explicit operands(const float_fixture& f) : x(f.x_data), w(f.w_data), y(f.y_data), workspace(1 << 22) {}
        device_array<float> x, w, y;
        device_array<uint8_t> workspace;
    };

    cudnnStatus_t forward(const float_fixture& f, const operands& d, cudnnTensorDescriptor_t x_desc,
                          cudnnFilterDescriptor_t w_desc, cudnnTensorDescriptor_t y_desc,
                          int algo = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM)
    {
        const float one = 1, zero = 0;
        return cudnnConvolutionForward(handle_, &one, x_desc, pointer(d.x), w_desc, pointer(d.w), f.conv_desc,
                                       static_cast<cudnnConvolutionFwdAlgo_t>(algo), pointer(d.workspace), 1 << 22,
                                       &zero, y_desc, pointer(d.y));
    }

    cudnnStatus_t size(const float_fixture& f, direction d, int algo)
    {
        size_t bytes = 0;
        return f.workspace_size(handle_, d, algo, &bytes);
    }
};

// ---- Descriptors

TEST_F(cudnn_strictness, Filter_DimensionsFormatsAndTypes)
{
    const filter_descriptor w;
    const auto set4d = [&](cudnnDataType_t type, cudnnTensorFormat_t format, int k, int c, int r, int s) {
        return cudnnSetFilter4dDescriptor(w, type, format, k, c, r, s);
    };
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set4d(CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 0, 1, 1, 1));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set4d(CUDNN_DATA_FP8_E4M3, CUDNN_TENSOR_NHWC, 1, 1, 1, 1));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set4d(CUDNN_DATA_FLOAT, static_cast<cudnnTensorFormat_t>(7), 1, 1, 1, 1));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, set4d(CUDNN_DATA_FLOAT, CUDNN_TENSOR_NCHW, 1 << 30, 1 << 30, 1 << 30, 4));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, set4d(CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 1, 1, 1, 1));
}

TEST_F(cudnn_strictness, Tensor_ImagesBeyondTheLimit_DoNotWrapAround)
{
    const tensor_descriptor x;
    // 2^31 * 2^31 * 4 elements are 0 in 64 bits.
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED,
              cudnnSetTensor4dDescriptor(x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 4, 1 << 30, 1 << 30));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetTensor4dDescriptorEx(x, CUDNN_DATA_FLOAT, 1, 2, 2, 2, 8, 4, -2, 1));
}

TEST_F(cudnn_strictness, Convolution_DescriptorValues)
{
    const convolution_descriptor conv;
    const auto set2d = [&](int pad, int stride, int dilation, int mode, cudnnDataType_t compute) {
        return cudnnSetConvolution2dDescriptor(conv, pad, pad, stride, stride, dilation, dilation,
                                               static_cast<cudnnConvolutionMode_t>(mode), compute);
    };
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set2d(-1, 1, 1, 1, CUDNN_DATA_FLOAT));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set2d(0, 0, 1, 1, CUDNN_DATA_FLOAT));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set2d(0, 1, 0, 1, CUDNN_DATA_FLOAT));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set2d(0, 1, 1, 2, CUDNN_DATA_FLOAT));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, set2d(0, 1, 1, 1, CUDNN_DATA_BFLOAT16));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, set2d(0, 1, 1, 1, CUDNN_DATA_FLOAT));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetConvolutionMathType(conv, static_cast<cudnnMathType_t>(4)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetConvolutionGroupCount(conv, 0));
}

TEST_F(cudnn_strictness, Descriptors_DestroyedBeforeTheCall_AreRecognised)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    cudnnTensorDescriptor_t x = nullptr;
    cudnnFilterDescriptor_t w = nullptr;
    NIN_CUDNN_CHECK(cudnnCreateTensorDescriptor(&x));
    NIN_CUDNN_CHECK(cudnnCreateFilterDescriptor(&w));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, x, f.w_desc, f.y_desc)); // never set
    NIN_CUDNN_CHECK(cudnnDestroyTensorDescriptor(x));
    NIN_CUDNN_CHECK(cudnnDestroyFilterDescriptor(w));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, x, f.w_desc, f.y_desc));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, f.x_desc, w, f.y_desc));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnDestroyFilterDescriptor(w));
}

TEST_F(cudnn_strictness, Descriptors_DestroyedAfterTheCall_AreNotNeededAnyMore)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    auto x_desc = std::make_unique<tensor_descriptor>();
    set(*x_desc, CUDNN_DATA_FLOAT, f.x);
    NIN_CUDNN_CHECK(forward(f, d, *x_desc, f.w_desc, f.y_desc));
    x_desc.reset();
    expect_elements<f32_type>(d.y.download(), f.expected(direction::forward));
}

// ---- Convolution: types, layouts, algorithms

TEST_F(cudnn_strictness, Convolution_OtherOutputDimensions_AreRefused)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    tensor_descriptor wider, channels;
    set(wider, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {2, 12, 6, 6}));
    set(channels, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {2, 7, 6, 5}));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, f.x_desc, f.w_desc, wider));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, channels, f.w_desc, f.y_desc));
}

TEST_F(cudnn_strictness, Convolution_MixedTypes_AreRefused)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    tensor_descriptor half_x, double_x, double_y;
    filter_descriptor half_w, double_w;
    set(half_x, CUDNN_DATA_HALF, f.x);
    set(half_w, CUDNN_DATA_HALF, CUDNN_TENSOR_NHWC, f.w.dims);
    set(double_x, CUDNN_DATA_DOUBLE, f.x);
    set(double_y, CUDNN_DATA_DOUBLE, f.y);
    set(double_w, CUDNN_DATA_DOUBLE, CUDNN_TENSOR_NHWC, f.w.dims);
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, half_x, f.w_desc, f.y_desc));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, f.x_desc, half_w, f.y_desc));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, forward(f, d, double_x, double_w, double_y)); // NHWC has no double
}

TEST_F(cudnn_strictness, Convolution_OtherAccumulation_IsNotSupported)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    for (const auto compute : {CUDNN_DATA_HALF, CUDNN_DATA_DOUBLE}) {
        NIN_CUDNN_CHECK(
            cudnnSetConvolution2dDescriptor(f.conv_desc, 1, 1, 1, 1, 1, 1, CUDNN_CROSS_CORRELATION, compute));
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, forward(f, d, f.x_desc, f.w_desc, f.y_desc));
    }
}

TEST_F(cudnn_strictness, Convolution_MixedLayouts_AreNotSupported)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    tensor_descriptor x, strided;
    filter_descriptor w;
    set(x, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NCHW, f.x.dims));
    set(w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NCHW, f.w.dims);
    set(strided, CUDNN_DATA_FLOAT, {f.x.dims, {2 * f.x.strides[0], 1, f.x.strides[2], f.x.strides[3]}});
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, forward(f, d, x, f.w_desc, f.y_desc));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, forward(f, d, f.x_desc, w, f.y_desc));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, forward(f, d, strided, f.w_desc, f.y_desc));
}

TEST_F(cudnn_strictness, Algorithms_OfNhwcFilters)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    for (int algo = 0; algo < 8; ++algo)
        EXPECT_EQ(algo <= 1 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED, size(f, direction::forward, algo))
            << algo;
    for (int algo = 0; algo < 6; ++algo)
        EXPECT_EQ(algo == 1 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED,
                  size(f, direction::backward_data, algo))
            << algo;
    for (int algo = 0; algo < 7; ++algo)
        EXPECT_EQ(algo <= 1 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED,
                  size(f, direction::backward_filter, algo))
            << algo;
}

TEST_F(cudnn_strictness, Algorithms_OfNchwFilters)
{
    const float_fixture three(k_case, CUDNN_TENSOR_NCHW), dilated(k_dilated, CUDNN_TENSOR_NCHW);
    const float_fixture strided({2, 8, 6, 5, 12, 3, 3, 1, 1, 2, 2, 1, 1}, CUDNN_TENSOR_NCHW);
    const float_fixture five({2, 8, 6, 5, 12, 5, 5, 2, 2, 1, 1, 1, 1}, CUDNN_TENSOR_NCHW);
    const auto supported = [&](const float_fixture& f, direction d) {
        std::string list;
        for (int algo = 0; algo < 8; ++algo)
            if (size(f, d, algo) == CUDNN_STATUS_SUCCESS)
                list += std::to_string(algo);
        return list;
    };
    // DIRECT (3) and backward filter WINOGRAD (4) have no implementation; WINOGRAD needs 3x3 and stride 1, its
    // non-fused form 3x3 or 5x5; all but IMPLICIT_GEMM (0) need a dense filter.
    EXPECT_EQ("01267", supported(three, direction::forward));
    EXPECT_EQ("0127", supported(five, direction::forward));
    EXPECT_EQ("012", supported(strided, direction::forward));
    EXPECT_EQ("0", supported(dilated, direction::forward));
    EXPECT_EQ("0145", supported(three, direction::backward_data));
    EXPECT_EQ("015", supported(five, direction::backward_data));
    EXPECT_EQ("0135", supported(three, direction::backward_filter));
    EXPECT_EQ("013", supported(strided, direction::backward_filter));
}

TEST_F(cudnn_strictness, Algorithms_PrecompGemmDilated_IsNotSupported)
{
    const float_fixture f(k_dilated, CUDNN_TENSOR_NHWC);
    const operands d(f);
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED,
              forward(f, d, f.x_desc, f.w_desc, f.y_desc, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, forward(f, d, f.x_desc, f.w_desc, f.y_desc));
}

TEST_F(cudnn_strictness, Algorithms_UnknownNumbers_AreRefused)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    for (const int algo : {-1, 8, 99})
        EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(f, d, f.x_desc, f.w_desc, f.y_desc, algo));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, size(f, direction::backward_data, 6));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, size(f, direction::backward_filter, 7));
}

TEST_F(cudnn_strictness, Algorithms_BackwardFilter0_NeedsAnEvenHalfFilter)
{
    const convolution_fixture<f16_type> odd({1, 3, 5, 5, 5, 3, 3, 0, 0, 1, 1, 1, 1}, CUDNN_TENSOR_NHWC);
    const convolution_fixture<f16_type> even({1, 4, 5, 5, 5, 3, 3, 0, 0, 1, 1, 1, 1}, CUDNN_TENSOR_NHWC);
    size_t bytes = 0;
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, odd.workspace_size(handle_, direction::backward_filter, 0, &bytes));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, odd.workspace_size(handle_, direction::backward_filter, 1, &bytes));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, even.workspace_size(handle_, direction::backward_filter, 0, &bytes));
}

TEST_F(cudnn_strictness, BackwardBias_OtherShapeOrType_IsRefused)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const device_array<float> dy(f.y_data), db(12);
    const float one = 1, zero = 0;
    for (const auto& [type, dims, status] :
         {std::tuple{CUDNN_DATA_FLOAT, std::array{1, 11, 1, 1}, CUDNN_STATUS_BAD_PARAM},
          {CUDNN_DATA_FLOAT, {1, 12, 2, 1}, CUDNN_STATUS_BAD_PARAM},
          {CUDNN_DATA_HALF, {1, 12, 1, 1}, CUDNN_STATUS_BAD_PARAM},
          {CUDNN_DATA_FLOAT, {1, 12, 1, 1}, CUDNN_STATUS_SUCCESS}}) {
        tensor_descriptor db_desc;
        set(db_desc, type, tensor_shape::packed(CUDNN_TENSOR_NHWC, dims));
        EXPECT_EQ(status,
                  cudnnConvolutionBackwardBias(handle_, &one, f.y_desc, pointer(dy), &zero, db_desc, pointer(db)));
    }
}

// ---- Pointers and workspaces

TEST_F(cudnn_strictness, Pointers_NullOrMisaligned_AreRefused)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    const float one = 1, zero = 0;
    const auto run = [&](const float* alpha, const void* x, const void* w, const float* beta, void* y) {
        return cudnnConvolutionForward(handle_, alpha, f.x_desc, x, f.w_desc, w, f.conv_desc,
                                       CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, pointer(d.workspace), 1 << 22, beta,
                                       f.y_desc, y);
    };
    const auto shifted = [](const device_array<float>& array) { return reinterpret_cast<char*>(pointer(array)) + 2; };
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(nullptr, pointer(d.x), pointer(d.w), &zero, pointer(d.y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(&one, pointer(d.x), pointer(d.w), nullptr, pointer(d.y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(&one, nullptr, pointer(d.w), &zero, pointer(d.y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(&one, pointer(d.x), nullptr, &zero, pointer(d.y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(&one, pointer(d.x), pointer(d.w), &zero, nullptr));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(&one, shifted(d.x), pointer(d.w), &zero, pointer(d.y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(&one, pointer(d.x), shifted(d.w), &zero, pointer(d.y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(&one, pointer(d.x), pointer(d.w), &zero, shifted(d.y)));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, run(&one, pointer(d.x), pointer(d.w), &zero, pointer(d.y)));
}

TEST_F(cudnn_strictness, Workspace_OneByteShortOrNull_IsRefused)
{
    // Half operands are widened in the workspace, so there is one.
    const convolution_fixture<f16_type> f(k_case, CUDNN_TENSOR_NHWC);
    const device_array<uint16_t> x(f.x_data), w(f.w_data), y(f.y_data);
    size_t bytes = 0;
    NIN_CUDNN_CHECK(f.workspace_size(handle_, direction::forward, 1, &bytes));
    ASSERT_GT(bytes, 0u);
    const device_array<uint8_t> workspace(bytes);
    const auto run = [&](void* memory, size_t size) {
        return f.run(handle_, direction::forward, 1, 1, 0, pointer(x), pointer(w), pointer(y), memory, size);
    };
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(pointer(workspace), bytes - 1));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run(nullptr, bytes));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, run(pointer(workspace), bytes));
    workspace.download(); // checks its guards
}

// ---- Algorithm search

TEST_F(cudnn_strictness, AlgorithmList_UsableFirst_WithWorkspacesAndNoTimes)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NCHW);
    int count = 0, returned = -1;
    NIN_CUDNN_CHECK(cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(handle_, &count));
    EXPECT_GT(count, CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT);
    std::vector<cudnnConvolutionBwdFilterAlgoPerf_t> results(count);
    NIN_CUDNN_CHECK(cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle_, f.x_desc, f.y_desc, f.conv_desc, f.w_desc,
                                                                  count, &returned, results.data()));
    ASSERT_EQ(CUDNN_CONVOLUTION_BWD_FILTER_ALGO_COUNT, returned);
    bool is_usable = true;
    for (int i = 0; i < returned; ++i) {
        const auto& result = results[i];
        size_t bytes = 0;
        EXPECT_EQ(result.status, f.workspace_size(handle_, direction::backward_filter, result.algo, &bytes));
        EXPECT_EQ(bytes, result.memory) << result.algo;
        EXPECT_EQ(-1, result.time);
        EXPECT_EQ(result.algo != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0 &&
                      result.algo != CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3,
                  result.determinism == CUDNN_DETERMINISTIC);
        EXPECT_TRUE(is_usable || result.status != CUDNN_STATUS_SUCCESS) << "usable after unusable";
        is_usable = result.status == CUDNN_STATUS_SUCCESS;
    }
    NIN_CUDNN_CHECK(cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle_, f.x_desc, f.y_desc, f.conv_desc, f.w_desc, 2,
                                                                  &returned, results.data()));
    EXPECT_EQ(2, returned);
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM,
              cudnnGetConvolutionBackwardFilterAlgorithm_v7(handle_, f.x_desc, f.y_desc, f.conv_desc, f.w_desc, 0,
                                                            &returned, results.data()));
}

TEST_F(cudnn_strictness, FindEx_LeavesNoResult_AndTriesWhatFitsTheWorkspace)
{
    const convolution_fixture<f16_type> f(k_case, CUDNN_TENSOR_NHWC);
    const device_array<uint16_t> x(f.x_data), w(f.w_data), y(f.y_data);
    const device_array<uint8_t> workspace(1 << 22);
    cudnnConvolutionFwdAlgoPerf_t results[8];
    int returned = 0;
    const auto find = [&](size_t bytes) {
        return cudnnFindConvolutionForwardAlgorithmEx(handle_, f.x_desc, pointer(x), f.w_desc, pointer(w), f.conv_desc,
                                                      f.y_desc, pointer(y), 8, &returned, results, pointer(workspace),
                                                      bytes);
    };
    NIN_CUDNN_CHECK(find(1 << 22));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, results[0].status);
    EXPECT_GT(results[0].time, 0);
    for (const uint16_t element : y.download())
        ASSERT_TRUE(std::isnan(f16_type::value(element)));
    EXPECT_EQ(f.x_data, x.download());
    NIN_CUDNN_CHECK(find(0)); // every algorithm of half operands needs some
    for (int i = 0; i < returned; ++i)
        EXPECT_NE(CUDNN_STATUS_SUCCESS, results[i].status);
}

// ---- Fused convolution

TEST_F(cudnn_strictness, Fused_Restrictions)
{
    const convolution_fixture<f16_type> f(k_case, CUDNN_TENSOR_NHWC);
    const device_array<uint16_t> x(f.x_data), w(f.w_data), y(f.y_data), bias(size_t{24});
    size_t bytes = 0;
    NIN_CUDNN_CHECK(f.workspace_size(handle_, direction::forward, 1, &bytes));
    const device_array<uint8_t> workspace(bytes);
    tensor_descriptor bias_desc, float_bias, strided_bias, long_bias, other_z;
    set(bias_desc, CUDNN_DATA_HALF, tensor_shape::packed(CUDNN_TENSOR_NHWC, {1, 12, 1, 1}));
    set(float_bias, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {1, 12, 1, 1}));
    set(strided_bias, CUDNN_DATA_HALF, {{1, 12, 1, 1}, {24, 2, 1, 1}});
    set(long_bias, CUDNN_DATA_HALF, tensor_shape::packed(CUDNN_TENSOR_NHWC, {1, 13, 1, 1}));
    set(other_z, CUDNN_DATA_HALF, tensor_shape::packed(CUDNN_TENSOR_NCHW, f.y.dims));
    struct call {
        cudnnActivationMode_t mode = CUDNN_ACTIVATION_RELU;
        cudnnNanPropagation_t nan = CUDNN_NOT_PROPAGATE_NAN;
        cudnnConvolutionFwdAlgo_t algo = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
        size_t workspace_less = 0;
        cudnnTensorDescriptor_t z_desc, bias_desc;
        const void *z, *bias;
    };
    const call good{.z_desc = f.y_desc, .bias_desc = bias_desc, .z = pointer(y), .bias = pointer(bias)};
    const auto run = [&](const std::function<void(call&)>& change) {
        call c = good;
        change(c);
        const activation_descriptor activation;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnSetActivationDescriptor(activation, c.mode, c.nan, 0));
        const float one = 1, zero = 0;
        return cudnnConvolutionBiasActivationForward(
            handle_, &one, f.x_desc, pointer(x), f.w_desc, pointer(w), f.conv_desc, c.algo, pointer(workspace),
            bytes - c.workspace_less, &zero, c.z_desc, c.z, c.bias_desc, c.bias, activation, f.y_desc, pointer(y));
    };
    const auto plain_gemm = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM;
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, run([](call&) {}));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, run([](call& c) { c.mode = CUDNN_ACTIVATION_IDENTITY; }));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, run([=](call& c) { c.algo = plain_gemm; }));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, run([=](call& c) {
                  c.mode = CUDNN_ACTIVATION_IDENTITY;
                  c.algo = plain_gemm;
              }));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, run([](call& c) { c.mode = CUDNN_ACTIVATION_TANH; }));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, run([](call& c) { c.nan = CUDNN_PROPAGATE_NAN; }));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, run([](call& c) { c.algo = CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([](call& c) { c.workspace_less = 1; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([](call& c) { c.z = nullptr; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([](call& c) { c.z_desc = nullptr; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([&](call& c) { c.z_desc = other_z; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([](call& c) { c.bias = nullptr; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([](call& c) { c.bias_desc = nullptr; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([&](call& c) { c.bias_desc = float_bias; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([&](call& c) { c.bias_desc = strided_bias; }));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, run([&](call& c) { c.bias_desc = long_bias; }));
}

// ---- Activation and tensor arithmetic

TEST_F(cudnn_strictness, Activation_DimensionsTypesAndStrides)
{
    const auto nhwc = tensor_shape::packed(CUDNN_TENSOR_NHWC, {2, 3, 4, 5});
    tensor_descriptor plain, half, other_dims, nchw;
    set(plain, CUDNN_DATA_FLOAT, nhwc);
    set(half, CUDNN_DATA_HALF, nhwc);
    set(other_dims, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {2, 3, 5, 4}));
    set(nchw, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NCHW, nhwc.dims));
    const device_array<float> x(120), y(120), dy(120), dx(120);
    const activation_descriptor relu;
    NIN_CUDNN_CHECK(cudnnSetActivationDescriptor(relu, CUDNN_ACTIVATION_RELU, CUDNN_NOT_PROPAGATE_NAN, 0));
    const float one = 1, zero = 0;
    const auto forward = [&](cudnnTensorDescriptor_t x_desc, cudnnTensorDescriptor_t y_desc, float* result) {
        return cudnnActivationForward(handle_, relu, &one, x_desc, pointer(x), &zero, y_desc, result);
    };
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, forward(plain, nchw, pointer(y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(plain, nchw, pointer(x))); // in place needs one description
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(plain, half, pointer(y)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, forward(plain, other_dims, pointer(y)));
    const auto backward = [&](cudnnTensorDescriptor_t y_desc, cudnnTensorDescriptor_t dy_desc,
                              cudnnTensorDescriptor_t x_desc, cudnnTensorDescriptor_t dx_desc, float* result) {
        return cudnnActivationBackward(handle_, relu, &one, y_desc, pointer(y), dy_desc, pointer(dy), x_desc,
                                       pointer(x), &zero, dx_desc, result);
    };
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, backward(nchw, nchw, plain, plain, pointer(dx)));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, backward(nchw, plain, plain, plain, pointer(dx)));
    EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, backward(plain, plain, plain, nchw, pointer(dx)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, backward(nchw, nchw, plain, plain, pointer(dy)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, backward(half, half, plain, plain, pointer(dx)));
}

TEST_F(cudnn_strictness, TensorArithmetic_ShapesThatDoNotFit_AreRefused)
{
    tensor_descriptor c, row, half, other;
    set(c, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {2, 3, 4, 5}));
    set(row, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {1, 2, 1, 1}));
    set(half, CUDNN_DATA_HALF, tensor_shape::packed(CUDNN_TENSOR_NHWC, {1, 3, 1, 1}));
    set(other, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {2, 3, 5, 4}));
    const device_array<float> a(120), result(120);
    const float one = 1;
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnAddTensor(handle_, &one, row, pointer(a), &one, c, pointer(result)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnAddTensor(handle_, &one, half, pointer(a), &one, c, pointer(result)));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnTransformTensor(handle_, &one, other, pointer(a), &one, c, pointer(result)));
}

// ---- Handles, contexts, streams

TEST_F(cudnn_strictness, Handle_DestroyedOrNull_IsRefused)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    cudnnHandle_t handle = nullptr;
    NIN_CUDNN_CHECK(cudnnCreate(&handle));
    NIN_CUDNN_CHECK(cudnnDestroy(handle));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetStream(handle, nullptr));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnDestroy(handle));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnSetStream(nullptr, nullptr));
    EXPECT_EQ(CUDNN_STATUS_BAD_PARAM, cudnnCreate(nullptr));
}

TEST_F(cudnn_strictness, Call_WithoutCurrentContext_FailsToExecute)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    CUcontext context = nullptr;
    NIN_CHECK(cuCtxGetCurrent(&context));
    NIN_CHECK(cuCtxSetCurrent(nullptr));
    EXPECT_EQ(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, forward(f, d, f.x_desc, f.w_desc, f.y_desc));
    NIN_CHECK(cuCtxSetCurrent(context));
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, forward(f, d, f.x_desc, f.w_desc, f.y_desc));
}

TEST_F(cudnn_strictness, Call_OnADestroyedStream_FailsToExecute)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    CUstream stream = nullptr;
    NIN_CHECK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    NIN_CUDNN_CHECK(cudnnSetStream(handle_, stream));
    NIN_CHECK(cuStreamDestroy_v2(stream));
    EXPECT_EQ(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, forward(f, d, f.x_desc, f.w_desc, f.y_desc));
}

TEST(cudnn_contexts, Handle_OfAnotherContext_FailsToExecute)
{
    const environment_variable devices("NIN_HOST_DEVICES", "2");
    EXPECT_IN_OWN_PROCESS({
        CUcontext contexts[2];
        EXPECT_OK(cuInit(0));
        EXPECT_OK(cuDevicePrimaryCtxRetain(&contexts[0], 0));
        EXPECT_OK(cuDevicePrimaryCtxRetain(&contexts[1], 1));
        EXPECT_OK(cuCtxSetCurrent(contexts[0]));
        cudnnHandle_t handle = nullptr;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnCreate(&handle));
        EXPECT_OK(cuCtxSetCurrent(contexts[1]));
        tensor_descriptor desc;
        set(desc, CUDNN_DATA_FLOAT, tensor_shape::packed(CUDNN_TENSOR_NHWC, {1, 1, 1, 1}));
        const device_array<float> y(1);
        const float value = 1;
        EXPECT_EQ(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, cudnnSetTensor(handle, desc, pointer(y), &value));
        EXPECT_OK(cuCtxSynchronize()); // and nothing ran
    });
}

TEST_F(cudnn_strictness, Streams_OfTwoHandles_AreOrderedByEvents)
{
    const auto shape = tensor_shape::packed(CUDNN_TENSOR_NHWC, {1, 4, 8, 8});
    tensor_descriptor desc;
    set(desc, CUDNN_DATA_FLOAT, shape);
    const device_array<float> first(shape.count()), second(shape.count());
    cudnnHandle_t other = nullptr;
    NIN_CUDNN_CHECK(cudnnCreate(&other));
    CUstream streams[2];
    CUevent filled = nullptr;
    for (auto& stream : streams)
        NIN_CHECK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    NIN_CHECK(cuEventCreate(&filled, CU_EVENT_DISABLE_TIMING));
    NIN_CUDNN_CHECK(cudnnSetStream(handle_, streams[0]));
    NIN_CUDNN_CHECK(cudnnSetStream(other, streams[1]));
    const float three = 3, two = 2, zero = 0;
    gate held; // the first stream is still busy when the second gets its work
    NIN_CHECK(held.block_worker(streams[0]));
    NIN_CUDNN_CHECK(cudnnSetTensor(handle_, desc, pointer(first), &three));
    NIN_CHECK(cuEventRecord(filled, streams[0]));
    NIN_CHECK(cuStreamWaitEvent(streams[1], filled, 0));
    NIN_CUDNN_CHECK(cudnnTransformTensor(other, &two, desc, pointer(first), &zero, desc, pointer(second)));
    held.open();
    expect_elements<f32_type>(second.download(), std::vector<double>(shape.count(), 6));
    NIN_CUDNN_CHECK(cudnnSetStream(handle_, nullptr));
    NIN_CUDNN_CHECK(cudnnDestroy(other));
}

// ---- Capture

class cudnn_capture : public cudnn_strictness
{
  protected:
    void SetUp() override
    {
        cudnn_strictness::SetUp();
        NIN_CHECK(cuStreamCreate(&stream_, CU_STREAM_NON_BLOCKING));
        NIN_CUDNN_CHECK(cudnnSetStream(handle_, stream_));
    }

    void begin() { ASSERT_OK(cuStreamBeginCapture_v2(stream_, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)); }

    CUstream stream_ = nullptr;
};

TEST_F(cudnn_capture, Convolution_IsRecordedWithItsFactors)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    float alpha = 2, beta = 0;
    begin();
    NIN_CUDNN_CHECK(cudnnConvolutionForward(handle_, &alpha, f.x_desc, pointer(d.x), f.w_desc, pointer(d.w),
                                            f.conv_desc, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, pointer(d.workspace),
                                            1 << 22, &beta, f.y_desc, pointer(d.y)));
    alpha = 5; // the graph has the old value
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuStreamEndCapture(stream_, &graph));
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    EXPECT_EQ(f.y_data, d.y.download()); // nothing has run
    ASSERT_OK(cuGraphLaunch(exec, stream_));
    auto expected = f.expected(direction::forward);
    for (double& value : expected)
        value *= 2;
    expect_elements<f32_type>(d.y.download(), expected);
}

TEST_F(cudnn_capture, HandlesAndMeasurements_AreRefused)
{
    const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
    const operands d(f);
    CUgraph graph = nullptr;
    cudnnHandle_t other = nullptr;
    begin();
    EXPECT_EQ(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, cudnnCreate(&other));
    EXPECT_EQ(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream_, &graph));

    cudnnConvolutionFwdAlgoPerf_t results[8];
    int returned = 0;
    begin();
    EXPECT_EQ(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER,
              cudnnFindConvolutionForwardAlgorithmEx(handle_, f.x_desc, pointer(d.x), f.w_desc, pointer(d.w),
                                                     f.conv_desc, f.y_desc, pointer(d.y), 8, &returned, results,
                                                     pointer(d.workspace), 1 << 22));
    EXPECT_EQ(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream_, &graph));

    begin(); // the heuristic does no work on the device
    EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnGetConvolutionForwardAlgorithm_v7(handle_, f.x_desc, f.w_desc, f.conv_desc,
                                                                           f.y_desc, 8, &returned, results));
    EXPECT_OK(cuStreamEndCapture(stream_, &graph));
}

// ---- Memory that the descriptors reach beyond: seen when the operation runs, so it is the sticky error

class cudnn_out_of_bounds : public cudnn_strictness
{
  protected:
    // `misuse` gets operands of k_case; whatever it queues must fail on the device.
    void expect_illegal_address(const std::function<void(const float_fixture&, const operands&)>& misuse)
    {
        EXPECT_IN_OWN_PROCESS({
            const float_fixture f(k_case, CUDNN_TENSOR_NHWC);
            const operands d(f);
            misuse(f, d);
            EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
            EXPECT_EQ(CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, forward(f, d, f.x_desc, f.w_desc, f.y_desc));
        });
    }

    cudnnStatus_t run(const float_fixture& f, const void* x, const void* w, void* workspace, size_t bytes, void* y)
    {
        const float one = 1, zero = 0;
        return cudnnConvolutionForward(handle_, &one, f.x_desc, x, f.w_desc, w, f.conv_desc,
                                       CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_GEMM, workspace, bytes, &zero, f.y_desc, y);
    }

    static void* allocate(size_t bytes)
    {
        CUdeviceptr address = 0;
        EXPECT_OK(cuMemAlloc_v2(&address, bytes));
        return reinterpret_cast<void*>(address);
    }
};

TEST_F(cudnn_out_of_bounds, Operand_OneElementShort_IsIllegalAddress)
{
    expect_illegal_address([&](const float_fixture& f, const operands& d) {
        void* const x = allocate((f.x.count() - 1) * sizeof(float));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, run(f, x, pointer(d.w), pointer(d.workspace), 1 << 22, pointer(d.y)));
    });
    expect_illegal_address([&](const float_fixture& f, const operands& d) {
        void* const w = allocate((f.w.count() - 1) * sizeof(float));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, run(f, pointer(d.x), w, pointer(d.workspace), 1 << 22, pointer(d.y)));
    });
    expect_illegal_address([&](const float_fixture& f, const operands& d) {
        void* const y = allocate((f.y.count() - 1) * sizeof(float));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, run(f, pointer(d.x), pointer(d.w), pointer(d.workspace), 1 << 22, y));
    });
}

TEST_F(cudnn_out_of_bounds, Workspace_ShorterThanItsSizeSays_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const convolution_fixture<f16_type> f(k_case, CUDNN_TENSOR_NHWC);
        const device_array<uint16_t> x(f.x_data), w(f.w_data), y(f.y_data);
        size_t bytes = 0;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, f.workspace_size(handle_, direction::forward, 1, &bytes));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, f.run(handle_, direction::forward, 1, 1, 0, pointer(x), pointer(w), pointer(y),
                                              allocate(bytes - 1), bytes));
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
    });
}

TEST_F(cudnn_out_of_bounds, Strides_ThatLeaveTheAllocation_AreIllegalAddress)
{
    expect_illegal_address([&](const float_fixture& f, const operands& d) {
        tensor_descriptor wide;
        const auto& s = f.x.strides;
        set(wide, CUDNN_DATA_FLOAT, {f.x.dims, {100 * s[0], s[1], s[2], s[3]}});
        const float value = 1;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnSetTensor(handle_, wide, pointer(d.x), &value));
    });
}

TEST_F(cudnn_out_of_bounds, Operand_FreedOrOnTheHost_IsIllegalAddress)
{
    expect_illegal_address([&](const float_fixture& f, const operands& d) {
        void* const x = allocate(f.x.count() * sizeof(float));
        EXPECT_OK(cuMemFree_v2(reinterpret_cast<CUdeviceptr>(x)));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, run(f, x, pointer(d.w), pointer(d.workspace), 1 << 22, pointer(d.y)));
    });
    expect_illegal_address([&](const float_fixture& f, const operands& d) {
        EXPECT_EQ(CUDNN_STATUS_SUCCESS,
                  run(f, f.x_data.data(), pointer(d.w), pointer(d.workspace), 1 << 22, pointer(d.y)));
    });
}

} // namespace
} // namespace nin::tests
