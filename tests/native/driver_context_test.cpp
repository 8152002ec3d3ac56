// Primary contexts and the thread's current context.
#include "driver_test.h"

using namespace nin::tests;

namespace
{

class context_test : public driver_test
{
};

bool is_active()
{
    unsigned int flags = 99;
    int active = -1;
    EXPECT_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
    EXPECT_EQ(flags, 0u);
    return active == 1;
}

} // namespace

TEST_F(context_test, OtherThread_HasNoCurrentContext)
{
    std::thread([] {
        CUdeviceptr address = 0;
        CUcontext current = reinterpret_cast<CUcontext>(1);
        EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_INVALID_CONTEXT);
        EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
        EXPECT_EQ(cuStreamSynchronize(nullptr), CUDA_ERROR_INVALID_CONTEXT);
        EXPECT_OK(cuCtxGetCurrent(&current));
        EXPECT_EQ(current, nullptr);
        // Retaining does not make current.
        CUcontext retained = nullptr;
        EXPECT_OK(cuDevicePrimaryCtxRetain(&retained, 0));
        EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
        EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
    }).join();
}

TEST_F(context_test, Release_IsCounted)
{
    CUcontext again = nullptr;
    ASSERT_OK(cuDevicePrimaryCtxRetain(&again, 0));
    EXPECT_EQ(again, context);
    ASSERT_OK(cuDevicePrimaryCtxRelease_v2(0));
    EXPECT_TRUE(is_active());
    EXPECT_OK(cuCtxSynchronize());
}

TEST_F(context_test, LastRelease_DestroysContents)
{
    const CUdeviceptr address = allocate(64);
    const CUstream stream = create_stream();
    const CUevent event = create_event();
    void* pinned = allocate_pinned(4);
    const kernel reduce;
    ASSERT_OK(cuDevicePrimaryCtxRelease_v2(0));
    EXPECT_FALSE(is_active());
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
    EXPECT_EQ(cuCtxSetCurrent(context), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), CUDA_ERROR_INVALID_CONTEXT);

    ASSERT_OK(cuDevicePrimaryCtxRetain(&context, 0));
    ASSERT_OK(cuCtxSetCurrent(context));
    EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemFreeHost(pinned), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuEventQuery(event), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuModuleUnload(reduce.module), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(reduce.launch(0, 0, 0, 0, nullptr), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(context_test, LastRelease_CompletesQueuedWork)
{
    const CUstream stream = create_stream();
    int runs = 0;
    for (int i = 0; i < 10; ++i)
        ASSERT_OK(cuLaunchHostFunc(
            stream, [](void* count) { ++*static_cast<int*>(count); }, &runs));
    ASSERT_OK(cuDevicePrimaryCtxRelease_v2(0));
    EXPECT_EQ(runs, 10);
    ASSERT_OK(cuDevicePrimaryCtxRetain(&context, 0));
}

TEST_F(context_test, Stack_PushAndPop)
{
    CUcontext popped = nullptr;
    ASSERT_OK(cuCtxPushCurrent_v2(context));
    ASSERT_OK(cuCtxSetCurrent(context)); // replaces the top
    ASSERT_OK(cuCtxPopCurrent_v2(&popped));
    EXPECT_EQ(popped, context);
    EXPECT_OK(cuCtxSynchronize()); // the first one is still there
    ASSERT_OK(cuCtxPopCurrent_v2(nullptr));
    EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_EQ(cuCtxPopCurrent_v2(&popped), CUDA_ERROR_INVALID_CONTEXT);
}

TEST_F(context_test, SetCurrent_ForeignHandle_IsRefused)
{
    EXPECT_EQ(cuCtxSetCurrent(reinterpret_cast<CUcontext>(create_stream())), CUDA_ERROR_INVALID_CONTEXT);
    EXPECT_EQ(cuCtxPushCurrent_v2(reinterpret_cast<CUcontext>(0x1234)), CUDA_ERROR_INVALID_CONTEXT);
}

TEST(driver_two_contexts_test, Work_OnAnotherContextsStream_IsRefused)
{
    environment_variable devices("NIN_HOST_DEVICES", "2");
    EXPECT_IN_OWN_PROCESS({
        ASSERT_OK(cuInit(0));
        CUcontext contexts[2] = {};
        CUstream stream = nullptr;
        CUevent event = nullptr;
        CUdeviceptr address = 0;
        ASSERT_OK(cuDevicePrimaryCtxRetain(&contexts[0], 0));
        ASSERT_OK(cuDevicePrimaryCtxRetain(&contexts[1], 1));
        ASSERT_OK(cuCtxSetCurrent(contexts[1]));
        ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        ASSERT_OK(cuMemAlloc_v2(&address, 256));
        ASSERT_OK(cuCtxSetCurrent(contexts[0]));
        ASSERT_OK(cuEventCreate(&event, 0));
        const kernel reduce; // of device 0
        EXPECT_EQ(reduce.launch(0, 0, 0, 0, stream), CUDA_ERROR_INVALID_HANDLE);
        EXPECT_EQ(cuEventRecord(event, stream), CUDA_ERROR_INVALID_HANDLE);
        EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE);
        EXPECT_OK(cuMemsetD8Async(address, 0, 256, stream)); // a fill runs where its stream is
        EXPECT_OK(cuStreamSynchronize(stream));
    });
}
