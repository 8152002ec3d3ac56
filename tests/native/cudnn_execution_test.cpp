// cuDNN's rules of execution: handles and their contexts and streams, captures, memory that descriptors reach beyond.
// docs/host-provider.md lists the rules with these tests.
#include "cudnn_strictness.h"

namespace nin::tests
{
namespace
{

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
