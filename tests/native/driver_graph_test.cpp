// Graphs: what a capture records and how it is replayed.
#include "driver_test.h"

using namespace nin::tests;

namespace
{

class graph_test : public driver_test
{
  protected:
    // Ends the capture and instantiates; the graph itself is destroyed, as an executable graph outlives it.
    static CUgraphExec finish(CUstream stream, size_t expected_nodes)
    {
        CUgraph graph = nullptr;
        CUgraphExec exec = nullptr;
        size_t count = 0;
        EXPECT_OK(cuStreamEndCapture(stream, &graph));
        EXPECT_OK(cuGraphGetNodes(graph, nullptr, &count));
        EXPECT_EQ(count, expected_nodes);
        EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        EXPECT_OK(cuGraphDestroy(graph));
        EXPECT_EQ(cuGraphDestroy(graph), CUDA_ERROR_INVALID_HANDLE);
        return exec;
    }
};

void increment(void* count)
{
    ++*static_cast<int*>(count);
}

} // namespace

TEST_F(graph_test, Capture_RecordsInsteadOfRunning)
{
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(4);
    ASSERT_OK(cuMemsetD32Async(address, 1, 1, stream));
    ASSERT_OK(cuStreamSynchronize(stream));
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    ASSERT_OK(cuMemsetD32Async(address, 2, 1, stream));
    const CUgraphExec exec = finish(stream, 1);
    EXPECT_EQ(download(address, 1)[0], 1u);
    ASSERT_OK(cuGraphUpload(exec, stream));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    EXPECT_EQ(download(address, 1)[0], 2u);
    ASSERT_OK(cuGraphExecDestroy(exec));
    EXPECT_EQ(cuGraphLaunch(exec, stream), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(graph_test, Replay_RepeatsEverything)
{
    const CUstream stream = create_stream();
    const CUdeviceptr source = allocate(8);
    const CUdeviceptr sum = allocate(4);
    unsigned int* input = allocate_pinned(2);
    unsigned int* output = allocate_pinned(1);
    const kernel reduce;
    int runs = 0;
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    ASSERT_OK(cuMemcpyHtoDAsync_v2(source, input, 8, stream));
    ASSERT_OK(reduce.launch(source, sum, 2, 1, stream));
    ASSERT_OK(cuMemcpyDtoHAsync_v2(output, sum, 4, stream));
    ASSERT_OK(cuLaunchHostFunc(stream, increment, &runs));
    const CUgraphExec exec = finish(stream, 4);
    auto* values = reinterpret_cast<float*>(input);
    for (int i = 0; i < 5; ++i) {
        values[0] = static_cast<float>(i); // read at each launch
        values[1] = 10.0f;
        ASSERT_OK(cuGraphLaunch(exec, stream));
        ASSERT_OK(cuStreamSynchronize(stream));
        EXPECT_EQ(*reinterpret_cast<float*>(output), static_cast<float>(i + 10));
    }
    EXPECT_EQ(runs, 5);
}

TEST_F(graph_test, ForkAndJoin_KeepsDependencies)
{
    const CUstream origin = create_stream();
    const CUstream side = create_stream();
    const CUevent forked = create_event(CU_EVENT_DISABLE_TIMING);
    const CUevent joined = create_event(CU_EVENT_DISABLE_TIMING);
    const CUdeviceptr address = allocate(12);
    ASSERT_OK(cuStreamBeginCapture_v2(origin, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    ASSERT_OK(cuMemsetD32Async(address, 7, 1, origin));
    ASSERT_OK(cuEventRecord(forked, origin));
    ASSERT_OK(cuStreamWaitEvent(side, forked, 0));
    EXPECT_EQ(capture_status(side), CU_STREAM_CAPTURE_STATUS_ACTIVE);
    ASSERT_OK(cuMemcpyDtoDAsync_v2(address + 4, address, 4, side));
    ASSERT_OK(cuEventRecord(joined, side));
    ASSERT_OK(cuStreamWaitEvent(origin, joined, 0));
    ASSERT_OK(cuMemcpyDtoDAsync_v2(address + 8, address + 4, 4, origin));
    const CUgraphExec exec = finish(origin, 3);
    EXPECT_EQ(capture_status(side), CU_STREAM_CAPTURE_STATUS_NONE);
    ASSERT_OK(cuGraphLaunch(exec, origin));
    EXPECT_EQ(download(address, 3), (std::vector<unsigned int>{7, 7, 7}));
}

TEST_F(graph_test, Launch_IntoACapture_BecomesOneNode)
{
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(8);
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    ASSERT_OK(cuMemsetD32Async(address, 1, 1, stream));
    ASSERT_OK(cuMemsetD32Async(address + 4, 2, 1, stream));
    const CUgraphExec child = finish(stream, 2);
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    ASSERT_OK(cuMemsetD32Async(address, 9, 2, stream));
    ASSERT_OK(cuGraphLaunch(child, stream));
    const CUgraphExec parent = finish(stream, 2);
    ASSERT_OK(cuGraphExecDestroy(child));
    ASSERT_OK(cuGraphLaunch(parent, stream));
    EXPECT_EQ(download(address, 2), (std::vector<unsigned int>{1, 2}));
}

TEST_F(graph_test, Launches_AreOrderedAcrossStreams)
{
    const CUstream first = create_stream();
    const CUstream second = create_stream();
    int runs = 0; // unsynchronised on purpose: launches of one graph must not overlap
    ASSERT_OK(cuStreamBeginCapture_v2(first, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    for (int i = 0; i < 20; ++i)
        ASSERT_OK(cuLaunchHostFunc(first, increment, &runs));
    const CUgraphExec exec = finish(first, 20);
    for (int i = 0; i < 50; ++i)
        ASSERT_OK(cuGraphLaunch(exec, i % 2 == 0 ? first : second));
    ASSERT_OK(cuGraphExecDestroy(exec)); // launches in flight complete
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_EQ(runs, 1000);
}

TEST_F(graph_test, EmptyGraph_Launches)
{
    const CUstream stream = create_stream();
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    const CUgraphExec exec = finish(stream, 0);
    EXPECT_OK(cuGraphLaunch(exec, nullptr));
    EXPECT_OK(cuCtxSynchronize());
}

TEST_F(graph_test, GetNodes_FillsWhatFits)
{
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(4);
    CUgraph graph = nullptr;
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    ASSERT_OK(cuMemsetD32Async(address, 1, 1, stream));
    ASSERT_OK(cuMemsetD32Async(address, 2, 1, stream));
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    CUgraphNode nodes[4] = {};
    size_t count = 4;
    ASSERT_OK(cuGraphGetNodes(graph, nodes, &count));
    EXPECT_EQ(count, 2u);
    EXPECT_NE(nodes[0], nullptr);
    EXPECT_NE(nodes[0], nodes[1]);
    EXPECT_EQ(nodes[2], nullptr);
    count = 1;
    ASSERT_OK(cuGraphGetNodes(graph, nodes, &count));
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(cuGraphGetNodes(graph, nodes, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(graph_test, Instantiate_BadArguments_AreRefused)
{
    const CUstream stream = create_stream();
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph, 16), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, graph, CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH),
              CUDA_ERROR_NOT_SUPPORTED);
    EXPECT_EQ(cuGraphInstantiateWithFlags(nullptr, graph, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuGraphInstantiateWithFlags(&exec, reinterpret_cast<CUgraph>(stream), 0), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuGraphLaunch(nullptr, stream), CUDA_ERROR_INVALID_HANDLE);
}
