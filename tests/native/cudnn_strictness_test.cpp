// What cuDNN forbids in arguments, rule by rule: each call is refused with the library's status. docs/host-provider.md
// lists the rules with these tests; cudnn_execution_test.cpp has those about handles, captures and memory.
#include "cudnn_strictness.h"

#include <memory>

namespace nin::tests
{
namespace
{

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

} // namespace
} // namespace nin::tests
