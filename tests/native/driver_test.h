// What the driver tests share: the exported functions, a fixture with a current context, a kernel, and processes of
// their own for cases that change the process for good.
#pragma once

#include "host/abi/cuda.h"

#include <condition_variable>
#include <cstdlib>
#include <gtest/gtest.h>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

extern "C" {
CUresult cuInit(unsigned int);
CUresult cuDriverGetVersion(int*);
CUresult cuDeviceGetCount(int*);
CUresult cuDeviceGet(CUdevice*, int);
CUresult cuDeviceGetName(char*, int, CUdevice);
CUresult cuDeviceGetUuid_v2(CUuuid*, CUdevice);
CUresult cuDeviceTotalMem_v2(size_t*, CUdevice);
CUresult cuDeviceGetAttribute(int*, CUdevice_attribute, CUdevice);
CUresult cuDevicePrimaryCtxRetain(CUcontext*, CUdevice);
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice);
CUresult cuDevicePrimaryCtxGetState(CUdevice, unsigned int*, int*);
CUresult cuCtxSetCurrent(CUcontext);
CUresult cuCtxGetCurrent(CUcontext*);
CUresult cuCtxPushCurrent_v2(CUcontext);
CUresult cuCtxPopCurrent_v2(CUcontext*);
CUresult cuCtxGetDevice(CUdevice*);
CUresult cuCtxSynchronize();
CUresult cuMemGetInfo_v2(size_t*, size_t*);
CUresult cuMemAlloc_v2(CUdeviceptr*, size_t);
CUresult cuMemFree_v2(CUdeviceptr);
CUresult cuMemHostAlloc(void**, size_t, unsigned int);
CUresult cuMemFreeHost(void*);
CUresult cuMemHostRegister_v2(void*, size_t, unsigned int);
CUresult cuMemHostUnregister(void*);
CUresult cuMemcpyHtoD_v2(CUdeviceptr, const void*, size_t);
CUresult cuMemcpyDtoH_v2(void*, CUdeviceptr, size_t);
CUresult cuMemcpyDtoD_v2(CUdeviceptr, CUdeviceptr, size_t);
CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr, const void*, size_t, CUstream);
CUresult cuMemcpyDtoHAsync_v2(void*, CUdeviceptr, size_t, CUstream);
CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr, CUdeviceptr, size_t, CUstream);
CUresult cuMemsetD8_v2(CUdeviceptr, unsigned char, size_t);
CUresult cuMemsetD8Async(CUdeviceptr, unsigned char, size_t, CUstream);
CUresult cuMemsetD32Async(CUdeviceptr, unsigned int, size_t, CUstream);
CUresult cuPointerGetAttribute(void*, CUpointer_attribute, CUdeviceptr);
CUresult cuStreamCreate(CUstream*, unsigned int);
CUresult cuStreamCreateWithPriority(CUstream*, unsigned int, int);
CUresult cuStreamDestroy_v2(CUstream);
CUresult cuStreamSynchronize(CUstream);
CUresult cuStreamQuery(CUstream);
CUresult cuStreamWaitEvent(CUstream, CUevent, unsigned int);
CUresult cuStreamBeginCapture_v2(CUstream, CUstreamCaptureMode);
CUresult cuStreamEndCapture(CUstream, CUgraph*);
CUresult cuStreamIsCapturing(CUstream, CUstreamCaptureStatus*);
CUresult cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode*);
CUresult cuLaunchHostFunc(CUstream, CUhostFn, void*);
CUresult cuEventCreate(CUevent*, unsigned int);
CUresult cuEventDestroy_v2(CUevent);
CUresult cuEventRecord(CUevent, CUstream);
CUresult cuEventQuery(CUevent);
CUresult cuEventSynchronize(CUevent);
CUresult cuEventElapsedTime(float*, CUevent, CUevent);
CUresult cuGraphInstantiateWithFlags(CUgraphExec*, CUgraph, unsigned long long);
CUresult cuGraphLaunch(CUgraphExec, CUstream);
CUresult cuGraphUpload(CUgraphExec, CUstream);
CUresult cuGraphGetNodes(CUgraph, CUgraphNode*, size_t*);
CUresult cuGraphDestroy(CUgraph);
CUresult cuGraphExecDestroy(CUgraphExec);
CUresult cuModuleLoadData(CUmodule*, const void*);
CUresult cuModuleLoadDataEx(CUmodule*, const void*, unsigned int, CUjit_option*, void**);
CUresult cuModuleUnload(CUmodule);
CUresult cuModuleGetFunction(CUfunction*, CUmodule, const char*);
CUresult cuFuncGetAttribute(int*, CUfunction_attribute, CUfunction);
CUresult cuFuncSetAttribute(CUfunction, CUfunction_attribute, int);
CUresult cuLaunchKernel(CUfunction, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int, unsigned int,
                        unsigned int, CUstream, void**, void**);
CUresult cuOccupancyMaxPotentialBlockSize(int*, int*, CUfunction, CUoccupancyB2DSize, size_t, int);
CUresult cuGetErrorName(CUresult, const char**);
CUresult cuGetErrorString(CUresult, const char**);
}

namespace nin::tests
{

#define ASSERT_OK(call) ASSERT_EQ(call, CUDA_SUCCESS)
#define EXPECT_OK(call) EXPECT_EQ(call, CUDA_SUCCESS)

// Runs `statement` in a process of its own (with the environment as it is now) and expects no failure there. In the
// statement's process nothing has run but this test up to here.
#define EXPECT_IN_OWN_PROCESS(...)                                                                                     \
    do {                                                                                                               \
        GTEST_FLAG_SET(death_test_style, "threadsafe");                                                                \
        const auto own_process_body = [&] { __VA_ARGS__; };                                                            \
        EXPECT_EXIT(                                                                                                   \
            {                                                                                                          \
                own_process_body();                                                                                    \
                std::_Exit(testing::Test::HasFailure() ? 1 : 0);                                                       \
            },                                                                                                         \
            testing::ExitedWithCode(0), "");                                                                           \
    } while (false)

// Sets an environment variable while it lives.
class environment_variable
{
  public:
    environment_variable(const char* name, const char* value) : name_(name)
    {
        if (const char* old = std::getenv(name))
            old_ = old;
        setenv(name, value, 1);
    }
    ~environment_variable()
    {
        if (old_.empty())
            unsetenv(name_);
        else
            setenv(name_, old_.c_str(), 1);
    }
    environment_variable(const environment_variable&) = delete;
    environment_variable& operator=(const environment_variable&) = delete;

  private:
    const char* name_;
    std::string old_;
};

inline bool is_stream_mode(const char* mode)
{
    const char* value = std::getenv("NIN_HOST_STREAMS");
    return std::string(value != nullptr && *value != '\0' ? value : "worker") == mode;
}

// In the other modes an operation runs on a thread that waits, so it cannot be held up by that thread.
#define NIN_WORKER_MODE_ONLY()                                                                                         \
    if (!is_stream_mode("worker"))                                                                                     \
    GTEST_SKIP() << "needs operations that run beside the calling thread"

// A host function that blocks its stream until the gate opens; it opens at the latest when it goes.
class gate
{
  public:
    ~gate()
    {
        open();
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return pending_ == 0; }); // a host function may still hold on to this object
    }

    void open()
    {
        std::lock_guard lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }

    // Closes the stream with this gate.
    CUresult block(CUstream stream)
    {
        std::lock_guard lock(mutex_);
        const CUresult status = cuLaunchHostFunc(stream, &gate::pass, this);
        pending_ += status == CUDA_SUCCESS ? 1 : 0;
        return status;
    }

    // As block where the stream has a worker; nothing where the calling thread itself would be blocked.
    CUresult block_worker(CUstream stream) { return is_stream_mode("worker") ? block(stream) : CUDA_SUCCESS; }

  private:
    static void pass(void* self)
    {
        auto& me = *static_cast<gate*>(self);
        std::unique_lock lock(me.mutex_);
        me.changed_.wait(lock, [&] { return me.is_open_; });
        --me.pending_;
        me.changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_open_ = false;
    int pending_ = 0;
};

// The primary context of device 0 is current during each test, and destroyed with everything in it afterwards.
class driver_test : public testing::Test
{
  protected:
    void SetUp() override
    {
        ASSERT_OK(cuInit(0));
        ASSERT_OK(cuDevicePrimaryCtxRetain(&context, 0));
        ASSERT_OK(cuCtxSetCurrent(context));
    }

    void TearDown() override
    {
        EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
        EXPECT_OK(cuCtxSetCurrent(nullptr));
    }

    static CUdeviceptr allocate(size_t bytes)
    {
        CUdeviceptr address = 0;
        EXPECT_OK(cuMemAlloc_v2(&address, bytes));
        return address;
    }

    static CUstream create_stream(unsigned int flags = CU_STREAM_NON_BLOCKING)
    {
        CUstream stream = nullptr;
        EXPECT_OK(cuStreamCreate(&stream, flags));
        return stream;
    }

    static CUevent create_event(unsigned int flags = CU_EVENT_DEFAULT)
    {
        CUevent event = nullptr;
        EXPECT_OK(cuEventCreate(&event, flags));
        return event;
    }

    static unsigned int* allocate_pinned(size_t count)
    {
        void* memory = nullptr;
        EXPECT_OK(cuMemHostAlloc(&memory, count * sizeof(unsigned int), 0));
        return static_cast<unsigned int*>(memory);
    }

    // Waits for the whole context.
    static std::vector<unsigned int> download(CUdeviceptr address, size_t count)
    {
        std::vector<unsigned int> values(count);
        EXPECT_OK(cuCtxSynchronize());
        EXPECT_OK(cuMemcpyDtoH_v2(values.data(), address, count * sizeof(unsigned int)));
        return values;
    }

    static CUstreamCaptureStatus capture_status(CUstream stream)
    {
        CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
        EXPECT_OK(cuStreamIsCapturing(stream, &status));
        return status;
    }

    CUcontext context = nullptr;
};

// bias_reduce_f32(const float* partial (tiles, channels), float* db (channels), int tiles, int channels): the sum over
// the tiles. Its parameter list stands here as a compiler writes it; the body does not matter to the host.
inline constexpr const char* k_reduce_ptx = R"(
//
// Generated for a test
//
.version 6.3
.target sm_70
.address_size 64

	// .globl	bias_reduce_f32
.visible .entry bias_reduce_f32(
	.param .u64 bias_reduce_f32_param_0,
	.param .u64 bias_reduce_f32_param_1,
	.param .u32 bias_reduce_f32_param_2,
	.param .u32 bias_reduce_f32_param_3
)
{
	.reg .b32 	%r<3>;
	ret;
}
)";

class kernel
{
  public:
    kernel()
    {
        EXPECT_OK(cuModuleLoadData(&module, k_reduce_ptx));
        EXPECT_OK(cuModuleGetFunction(&function, module, "bias_reduce_f32"));
    }

    CUresult launch(CUdeviceptr partial, CUdeviceptr db, int tiles, int channels, CUstream stream) const
    {
        void* arguments[] = {&partial, &db, &tiles, &channels};
        return cuLaunchKernel(function, 1, 1, 1, 128, 1, 1, 0, stream, arguments, nullptr);
    }

    CUmodule module = nullptr;
    CUfunction function = nullptr;
};

} // namespace nin::tests
