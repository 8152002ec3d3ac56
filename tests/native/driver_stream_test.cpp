// Streams: order, the legacy default stream, host functions, waiting, and the three modes.
#include "driver_test.h"

#include <atomic>
#include <chrono>
#include <filesystem>

using namespace nin::tests;

namespace
{

class stream_test : public driver_test
{
  protected:
    // Adds `digit` to the log when it runs.
    struct entry {
        std::string* log;
        char digit;
    };
    static void write(void* data)
    {
        const auto& self = *static_cast<entry*>(data);
        self.log->push_back(self.digit);
    }
};

CUstream legacy()
{
    return reinterpret_cast<CUstream>(CU_STREAM_LEGACY);
}
CUstream per_thread()
{
    return reinterpret_cast<CUstream>(CU_STREAM_PER_THREAD);
}

void set_flag(void* flag)
{
    static_cast<std::atomic<bool>*>(flag)->store(true);
}
ptrdiff_t count_threads()
{
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}
void sleep_shortly(void*)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
}

} // namespace

TEST_F(stream_test, Operations_RunInOrder)
{
    const CUstream stream = create_stream();
    std::string log;
    std::vector<entry> entries;
    std::string expected;
    for (int i = 0; i < 200; ++i) {
        entries.push_back({&log, static_cast<char>('a' + i % 26)});
        expected.push_back(entries.back().digit);
    }
    for (entry& one : entries)
        ASSERT_OK(cuLaunchHostFunc(stream, write, &one));
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(log, expected);
}

TEST_F(stream_test, Create_BadArguments_AreRefused)
{
    CUstream stream = nullptr;
    EXPECT_EQ(cuStreamCreate(&stream, 2), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuStreamCreate(nullptr, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, -1000));
    EXPECT_OK(cuStreamDestroy_v2(stream));
}

TEST_F(stream_test, Handles_NotLive_AreRecognised)
{
    const CUstream stale = create_stream();
    ASSERT_OK(cuStreamDestroy_v2(stale));
    const CUstream fresh = create_stream(); // must not revive the stale handle
    EXPECT_NE(stale, fresh);
    for (CUstream bad : {stale, reinterpret_cast<CUstream>(0x1000), reinterpret_cast<CUstream>(create_event())}) {
        EXPECT_EQ(cuStreamSynchronize(bad), CUDA_ERROR_INVALID_HANDLE);
        EXPECT_EQ(cuStreamQuery(bad), CUDA_ERROR_INVALID_HANDLE);
        EXPECT_EQ(cuStreamDestroy_v2(bad), CUDA_ERROR_INVALID_HANDLE);
        EXPECT_EQ(cuMemsetD8Async(allocate(4), 0, 4, bad), CUDA_ERROR_INVALID_HANDLE);
        EXPECT_EQ(cuLaunchHostFunc(bad, sleep_shortly, nullptr), CUDA_ERROR_INVALID_HANDLE);
    }
    EXPECT_EQ(cuStreamDestroy_v2(nullptr), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuStreamDestroy_v2(legacy()), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuEventQuery(reinterpret_cast<CUevent>(fresh)), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(stream_test, Destroy_ReturnsAtOnceAndWorkCompletes)
{
    const CUstream stream = create_stream();
    std::atomic<bool> has_run{false};
    gate closed;
    ASSERT_OK(closed.block_worker(stream));
    ASSERT_OK(cuLaunchHostFunc(stream, set_flag, &has_run));
    ASSERT_OK(cuStreamDestroy_v2(stream));
    if (is_stream_mode("worker")) {
        EXPECT_FALSE(has_run);
    }
    closed.open();
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_TRUE(has_run);
}

TEST_F(stream_test, Destroy_WhileTheWorkerLooksForWork_EndsTheWorker)
{
    std::thread([] {}).join(); // with the first one ThreadSanitizer starts one of its own
    const auto before = count_threads();
    for (int i = 0; i < 1000; ++i) {
        const CUstream stream = create_stream();
        std::atomic<bool> flag{false};
        ASSERT_OK(cuLaunchHostFunc(stream, set_flag, &flag));
        ASSERT_OK(cuStreamSynchronize(stream));
        // About as long as the worker looks for work before it sleeps: the stream goes before, meanwhile and after.
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(i % 100);
        while (std::chrono::steady_clock::now() < end) {
        }
        ASSERT_OK(cuStreamDestroy_v2(stream));
    }
    for (int i = 0; i < 1000 && count_threads() > before; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(count_threads(), before);
}

TEST_F(stream_test, Query_WhileWorkIsBlocked_IsNotReady)
{
    NIN_WORKER_MODE_ONLY();
    const CUstream stream = create_stream();
    EXPECT_OK(cuStreamQuery(stream));
    gate closed;
    ASSERT_OK(closed.block(stream));
    EXPECT_EQ(cuStreamQuery(stream), CUDA_ERROR_NOT_READY);
    closed.open();
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_OK(cuStreamQuery(stream));
}

TEST_F(stream_test, Query_MakesProgress)
{
    for (CUstream stream : {create_stream(), legacy()}) {
        std::atomic<bool> has_run{false};
        ASSERT_OK(cuLaunchHostFunc(stream, set_flag, &has_run));
        while (cuStreamQuery(stream) == CUDA_ERROR_NOT_READY)
            std::this_thread::yield();
        EXPECT_TRUE(has_run);
    }
}

TEST_F(stream_test, Deferred_NothingRunsBeforeAWait)
{
    if (!is_stream_mode("deferred"))
        GTEST_SKIP() << "what the deferred mode does";
    const CUstream first = create_stream();
    const CUstream second = create_stream();
    const CUevent event = create_event();
    std::atomic<bool> early{false};
    std::atomic<bool> late{false};
    std::atomic<bool> waiting{false};
    ASSERT_OK(cuLaunchHostFunc(first, set_flag, &early));
    ASSERT_OK(cuEventRecord(event, first));
    ASSERT_OK(cuLaunchHostFunc(first, set_flag, &late));
    ASSERT_OK(cuStreamWaitEvent(second, event, 0));
    ASSERT_OK(cuLaunchHostFunc(second, set_flag, &waiting));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_FALSE(early || late || waiting);
    ASSERT_OK(cuStreamSynchronize(second)); // pulls the first stream's work up to the event
    EXPECT_TRUE(early);
    EXPECT_TRUE(waiting);
    EXPECT_FALSE(late);
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_TRUE(late);
}

TEST_F(stream_test, LegacyStream_WaitsForBlockingStreams)
{
    const CUstream blocking = create_stream(CU_STREAM_DEFAULT);
    std::string log;
    entry entries[] = {{&log, '1'}, {&log, '2'}, {&log, '3'}};
    ASSERT_OK(cuLaunchHostFunc(blocking, sleep_shortly, nullptr));
    ASSERT_OK(cuLaunchHostFunc(blocking, write, &entries[0]));
    ASSERT_OK(cuLaunchHostFunc(nullptr, write, &entries[1]));
    ASSERT_OK(cuLaunchHostFunc(blocking, write, &entries[2]));
    ASSERT_OK(cuStreamSynchronize(blocking));
    EXPECT_EQ(log, "123");
}

TEST_F(stream_test, BlockingStream_WaitsForLegacyStream)
{
    const CUstream blocking = create_stream(CU_STREAM_DEFAULT);
    std::string log;
    entry entries[] = {{&log, '1'}, {&log, '2'}, {&log, '3'}};
    ASSERT_OK(cuLaunchHostFunc(legacy(), sleep_shortly, nullptr));
    ASSERT_OK(cuLaunchHostFunc(legacy(), write, &entries[0]));
    ASSERT_OK(cuLaunchHostFunc(blocking, write, &entries[1]));
    ASSERT_OK(cuLaunchHostFunc(per_thread(), sleep_shortly, nullptr));
    ASSERT_OK(cuLaunchHostFunc(legacy(), write, &entries[2]));
    ASSERT_OK(cuStreamSynchronize(legacy()));
    EXPECT_EQ(log, "123");
}

TEST_F(stream_test, NonBlockingStream_IsOutsideTheLegacyRule)
{
    NIN_WORKER_MODE_ONLY();
    const CUstream stream = create_stream(CU_STREAM_NON_BLOCKING);
    gate closed;
    ASSERT_OK(closed.block(nullptr));
    std::atomic<bool> has_run{false};
    ASSERT_OK(cuLaunchHostFunc(stream, set_flag, &has_run));
    ASSERT_OK(cuStreamSynchronize(stream)); // would never return otherwise
    EXPECT_TRUE(has_run);
    gate other;
    ASSERT_OK(other.block(stream));
    closed.open();
    EXPECT_OK(cuStreamSynchronize(nullptr));
}

TEST_F(stream_test, LegacySynchronize_CoversBlockingStreams)
{
    const CUstream blocking = create_stream(CU_STREAM_DEFAULT);
    std::atomic<bool> has_run{false};
    ASSERT_OK(cuLaunchHostFunc(blocking, sleep_shortly, nullptr));
    ASSERT_OK(cuLaunchHostFunc(blocking, set_flag, &has_run));
    ASSERT_OK(cuStreamSynchronize(nullptr));
    EXPECT_TRUE(has_run);
}

TEST_F(stream_test, PerThreadStreams_AreIndependent)
{
    NIN_WORKER_MODE_ONLY();
    gate closed;
    ASSERT_OK(closed.block(per_thread()));
    std::thread([this] {
        std::atomic<bool> has_run{false};
        ASSERT_OK(cuCtxSetCurrent(context));
        ASSERT_OK(cuLaunchHostFunc(per_thread(), set_flag, &has_run));
        ASSERT_OK(cuStreamSynchronize(per_thread()));
        EXPECT_TRUE(has_run);
    }).join();
    EXPECT_EQ(cuStreamQuery(per_thread()), CUDA_ERROR_NOT_READY);
}

TEST_F(stream_test, HostFunction_CallingTheApi_IsNotPermitted)
{
    const CUstream stream = create_stream();
    CUresult seen = CUDA_SUCCESS;
    ASSERT_OK(cuLaunchHostFunc(
        stream, [](void* result) { *static_cast<CUresult*>(result) = cuCtxSynchronize(); }, &seen));
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(seen, CUDA_ERROR_NOT_PERMITTED);
    EXPECT_EQ(cuLaunchHostFunc(stream, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(stream_test, ChainsAcrossStreams_KeepTheirOrder)
{
    const std::vector<CUstream> streams{create_stream(), create_stream(), create_stream(CU_STREAM_DEFAULT), legacy()};
    const CUevent event = create_event(CU_EVENT_DISABLE_TIMING);
    int steps = 0; // unsynchronised on purpose: the events order the accesses
    for (int i = 0; i < 400; ++i) {
        const CUstream stream = streams[static_cast<size_t>(i) % streams.size()];
        ASSERT_OK(cuStreamWaitEvent(stream, event, 0));
        ASSERT_OK(cuLaunchHostFunc(
            stream, [](void* count) { ++*static_cast<int*>(count); }, &steps));
        ASSERT_OK(cuEventRecord(event, stream));
    }
    ASSERT_OK(cuEventSynchronize(event));
    EXPECT_EQ(steps, 400);
}

TEST_F(stream_test, ManyThreads_OnSharedStreams)
{
    constexpr int threads = 4;
    constexpr int rounds = 100;
    const CUstream shared = create_stream(CU_STREAM_DEFAULT);
    const CUdeviceptr target = allocate(256);
    std::atomic<int> runs{0};
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
        workers.emplace_back([&, t] {
            ASSERT_OK(cuCtxSetCurrent(context));
            const CUstream own = create_stream(t % 2 == 0 ? CU_STREAM_DEFAULT : CU_STREAM_NON_BLOCKING);
            const CUevent event = create_event();
            for (int i = 0; i < rounds; ++i) {
                const CUdeviceptr scratch = allocate(4096);
                ASSERT_OK(cuMemsetD8Async(scratch, 3, 4096, own));
                ASSERT_OK(cuEventRecord(event, own));
                ASSERT_OK(cuStreamWaitEvent(shared, event, 0));
                ASSERT_OK(cuMemsetD8Async(target + static_cast<CUdeviceptr>(t) * 64, static_cast<unsigned char>(i), 64,
                                          shared));
                ASSERT_OK(cuLaunchHostFunc(
                    i % 3 == 0 ? nullptr : shared, [](void* count) { ++*static_cast<std::atomic<int>*>(count); },
                    &runs));
                ASSERT_OK(cuMemFree_v2(scratch));
            }
            ASSERT_OK(cuStreamDestroy_v2(own));
        });
    }
    for (std::thread& worker : workers)
        worker.join();
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_EQ(runs, threads * rounds);
    EXPECT_EQ(download(target, 64), std::vector<unsigned int>(64, 0x63636363u));
}

TEST_F(stream_test, Exit_WithBusyStreams_IsClean)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    EXPECT_EXIT(
        {
            for (int i = 0; i < 3; ++i) {
                const CUstream stream = create_stream(i == 0 ? CU_STREAM_DEFAULT : CU_STREAM_NON_BLOCKING);
                for (int k = 0; k < 50; ++k)
                    EXPECT_OK(cuMemsetD8Async(allocate(1 << 20), 1, 1 << 20, stream));
                EXPECT_OK(cuLaunchHostFunc(stream, sleep_shortly, nullptr));
                EXPECT_OK(cuMemsetD8Async(allocate(16), 1, 16, nullptr));
            }
            std::exit(0);
        },
        testing::ExitedWithCode(0), "");
}
