// Asynchronous failures: sticky for the whole process, so each case has a process of its own.
#include "driver_test.h"

#include <stdexcept>

using namespace nin::tests;

namespace
{

class sticky_error_test : public driver_test
{
  protected:
    // Every later call reports the error; what describes errors and the version still works.
    static void expect_everything_fails(CUresult expected)
    {
        CUdeviceptr fresh = 0;
        CUstream stream = nullptr;
        CUcontext current = nullptr;
        int count = 0;
        const char* name = nullptr;
        EXPECT_EQ(cuCtxSynchronize(), expected);
        EXPECT_EQ(cuCtxSynchronize(), expected);
        EXPECT_EQ(cuMemAlloc_v2(&fresh, 4), expected);
        EXPECT_EQ(cuStreamCreate(&stream, 0), expected);
        EXPECT_EQ(cuStreamQuery(nullptr), expected);
        EXPECT_EQ(cuDevicePrimaryCtxRetain(&current, 0), expected);
        EXPECT_EQ(cuDeviceGetCount(&count), expected);
        EXPECT_OK(cuGetErrorName(expected, &name));
        EXPECT_OK(cuDriverGetVersion(&count));
    }
};

} // namespace

TEST_F(sticky_error_test, Kernel_WithUnallocatedPointer_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const kernel reduce;
        const CUdeviceptr sums = allocate(4);
        const CUresult launched = reduce.launch(CUdeviceptr{0x10000}, sums, 1, 1, nullptr);
        EXPECT_TRUE(launched == CUDA_SUCCESS || launched == CUDA_ERROR_ILLEGAL_ADDRESS);
        expect_everything_fails(CUDA_ERROR_ILLEGAL_ADDRESS);
    });
}

TEST_F(sticky_error_test, Kernel_WritingPastItsAllocation_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const kernel reduce;
        const CUdeviceptr sums = allocate(8);
        const CUdeviceptr next = allocate(8); // a neighbour does not make it legal
        EXPECT_OK(reduce.launch(next, sums, 1, 2, nullptr));
        EXPECT_OK(cuCtxSynchronize());
        reduce.launch(next, sums, 1, 3, nullptr);
        expect_everything_fails(CUDA_ERROR_ILLEGAL_ADDRESS);
    });
}

TEST_F(sticky_error_test, Kernel_OnFreedMemory_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const kernel reduce;
        const CUdeviceptr sums = allocate(4);
        EXPECT_OK(cuMemFree_v2(sums));
        reduce.launch(sums, sums, 1, 1, nullptr);
        expect_everything_fails(CUDA_ERROR_ILLEGAL_ADDRESS);
    });
}

TEST_F(sticky_error_test, Kernel_OnHostMemory_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const kernel reduce;
        float host = 1;
        const CUdeviceptr sums = allocate(4);
        reduce.launch(reinterpret_cast<CUdeviceptr>(&host), sums, 1, 1, nullptr);
        expect_everything_fails(CUDA_ERROR_ILLEGAL_ADDRESS);
    });
}

TEST_F(sticky_error_test, Replay_AfterItsMemoryWasFreed_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const CUstream stream = create_stream();
        const CUdeviceptr address = allocate(4);
        CUgraph graph = nullptr;
        CUgraphExec exec = nullptr;
        EXPECT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
        EXPECT_OK(cuMemsetD32Async(address, 1, 1, stream));
        EXPECT_OK(cuStreamEndCapture(stream, &graph));
        EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        EXPECT_OK(cuMemFree_v2(address));
        EXPECT_OK(cuGraphLaunch(exec, stream));
        expect_everything_fails(CUDA_ERROR_ILLEGAL_ADDRESS);
    });
}

TEST_F(sticky_error_test, ExceptionInAnOperation_IsLaunchFailed)
{
    EXPECT_IN_OWN_PROCESS({
        const CUstream stream = create_stream();
        EXPECT_OK(cuLaunchHostFunc(
            stream, [](void*) { throw std::runtime_error("boom"); }, nullptr));
        expect_everything_fails(CUDA_ERROR_LAUNCH_FAILED);
    });
}

TEST_F(sticky_error_test, LaterWork_DoesNotRun)
{
    EXPECT_IN_OWN_PROCESS({
        const CUstream stream = create_stream();
        bool has_run = false;
        gate closed;
        EXPECT_OK(closed.block_worker(stream));
        EXPECT_OK(cuLaunchHostFunc(
            stream, [](void*) { throw 1; }, nullptr));
        cuLaunchHostFunc(
            stream, [](void* flag) { *static_cast<bool*>(flag) = true; }, &has_run);
        closed.open();
        EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_LAUNCH_FAILED);
        EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_LAUNCH_FAILED);
        EXPECT_FALSE(has_run);
    });
}

TEST_F(sticky_error_test, Trace_CarriesTheReason)
{
    environment_variable trace("NIN_HOST_TRACE", "1");
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            const kernel reduce;
            reduce.launch(CUdeviceptr{0x10000}, CUdeviceptr{0x10000}, 1, 1, nullptr);
            cuCtxSynchronize();
            std::_Exit(0);
        },
        testing::ExitedWithCode(0), "cuCtxSynchronize -> 700: .*bias_reduce_f32.*0x10000");
}
