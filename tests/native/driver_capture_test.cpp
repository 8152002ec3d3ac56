// What is illegal while a stream captures, and what it does to the capture.
#include "driver_test.h"

using namespace nin::tests;

namespace
{

class capture_test : public driver_test
{
  protected:
    void SetUp() override
    {
        driver_test::SetUp();
        stream = create_stream();
        address = allocate(64);
    }

    void begin(CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_GLOBAL)
    {
        ASSERT_OK(cuStreamBeginCapture_v2(stream, mode));
    }

    CUresult end()
    {
        CUgraph graph = nullptr;
        const CUresult status = cuStreamEndCapture(stream, &graph);
        EXPECT_EQ(graph != nullptr, status == CUDA_SUCCESS);
        return status;
    }

    // The call made before this invalidated the capture, which can still be ended.
    void expect_invalidated()
    {
        EXPECT_EQ(capture_status(stream), CU_STREAM_CAPTURE_STATUS_INVALIDATED);
        EXPECT_EQ(cuMemsetD8Async(address, 0, 64, stream), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
        EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
        EXPECT_EQ(capture_status(stream), CU_STREAM_CAPTURE_STATUS_NONE);
        EXPECT_OK(cuMemsetD8Async(address, 0, 64, stream));
        EXPECT_OK(cuStreamSynchronize(stream));
    }

    CUstream stream = nullptr;
    CUdeviceptr address = 0;
};

template <typename Body> void on_another_thread(CUcontext context, Body&& body)
{
    std::thread([&] {
        ASSERT_OK(cuCtxSetCurrent(context));
        body();
    }).join();
}

} // namespace

TEST_F(capture_test, Status_FollowsTheCapture)
{
    EXPECT_EQ(capture_status(stream), CU_STREAM_CAPTURE_STATUS_NONE);
    begin();
    EXPECT_EQ(capture_status(stream), CU_STREAM_CAPTURE_STATUS_ACTIVE);
    EXPECT_EQ(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL), CUDA_ERROR_ILLEGAL_STATE);
    EXPECT_OK(end());
    EXPECT_EQ(capture_status(stream), CU_STREAM_CAPTURE_STATUS_NONE);
    EXPECT_EQ(end(), CUDA_ERROR_ILLEGAL_STATE);
}

TEST_F(capture_test, Begin_OnTheLegacyStream_IsUnsupported)
{
    EXPECT_EQ(cuStreamBeginCapture_v2(nullptr, CU_STREAM_CAPTURE_MODE_RELAXED), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    EXPECT_EQ(cuStreamBeginCapture_v2(stream, static_cast<CUstreamCaptureMode>(3)), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(capture_test, Synchronize_OfTheStream_Invalidates)
{
    begin();
    EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    expect_invalidated();
}

TEST_F(capture_test, Query_OfTheStream_Invalidates)
{
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    expect_invalidated();
}

TEST_F(capture_test, Destroy_OfTheStream_Invalidates)
{
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuStreamDestroy_v2(stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    expect_invalidated();
}

TEST_F(capture_test, Synchronize_OfTheContext_Invalidates)
{
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    expect_invalidated();
}

TEST_F(capture_test, CapturedEvent_CannotBeQueried)
{
    const CUevent event = create_event();
    float elapsed = 0;
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    ASSERT_OK(cuEventRecord(event, stream));
    EXPECT_EQ(cuEventElapsedTime(&elapsed, event, event), CUDA_ERROR_CAPTURED_EVENT);
    EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_CAPTURED_EVENT);
    expect_invalidated();
    EXPECT_EQ(cuEventSynchronize(event), CUDA_ERROR_CAPTURED_EVENT);
    EXPECT_EQ(cuStreamWaitEvent(create_stream(), event, 0), CUDA_ERROR_CAPTURED_EVENT);
    ASSERT_OK(cuEventRecord(event, stream)); // recorded anew, outside a capture
    EXPECT_OK(cuEventSynchronize(event));
}

TEST_F(capture_test, UnsafeCalls_InTheCapturingThread_Invalidate)
{
    for (CUstreamCaptureMode mode : {CU_STREAM_CAPTURE_MODE_GLOBAL, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL}) {
        CUdeviceptr fresh = 0;
        void* pinned = nullptr;
        CUmodule module = nullptr;
        unsigned int value = 0;
        const CUevent event = create_event();
        begin(mode);
        EXPECT_EQ(cuMemAlloc_v2(&fresh, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        expect_invalidated();
        begin(mode);
        EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        expect_invalidated();
        begin(mode);
        EXPECT_EQ(cuMemHostAlloc(&pinned, 4, 0), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        expect_invalidated();
        begin(mode);
        EXPECT_EQ(cuModuleLoadData(&module, k_reduce_ptx), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        expect_invalidated();
        begin(mode);
        EXPECT_EQ(cuMemcpyDtoH_v2(&value, address, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        expect_invalidated();
        begin(mode);
        EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
        expect_invalidated();
    }
}

TEST_F(capture_test, UnsafeCalls_WithRelaxedCapture_ArePermitted)
{
    CUdeviceptr fresh = 0;
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_OK(cuMemAlloc_v2(&fresh, 4));
    EXPECT_OK(cuMemFree_v2(fresh));
    EXPECT_OK(end());
}

TEST_F(capture_test, UnsafeCalls_OfOtherThreads_DependOnBothModes)
{
    begin(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    on_another_thread(context, [] {
        CUdeviceptr fresh = 0;
        EXPECT_OK(cuMemAlloc_v2(&fresh, 4));
    });
    EXPECT_OK(end());

    begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
    on_another_thread(context, [] {
        CUdeviceptr fresh = 0;
        CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_THREAD_LOCAL;
        EXPECT_OK(cuThreadExchangeStreamCaptureMode(&mode));
        EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_GLOBAL); // what a thread starts with
        EXPECT_OK(cuMemAlloc_v2(&fresh, 4));
    });
    EXPECT_OK(end());

    begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
    on_another_thread(context, [] {
        CUdeviceptr fresh = 0;
        EXPECT_EQ(cuMemAlloc_v2(&fresh, 4), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    });
    expect_invalidated();
}

TEST_F(capture_test, UnsafeCalls_InARelaxedThread_ArePermitted)
{
    CUdeviceptr fresh = 0;
    begin(CU_STREAM_CAPTURE_MODE_GLOBAL);
    CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
    ASSERT_OK(cuThreadExchangeStreamCaptureMode(&mode));
    EXPECT_OK(cuMemAlloc_v2(&fresh, 4));
    ASSERT_OK(cuThreadExchangeStreamCaptureMode(&mode));
    EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_RELAXED);
    mode = static_cast<CUstreamCaptureMode>(9);
    EXPECT_EQ(cuThreadExchangeStreamCaptureMode(&mode), CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(end());
}

TEST_F(capture_test, PageableCopies_AreUnsupported)
{
    unsigned int value = 0;
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuMemcpyHtoDAsync_v2(address, &value, 4, stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    expect_invalidated();
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuMemcpyDtoHAsync_v2(&value, address, 4, stream), CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
    expect_invalidated();
}

TEST_F(capture_test, End_OnAnotherThread_IsWrongThread)
{
    begin(CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
    on_another_thread(context, [this] { EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_WRONG_THREAD); });
    EXPECT_OK(end());
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    on_another_thread(context, [this] { EXPECT_OK(end()); });
}

TEST_F(capture_test, SideStream_NotJoined_IsUnjoined)
{
    const CUstream side = create_stream();
    const CUevent forked = create_event();
    begin();
    ASSERT_OK(cuEventRecord(forked, stream));
    ASSERT_OK(cuStreamWaitEvent(side, forked, 0));
    ASSERT_OK(cuMemsetD8Async(address, 1, 4, side));
    CUgraph graph = nullptr;
    EXPECT_EQ(cuStreamEndCapture(side, &graph), CUDA_ERROR_STREAM_CAPTURE_UNMATCHED);
    EXPECT_EQ(end(), CUDA_ERROR_STREAM_CAPTURE_UNJOINED);
    EXPECT_EQ(capture_status(side), CU_STREAM_CAPTURE_STATUS_NONE);
    EXPECT_OK(cuMemsetD8Async(address, 1, 4, side));
    EXPECT_OK(cuStreamSynchronize(side));
}

TEST_F(capture_test, Wait_ForAnOutsideEvent_IsIsolation)
{
    const CUevent outside = create_event();
    const CUevent fresh = create_event();
    ASSERT_OK(cuEventRecord(outside, create_stream()));
    begin();
    EXPECT_OK(cuStreamWaitEvent(stream, fresh, 0)); // never recorded: nothing to wait for
    EXPECT_EQ(cuStreamWaitEvent(stream, outside, 0), CUDA_ERROR_STREAM_CAPTURE_ISOLATION);
    expect_invalidated();
}

TEST_F(capture_test, Wait_ForAnotherCapture_IsMerge)
{
    const CUstream other = create_stream();
    const CUevent event = create_event();
    begin();
    ASSERT_OK(cuStreamBeginCapture_v2(other, CU_STREAM_CAPTURE_MODE_GLOBAL));
    ASSERT_OK(cuEventRecord(event, other));
    EXPECT_EQ(cuStreamWaitEvent(stream, event, 0), CUDA_ERROR_STREAM_CAPTURE_MERGE);
    CUgraph graph = nullptr;
    EXPECT_EQ(cuStreamEndCapture(other, &graph), CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
    expect_invalidated();
}

TEST_F(capture_test, LegacyStream_WhileABlockingStreamCaptures_IsImplicit)
{
    const CUevent event = create_event();
    ASSERT_OK(cuStreamDestroy_v2(stream));
    stream = create_stream(CU_STREAM_DEFAULT);
    CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuStreamIsCapturing(nullptr, &status), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    EXPECT_EQ(capture_status(stream), CU_STREAM_CAPTURE_STATUS_ACTIVE); // asking does no harm
    EXPECT_EQ(cuMemsetD8Async(address, 0, 4, nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    expect_invalidated();
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuMemcpyHtoD_v2(address, &status, 4), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    expect_invalidated();
    begin(CU_STREAM_CAPTURE_MODE_RELAXED);
    EXPECT_EQ(cuEventRecord(event, nullptr), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    expect_invalidated();
    EXPECT_OK(cuStreamSynchronize(nullptr));
}

TEST_F(capture_test, LegacyStream_WhileANonBlockingStreamCaptures_IsUsable)
{
    begin();
    EXPECT_OK(cuMemsetD8Async(address, 0, 4, nullptr));
    EXPECT_EQ(capture_status(nullptr), CU_STREAM_CAPTURE_STATUS_NONE);
    EXPECT_OK(end());
}

TEST_F(capture_test, LegacyStream_WaitingForACapturedEvent_IsImplicit)
{
    const CUevent event = create_event();
    begin();
    ASSERT_OK(cuEventRecord(event, stream));
    EXPECT_EQ(cuStreamWaitEvent(nullptr, event, 0), CUDA_ERROR_STREAM_CAPTURE_IMPLICIT);
    expect_invalidated();
}

TEST_F(capture_test, Release_OfTheContext_EndsCaptures)
{
    begin();
    ASSERT_OK(cuDevicePrimaryCtxRelease_v2(0));
    ASSERT_OK(cuDevicePrimaryCtxRetain(&context, 0));
    CUdeviceptr fresh = 0;
    EXPECT_OK(cuMemAlloc_v2(&fresh, 4)); // would be refused if the GLOBAL capture still counted
}
