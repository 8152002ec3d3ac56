// Events: completion, waits and timing.
#include "driver_test.h"

#include <atomic>
#include <chrono>

using namespace nin::tests;

namespace
{

class event_test : public driver_test
{
};

void sleep_20ms(void*)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}
void set_flag(void* flag)
{
    static_cast<std::atomic<bool>*>(flag)->store(true);
}

} // namespace

TEST_F(event_test, NeverRecorded_CountsAsComplete)
{
    const CUevent event = create_event();
    const CUstream stream = create_stream();
    EXPECT_OK(cuEventQuery(event));
    EXPECT_OK(cuEventSynchronize(event));
    EXPECT_OK(cuStreamWaitEvent(stream, event, 0));
    EXPECT_OK(cuStreamSynchronize(stream));
}

TEST_F(event_test, Create_BadFlags_AreRefused)
{
    CUevent event = nullptr;
    EXPECT_EQ(cuEventCreate(&event, 8), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuEventCreate(&event, CU_EVENT_INTERPROCESS | CU_EVENT_DISABLE_TIMING), CUDA_ERROR_NOT_SUPPORTED);
    EXPECT_EQ(cuEventCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(cuEventCreate(&event, CU_EVENT_BLOCKING_SYNC));
    EXPECT_EQ(cuStreamWaitEvent(nullptr, event, 1), CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_EQ(cuEventDestroy_v2(event), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuEventRecord(event, nullptr), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuEventQuery(nullptr), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(event_test, Query_FollowsTheStream)
{
    NIN_WORKER_MODE_ONLY();
    const CUevent event = create_event();
    const CUstream stream = create_stream();
    gate closed;
    ASSERT_OK(closed.block(stream));
    ASSERT_OK(cuEventRecord(event, stream));
    EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
    float elapsed = 0;
    EXPECT_EQ(cuEventElapsedTime(&elapsed, event, event), CUDA_ERROR_NOT_READY);
    closed.open();
    ASSERT_OK(cuEventSynchronize(event));
    EXPECT_OK(cuEventQuery(event));
}

TEST_F(event_test, Query_MakesProgress)
{
    const CUevent event = create_event();
    const CUstream stream = create_stream();
    std::atomic<bool> has_run{false};
    ASSERT_OK(cuLaunchHostFunc(stream, set_flag, &has_run));
    ASSERT_OK(cuEventRecord(event, stream));
    while (cuEventQuery(event) == CUDA_ERROR_NOT_READY)
        std::this_thread::yield();
    EXPECT_TRUE(has_run);
}

TEST_F(event_test, Wait_UsesTheStateOfTheCall)
{
    NIN_WORKER_MODE_ONLY();
    const CUevent event = create_event();
    const CUstream recorder = create_stream();
    const CUstream waiter = create_stream();
    ASSERT_OK(cuEventRecord(event, recorder));
    ASSERT_OK(cuStreamWaitEvent(waiter, event, 0));
    gate closed;
    ASSERT_OK(closed.block(recorder));
    ASSERT_OK(cuEventRecord(event, recorder)); // later than the wait
    EXPECT_OK(cuStreamSynchronize(waiter));    // would never return if it counted
    EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_NOT_READY);
}

TEST_F(event_test, Wait_SurvivesTheEventsDestruction)
{
    const CUevent event = create_event();
    const CUstream recorder = create_stream();
    const CUstream waiter = create_stream();
    std::atomic<bool> has_run{false};
    ASSERT_OK(cuLaunchHostFunc(recorder, sleep_20ms, nullptr));
    ASSERT_OK(cuLaunchHostFunc(recorder, set_flag, &has_run));
    ASSERT_OK(cuEventRecord(event, recorder));
    ASSERT_OK(cuStreamWaitEvent(waiter, event, 0));
    ASSERT_OK(cuEventDestroy_v2(event));
    ASSERT_OK(cuStreamDestroy_v2(recorder));
    ASSERT_OK(cuStreamSynchronize(waiter));
    EXPECT_TRUE(has_run);
}

TEST_F(event_test, ElapsedTime_CoversTheWorkBetween)
{
    const CUevent start = create_event();
    const CUevent end = create_event();
    const CUstream stream = create_stream();
    ASSERT_OK(cuEventRecord(start, stream));
    ASSERT_OK(cuLaunchHostFunc(stream, sleep_20ms, nullptr));
    ASSERT_OK(cuEventRecord(end, stream));
    ASSERT_OK(cuEventSynchronize(end));
    float milliseconds = 0;
    ASSERT_OK(cuEventElapsedTime(&milliseconds, start, end));
    EXPECT_GE(milliseconds, 20.0f);
    ASSERT_OK(cuEventElapsedTime(&milliseconds, end, start));
    EXPECT_LE(milliseconds, -20.0f);
}

TEST_F(event_test, ElapsedTime_WithoutTwoTimes_IsRefused)
{
    const CUevent recorded = create_event();
    const CUevent fresh = create_event();
    const CUevent timeless = create_event(CU_EVENT_DISABLE_TIMING);
    ASSERT_OK(cuEventRecord(recorded, nullptr));
    ASSERT_OK(cuEventRecord(timeless, nullptr));
    ASSERT_OK(cuCtxSynchronize());
    float milliseconds = 0;
    EXPECT_EQ(cuEventElapsedTime(&milliseconds, recorded, fresh), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuEventElapsedTime(&milliseconds, fresh, recorded), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuEventElapsedTime(&milliseconds, recorded, timeless), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuEventElapsedTime(nullptr, recorded, recorded), CUDA_ERROR_INVALID_VALUE);
    ASSERT_OK(cuEventElapsedTime(&milliseconds, recorded, recorded));
    EXPECT_EQ(milliseconds, 0.0f);
}
