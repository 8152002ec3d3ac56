// NIN_HOST_SKIP_WORK, in processes of their own.
#include "driver_test.h"

#include <numeric>

namespace nin::tests
{
namespace
{

constexpr size_t k_bytes = 64;

struct device_setup {
    CUstream stream = nullptr;
    CUdeviceptr address = 0;

    device_setup()
    {
        CUcontext context = nullptr;
        EXPECT_OK(cuInit(0));
        EXPECT_OK(cuDevicePrimaryCtxRetain(&context, 0));
        EXPECT_OK(cuCtxSetCurrent(context));
        EXPECT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        EXPECT_OK(cuMemAlloc_v2(&address, k_bytes));
    }

    // Fills device memory and copies it over 1, 2, 3, …
    std::vector<uint8_t> round_trip(uint8_t fill, bool replayed) const
    {
        void* pinned = nullptr; // a graph copies to nothing else
        EXPECT_OK(cuMemHostAlloc(&pinned, k_bytes, 0));
        auto* const host = static_cast<uint8_t*>(pinned);
        std::iota(host, host + k_bytes, uint8_t{1});
        CUgraph graph = nullptr;
        CUgraphExec exec = nullptr;
        if (replayed) {
            EXPECT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
        }
        EXPECT_OK(cuMemsetD8Async(address, fill, k_bytes, stream));
        EXPECT_OK(cuMemcpyDtoHAsync_v2(host, address, k_bytes, stream));
        if (replayed) {
            EXPECT_OK(cuStreamEndCapture(stream, &graph));
            EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
            EXPECT_OK(cuGraphLaunch(exec, stream));
        }
        EXPECT_OK(cuStreamSynchronize(stream));
        return {host, host + k_bytes};
    }
};

void expect_round_trip(uint8_t fill, bool replayed, bool is_skipped)
{
    std::vector<uint8_t> expected(k_bytes, fill);
    if (is_skipped)
        std::iota(expected.begin(), expected.end(), uint8_t{1});
    EXPECT_EQ(expected, device_setup().round_trip(fill, replayed));
}

TEST(skipped_work, Operations_LeaveMemoryUntouched)
{
    for (const bool replayed : {false, true}) {
        const environment_variable skip("NIN_HOST_SKIP_WORK", "1");
        EXPECT_IN_OWN_PROCESS(expect_round_trip(0x5a, replayed, true));
    }
}

TEST(skipped_work, Zero_RunsThem)
{
    for (const bool replayed : {false, true}) {
        const environment_variable skip("NIN_HOST_SKIP_WORK", "0");
        EXPECT_IN_OWN_PROCESS(expect_round_trip(0x5a, replayed, false));
    }
}

TEST(skipped_work, HostFunctions_AreNotCalled)
{
    const environment_variable skip("NIN_HOST_SKIP_WORK", "1");
    EXPECT_IN_OWN_PROCESS({
        const device_setup device;
        int calls = 0;
        EXPECT_OK(cuLaunchHostFunc(
            device.stream, [](void* count) { ++*static_cast<int*>(count); }, &calls));
        EXPECT_OK(cuStreamSynchronize(device.stream));
        EXPECT_EQ(0, calls);
    });
}

TEST(skipped_work, Accesses_AreStillChecked)
{
    const environment_variable skip("NIN_HOST_SKIP_WORK", "1");
    EXPECT_IN_OWN_PROCESS({
        const device_setup device;
        CUgraph graph = nullptr;
        CUgraphExec exec = nullptr;
        EXPECT_OK(cuStreamBeginCapture_v2(device.stream, CU_STREAM_CAPTURE_MODE_RELAXED));
        EXPECT_OK(cuMemsetD8Async(device.address, 0, k_bytes, device.stream));
        EXPECT_OK(cuStreamEndCapture(device.stream, &graph));
        EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        EXPECT_OK(cuMemFree_v2(device.address));
        EXPECT_OK(cuGraphLaunch(exec, device.stream));
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuStreamSynchronize(device.stream));
    });
}

TEST(skipped_work, OtherWords_AreRefused)
{
    const environment_variable skip("NIN_HOST_SKIP_WORK", "yes");
    EXPECT_IN_OWN_PROCESS(EXPECT_EQ(CUDA_ERROR_INVALID_VALUE, cuInit(0)));
}

} // namespace
} // namespace nin::tests
