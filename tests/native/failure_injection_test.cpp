// NIN_HOST_FAIL and NIN_HOST_REPORT_LEAKS, each in processes of their own.
#include "cublas_test.h"
#include "cudnn_test.h"
#include "driver_test.h"
#include "host/abi/cublaslt.h"

#include <cstdlib>

namespace nin::tests
{
namespace
{

#define EXPECT_WITH_FAILURES(list, ...)                                                                                \
    do {                                                                                                               \
        const environment_variable failures("NIN_HOST_FAIL", list);                                                    \
        EXPECT_IN_OWN_PROCESS(__VA_ARGS__);                                                                            \
    } while (false)

void make_current()
{
    CUcontext context = nullptr;
    ASSERT_OK(cuInit(0));
    ASSERT_OK(cuDevicePrimaryCtxRetain(&context, 0));
    ASSERT_OK(cuCtxSetCurrent(context));
}

TEST(failure_injection, KthCall_OfOneFunction_FailsAndDoesNothing)
{
    EXPECT_WITH_FAILURES("cuMemAlloc_v2:2:2", {
        make_current();
        CUdeviceptr first = 0, second = 0, third = 0;
        EXPECT_OK(cuMemAlloc_v2(&first, 64));
        EXPECT_EQ(CUDA_ERROR_OUT_OF_MEMORY, cuMemAlloc_v2(&second, 64));
        EXPECT_EQ(0u, second);
        EXPECT_OK(cuMemAlloc_v2(&third, 64));
        EXPECT_OK(cuMemFree_v2(first));
    });
}

TEST(failure_injection, EveryLibrary_CanFail)
{
    EXPECT_WITH_FAILURES("cudnnCreate:1:4004,cublasCreate_v2:1:3,cublasLtCreate:1:15,cuStreamCreate:1:999", {
        make_current();
        cudnnHandle_t dnn = nullptr;
        cublasHandle_t blas = nullptr;
        cublasLtHandle_t light = nullptr;
        CUstream stream = nullptr;
        EXPECT_EQ(CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, cudnnCreate(&dnn));
        EXPECT_EQ("injected by NIN_HOST_FAIL", last_error());
        EXPECT_EQ(CUBLAS_STATUS_ALLOC_FAILED, cublasCreate_v2(&blas));
        EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, cublasLtCreate(&light));
        EXPECT_EQ(CUDA_ERROR_UNKNOWN, cuStreamCreate(&stream, 0));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnCreate(&dnn));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasCreate_v2(&blas));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasLtCreate(&light));
        EXPECT_OK(cuStreamCreate(&stream, 0));
    });
}

TEST(failure_injection, Star_CountsEveryCall)
{
    EXPECT_WITH_FAILURES("*:3:100", {
        int count = 0;
        CUcontext context = nullptr;
        EXPECT_OK(cuInit(0));
        EXPECT_OK(cuDeviceGetCount(&count));
        EXPECT_EQ(CUDA_ERROR_NO_DEVICE, cuDevicePrimaryCtxRetain(&context, 0));
        EXPECT_OK(cuDevicePrimaryCtxRetain(&context, 0));
    });
}

TEST(failure_injection, StickyStatus_Sticks_OthersDoNot)
{
    EXPECT_WITH_FAILURES("cuCtxSynchronize:1:700", {
        make_current();
        CUdeviceptr address = 0;
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuMemAlloc_v2(&address, 64));
        cudnnHandle_t handle = nullptr;
        EXPECT_EQ(CUDNN_STATUS_NOT_INITIALIZED, cudnnCreate(&handle));
    });
    EXPECT_WITH_FAILURES("cuCtxSynchronize:1:2", {
        make_current();
        EXPECT_EQ(CUDA_ERROR_OUT_OF_MEMORY, cuCtxSynchronize());
        EXPECT_OK(cuCtxSynchronize());
    });
}

TEST(failure_injection, BadLists_AreRefusedByInit)
{
    for (const char* list : {"cuMemAlloc_v2", "cuMemAlloc_v2:1", "cuMemAlloc_v2:0:2", "cuMemAlloc_v2:1:0",
                             "cuMemAlloc_v2:x:2", "cuMemAlloc:1:2", ":1:2", "cuMemAlloc_v2:1:2,"}) {
        const bool is_good = std::string(list).ends_with(",");
        EXPECT_WITH_FAILURES(list, {
            EXPECT_EQ(is_good ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE, cuInit(0)) << list;
            EXPECT_EQ(!is_good, last_error().find("NIN_HOST_FAIL=") != std::string::npos) << last_error();
        });
    }
}

// Runs the statements in a process of its own, which then ends as programs do, and expects this on its stderr.
#define EXPECT_LEAKS(line, ...)                                                                                        \
    do {                                                                                                               \
        GTEST_FLAG_SET(death_test_style, "threadsafe");                                                                \
        const environment_variable report("NIN_HOST_REPORT_LEAKS", "1");                                               \
        const auto own_process_body = [&] { __VA_ARGS__; };                                                            \
        EXPECT_EXIT(                                                                                                   \
            {                                                                                                          \
                own_process_body();                                                                                    \
                std::exit(testing::Test::HasFailure() ? 1 : 7);                                                        \
            },                                                                                                         \
            testing::ExitedWithCode(7), testing::Eq(std::string(line)));                                               \
    } while (false)

TEST(leak_report, WhatIsLeft_IsCountedByKind)
{
    EXPECT_LEAKS("nin_host: live objects at exit: 2 device allocations, 1 host allocation, 1 stream, 1 event, "
                 "1 cuDNN handle, 1 tensor descriptor, 1 cuBLASLt handle\n",
                 {
                     make_current();
                     CUdeviceptr address = 0;
                     void* pinned = nullptr;
                     CUstream stream = nullptr;
                     CUevent event = nullptr;
                     cudnnHandle_t dnn = nullptr;
                     cublasHandle_t blas = nullptr;
                     cublasLtHandle_t light = nullptr;
                     cudnnTensorDescriptor_t tensor = nullptr;
                     for (int i = 0; i < 3; ++i)
                         EXPECT_OK(cuMemAlloc_v2(&address, 64));
                     EXPECT_OK(cuMemFree_v2(address));
                     EXPECT_OK(cuMemHostAlloc(&pinned, 64, 0));
                     EXPECT_OK(cuStreamCreate(&stream, 0));
                     EXPECT_OK(cuEventCreate(&event, 0));
                     EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnCreate(&dnn));
                     EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasCreate_v2(&blas));
                     EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasDestroy_v2(blas));
                     EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasLtCreate(&light));
                     EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnCreateTensorDescriptor(&tensor));
                 });
}

TEST(leak_report, WhatWentWithItsContext_IsCountedToo)
{
    EXPECT_LEAKS("nin_host: live objects at exit: 1 device allocation, 1 module, 1 graph, 1 executable graph\n", {
        make_current();
        CUdeviceptr address = 0;
        CUmodule module = nullptr;
        CUstream stream = nullptr;
        CUgraph graph = nullptr;
        CUgraphExec exec = nullptr;
        EXPECT_OK(cuMemAlloc_v2(&address, 64));
        EXPECT_OK(cuModuleLoadData(&module, k_reduce_ptx));
        EXPECT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        EXPECT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
        EXPECT_OK(cuStreamEndCapture(stream, &graph));
        EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
    });
}

TEST(leak_report, NothingLeft_NoLine)
{
    EXPECT_LEAKS("", {
        make_current();
        CUdeviceptr address = 0;
        cudnnHandle_t handle = nullptr;
        EXPECT_OK(cuMemAlloc_v2(&address, 64));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnCreate(&handle));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnDestroy(handle));
        EXPECT_OK(cuMemFree_v2(address));
        EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
    });
}

TEST(leak_report, AfterAStickyError_NoLine)
{
    const environment_variable failure("NIN_HOST_FAIL", "cuCtxSynchronize:1:719");
    EXPECT_LEAKS("", {
        make_current();
        CUdeviceptr address = 0;
        EXPECT_OK(cuMemAlloc_v2(&address, 64));
        EXPECT_EQ(CUDA_ERROR_LAUNCH_FAILED, cuCtxSynchronize());
        EXPECT_EQ(CUDA_ERROR_LAUNCH_FAILED, cuMemFree_v2(address)); // nothing can be released any more
    });
}

} // namespace
} // namespace nin::tests
