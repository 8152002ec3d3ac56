// Several threads at once on streams, events, graphs, memory, modules and contexts. Where numbers are not atomic that
// is on purpose: the driver's order is what keeps the accesses apart, and ThreadSanitizer sees it if something else did
// (make sanitize).
#include "driver_test.h"
#include "host/plan_cache.h"

#include <array>
#include <atomic>
#include <memory>

using namespace nin::tests;

namespace
{

void increment(void* count)
{
    ++*static_cast<int*>(count);
}

class threads_test : public driver_test
{
  protected:
    // Runs body(0) to body(count - 1), each on a thread of its own where the context is current, until all have ended.
    template <typename Body> void in_parallel(int count, const Body& body)
    {
        std::vector<std::thread> threads;
        for (int i = 0; i < count; ++i) {
            threads.emplace_back([this, &body, i] {
                ASSERT_OK(cuCtxSetCurrent(context));
                body(i);
            });
        }
        for (std::thread& one : threads)
            one.join();
    }

    CUgraphExec capture_increments(CUstream stream, int* count, int nodes)
    {
        CUgraph graph = nullptr;
        CUgraphExec exec = nullptr;
        EXPECT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        for (int i = 0; i < nodes; ++i)
            EXPECT_OK(cuLaunchHostFunc(stream, increment, count));
        EXPECT_OK(cuStreamEndCapture(stream, &graph));
        EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        EXPECT_OK(cuGraphDestroy(graph));
        return exec;
    }
};

} // namespace

// A chain through every thread's stream: each waits for its predecessor's event of the round.
TEST_F(threads_test, Events_OrderTheStreamsOfSeveralThreads)
{
    constexpr int threads = 4;
    constexpr int rounds = 60;
    std::array<std::array<CUevent, threads>, rounds> events;
    std::array<CUstream, threads> streams;
    for (auto& round : events)
        for (CUevent& event : round)
            event = create_event(CU_EVENT_DISABLE_TIMING);
    for (size_t i = 0; i < threads; ++i)
        streams[i] = create_stream(i % 2 == 0 ? CU_STREAM_NON_BLOCKING : CU_STREAM_DEFAULT);
    int steps = 0;
    std::atomic<int> turn{0}; // an event must be recorded before another thread's stream is told to wait for it
    in_parallel(threads, [&](int thread) {
        for (int round = 0; round < rounds; ++round) {
            const int mine = round * threads + thread;
            while (turn < mine)
                std::this_thread::yield();
            const auto i = static_cast<size_t>(thread);
            if (mine > 0) {
                const auto before = static_cast<size_t>(mine - 1);
                ASSERT_OK(cuStreamWaitEvent(streams[i], events[before / threads][before % threads], 0));
            }
            ASSERT_OK(cuLaunchHostFunc(streams[i], increment, &steps));
            ASSERT_OK(cuEventRecord(events[static_cast<size_t>(round)][i], streams[i]));
            turn = mine + 1;
        }
    });
    ASSERT_OK(cuEventSynchronize(events[rounds - 1][threads - 1]));
    EXPECT_EQ(steps, threads * rounds);
}

TEST_F(threads_test, Event_RecordedAgainWhileOthersWait_HoldsForEachWait)
{
    const CUstream recorder = create_stream();
    const CUevent event = create_event();
    std::atomic<int> recorded{0};
    std::atomic<bool> is_over{false};
    in_parallel(4, [&](int thread) {
        if (thread == 0) {
            for (int i = 0; i < 200; ++i) {
                EXPECT_OK(cuLaunchHostFunc(
                    recorder, [](void* count) { ++*static_cast<std::atomic<int>*>(count); }, &recorded));
                EXPECT_OK(cuEventRecord(event, recorder));
            }
            is_over = true;
            return;
        }
        const CUstream waiter = create_stream();
        int least = 0;
        while (!is_over) {
            // What one wait has seen, a later one sees too.
            EXPECT_OK(cuStreamWaitEvent(waiter, event, 0));
            EXPECT_OK(cuStreamSynchronize(waiter));
            EXPECT_GE(recorded, least);
            least = recorded;
            EXPECT_OK(cuEventSynchronize(event));
            const CUresult status = cuEventQuery(event);
            EXPECT_TRUE(status == CUDA_SUCCESS || status == CUDA_ERROR_NOT_READY) << status;
        }
        EXPECT_OK(cuStreamDestroy_v2(waiter));
    });
    ASSERT_OK(cuEventSynchronize(event));
    EXPECT_EQ(recorded, 200);
}

TEST_F(threads_test, Events_DestroyedWhileStreamsWaitForThem)
{
    in_parallel(4, [&](int) {
        const CUstream recorder = create_stream();
        const CUstream waiter = create_stream();
        int steps = 0;
        for (int i = 0; i < 50; ++i) {
            const CUevent event = create_event(i % 2 == 0 ? CU_EVENT_DEFAULT : CU_EVENT_DISABLE_TIMING);
            EXPECT_OK(cuStreamWaitEvent(recorder, event, 0)); // not recorded: no wait
            EXPECT_OK(cuLaunchHostFunc(recorder, increment, &steps));
            EXPECT_OK(cuEventRecord(event, recorder));
            EXPECT_OK(cuStreamWaitEvent(waiter, event, 0));
            EXPECT_OK(cuEventDestroy_v2(event));
        }
        EXPECT_OK(cuStreamDestroy_v2(recorder));
        EXPECT_OK(cuStreamSynchronize(waiter));
        EXPECT_EQ(steps, 50);
        EXPECT_OK(cuStreamDestroy_v2(waiter));
    });
}

TEST_F(threads_test, Streams_DestroyedWithWorkPending_FinishIt)
{
    constexpr size_t threads = 4;
    constexpr size_t rounds = 60;
    const CUdeviceptr target = allocate(threads * rounds * 4);
    in_parallel(threads, [&](int thread) {
        for (size_t i = 0; i < rounds; ++i) {
            const CUstream stream = create_stream();
            const CUdeviceptr own =
                target + (static_cast<size_t>(thread) * rounds + i) * 4; // the streams have no order
            for (unsigned int value = 0; value < 4; ++value)
                EXPECT_OK(cuMemsetD32Async(own, value, 1, stream));
            EXPECT_OK(cuStreamDestroy_v2(stream));
            EXPECT_EQ(cuStreamSynchronize(stream), CUDA_ERROR_INVALID_HANDLE);
        }
    });
    EXPECT_EQ(download(target, threads * rounds), std::vector<unsigned int>(threads * rounds, 3));
}

TEST_F(threads_test, LegacyStream_UsedByAllThreads_OrdersTheirStreams)
{
    int steps = 0; // only the legacy stream's work touches it
    in_parallel(4, [&](int) {
        const CUstream own = create_stream(CU_STREAM_DEFAULT);
        int mine = 0;
        for (int i = 0; i < 50; ++i) {
            EXPECT_OK(cuLaunchHostFunc(own, increment, &mine));
            EXPECT_OK(cuLaunchHostFunc(nullptr, increment, &steps));
        }
        EXPECT_OK(cuStreamSynchronize(nullptr)); // waits for the blocking streams before it
        EXPECT_EQ(mine, 50);
        EXPECT_OK(cuStreamDestroy_v2(own));
    });
    ASSERT_OK(cuStreamSynchronize(nullptr));
    EXPECT_EQ(steps, 200);
}

TEST_F(threads_test, Graph_CapturedOnOneThread_LaunchedByOthers_DoesNotOverlap)
{
    int runs = 0;
    CUgraphExec exec = nullptr;
    std::thread([&] {
        ASSERT_OK(cuCtxSetCurrent(context));
        exec = capture_increments(create_stream(), &runs, 5);
    }).join();
    in_parallel(4, [&](int) {
        const CUstream stream = create_stream();
        for (int i = 0; i < 40; ++i)
            EXPECT_OK(cuGraphLaunch(exec, stream));
        EXPECT_OK(cuStreamDestroy_v2(stream));
    });
    ASSERT_OK(cuGraphExecDestroy(exec)); // what was launched still runs
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_EQ(runs, 4 * 40 * 5);
}

TEST_F(threads_test, Captures_OfSeveralThreads_StayApart)
{
    in_parallel(4, [&](int) {
        const CUstream stream = create_stream();
        int runs = 0;
        for (int i = 0; i < 20; ++i) {
            const CUgraphExec exec = capture_increments(stream, &runs, 3);
            EXPECT_OK(cuGraphLaunch(exec, stream));
            EXPECT_OK(cuGraphExecDestroy(exec));
        }
        EXPECT_OK(cuStreamSynchronize(stream));
        EXPECT_EQ(runs, 60);
        EXPECT_OK(cuStreamDestroy_v2(stream));
    });
}

TEST_F(threads_test, Capture_EndedByAnotherThreadsCall_IsInvalidatedOrWhole)
{
    const CUstream stream = create_stream();
    for (int i = 0; i < 30; ++i) {
        int runs = 0;
        CUgraph graph = nullptr;
        CUresult ended = CUDA_SUCCESS;
        in_parallel(2, [&](int thread) {
            if (thread == 1) {
                // Not permitted while a GLOBAL capture goes on, and fatal for it.
                CUdeviceptr address = 0;
                const CUresult status = cuMemAlloc_v2(&address, 64);
                EXPECT_TRUE(status == CUDA_SUCCESS || status == CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED) << status;
                return;
            }
            EXPECT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
            for (int k = 0; k < 20; ++k) {
                const CUresult status = cuLaunchHostFunc(stream, increment, &runs);
                EXPECT_TRUE(status == CUDA_SUCCESS || status == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED) << status;
            }
            ended = cuStreamEndCapture(stream, &graph);
        });
        EXPECT_TRUE(ended == CUDA_SUCCESS || ended == CUDA_ERROR_STREAM_CAPTURE_INVALIDATED) << ended;
        EXPECT_EQ(graph != nullptr, ended == CUDA_SUCCESS);
        if (graph != nullptr) {
            EXPECT_OK(cuGraphDestroy(graph));
        }
        EXPECT_EQ(runs, 0);
    }
}

TEST_F(threads_test, Memory_FreedWhileOthersAllocateAndUseTheirs)
{
    in_parallel(4, [&](int thread) {
        const CUstream stream = create_stream();
        for (int i = 0; i < 40; ++i) {
            const size_t count = 64 + static_cast<size_t>(i) * 16;
            const CUdeviceptr address = allocate(count * 4);
            unsigned int* host = allocate_pinned(count);
            const auto value = static_cast<unsigned int>(thread * 1000 + i);
            EXPECT_OK(cuMemsetD32Async(address, value, count, stream));
            EXPECT_OK(cuMemcpyDtoHAsync_v2(host, address, count * 4, stream));
            unsigned int type = 0;
            EXPECT_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address));
            EXPECT_EQ(type, static_cast<unsigned int>(CU_MEMORYTYPE_DEVICE));
            EXPECT_OK(cuStreamSynchronize(stream));
            EXPECT_EQ(host[0], value);
            EXPECT_EQ(host[count - 1], value);
            EXPECT_OK(cuMemcpyHtoDAsync_v2(address, host, count * 4, stream));
            EXPECT_OK(cuMemFree_v2(address)); // waits for the copy
            EXPECT_OK(cuMemFreeHost(host));
        }
        EXPECT_OK(cuStreamDestroy_v2(stream));
    });
    size_t free = 0, total = 0;
    ASSERT_OK(cuMemGetInfo_v2(&free, &total));
    EXPECT_EQ(free, total);
}

TEST_F(threads_test, Modules_UnloadedWithLaunchesInFlight)
{
    in_parallel(4, [&](int) {
        const CUstream stream = create_stream();
        const CUdeviceptr partial = allocate(8);
        const CUdeviceptr sum = allocate(4);
        EXPECT_OK(cuMemsetD32Async(partial, 0x3f800000u, 2, stream)); // 1.0f
        for (int i = 0; i < 20; ++i) {
            const kernel reduce;
            EXPECT_OK(reduce.launch(partial, sum, 2, 1, stream));
            EXPECT_OK(cuModuleUnload(reduce.module));
        }
        unsigned int bits = 0;
        EXPECT_OK(cuMemcpyDtoHAsync_v2(&bits, sum, 4, stream));
        EXPECT_EQ(bits, 0x40000000u); // 2.0f
        EXPECT_OK(cuStreamDestroy_v2(stream));
    });
}

TEST_F(threads_test, PrimaryContext_RetainedAndReleasedByAll_LivesAsLongAsOneHoldsIt)
{
    in_parallel(4, [&](int) {
        for (int i = 0; i < 100; ++i) {
            CUcontext same = nullptr;
            EXPECT_OK(cuDevicePrimaryCtxRetain(&same, 0));
            EXPECT_EQ(same, context);
            EXPECT_OK(cuCtxSynchronize());
            EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
        }
    });
    EXPECT_OK(cuCtxSynchronize());
}

// Not a correct program; but it gets statuses, not a crash.
TEST_F(threads_test, Context_DestroyedWhileOthersUseIt_RefusesTheirCalls)
{
    for (int i = 0; i < 20; ++i) {
        std::atomic<bool> is_destroyed{false};
        std::atomic<int> at_work{0};
        in_parallel(4, [&](int thread) {
            if (thread == 0) {
                while (at_work < 3)
                    std::this_thread::yield();
                EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
                is_destroyed = true;
                return;
            }
            ++at_work;
            CUstream stream = nullptr;
            CUdeviceptr address = 0;
            CUevent event = nullptr;
            while (!is_destroyed) {
                const std::array<CUresult, 9> statuses{
                    cuStreamCreate(&stream, CU_STREAM_DEFAULT),
                    cuMemAlloc_v2(&address, 256),
                    cuEventCreate(&event, 0),
                    cuMemsetD8Async(address, 1, 256, stream),
                    cuEventRecord(event, stream),
                    cuStreamWaitEvent(nullptr, event, 0),
                    cuMemFree_v2(address),
                    cuEventDestroy_v2(event),
                    cuStreamDestroy_v2(stream),
                };
                for (CUresult status : statuses) {
                    EXPECT_TRUE(status == CUDA_SUCCESS || status == CUDA_ERROR_CONTEXT_IS_DESTROYED ||
                                status == CUDA_ERROR_INVALID_HANDLE || status == CUDA_ERROR_INVALID_VALUE)
                        << status;
                }
            }
            EXPECT_EQ(cuCtxSynchronize(), CUDA_ERROR_CONTEXT_IS_DESTROYED);
        });
        ASSERT_OK(cuDevicePrimaryCtxRetain(&context, 0));
        ASSERT_OK(cuCtxSetCurrent(context));
        size_t free = 0, total = 0;
        ASSERT_OK(cuMemGetInfo_v2(&free, &total));
        EXPECT_EQ(free, total);
        EXPECT_OK(cuCtxSynchronize());
    }
}

// The cache itself: plans of the libraries are made by oneDNN, which no sanitizer instruments.
TEST(plan_cache_test, ThreadsThatAskForOneProblem_GetOnePlan)
{
    nin::host::plan_cache<int, int> cache;
    std::atomic<int> made{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int problem = 0; problem < 200; ++problem) {
                const auto plan = cache.find(problem, [&](int key) {
                    ++made;
                    return std::make_shared<const int>(key * 7);
                });
                EXPECT_EQ(*plan, problem * 7);
            }
        });
    }
    for (std::thread& one : threads)
        one.join();
    EXPECT_EQ(made, 200);
}
