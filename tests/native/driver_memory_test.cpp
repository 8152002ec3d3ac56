// Device memory, page-locked memory, copies, fills and pointer attributes.
#include "driver_test.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>

using namespace nin::tests;

namespace
{

class memory_test : public driver_test
{
  protected:
    static size_t free_bytes()
    {
        size_t free = 0;
        size_t total = 0;
        EXPECT_OK(cuMemGetInfo_v2(&free, &total));
        return free;
    }
};

void sleep_shortly(void*)
{
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
}

std::vector<unsigned int> counted(size_t count, unsigned int first = 0)
{
    std::vector<unsigned int> values(count);
    std::iota(values.begin(), values.end(), first);
    return values;
}

} // namespace

TEST_F(memory_test, Alloc_IsAlignedAndAccounted)
{
    const size_t before = free_bytes();
    std::vector<CUdeviceptr> addresses;
    for (size_t bytes : {size_t{1}, size_t{255}, size_t{256}, size_t{4097}, size_t{1} << 20, (size_t{5} << 20) + 3}) {
        addresses.push_back(allocate(bytes));
        EXPECT_EQ(addresses.back() % 256, 0u) << bytes;
    }
    EXPECT_LT(free_bytes(), before - (size_t{6} << 20));
    for (CUdeviceptr address : addresses)
        ASSERT_OK(cuMemFree_v2(address));
    EXPECT_EQ(free_bytes(), before);
}

TEST_F(memory_test, Alloc_BadArguments_AreRefused)
{
    CUdeviceptr address = 0;
    EXPECT_EQ(cuMemAlloc_v2(&address, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemAlloc_v2(nullptr, 4), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemAlloc_v2(&address, SIZE_MAX), CUDA_ERROR_OUT_OF_MEMORY);
    EXPECT_EQ(cuMemAlloc_v2(&address, SIZE_MAX / 2), CUDA_ERROR_OUT_OF_MEMORY);
}

TEST_F(memory_test, Free_WrongPointer_IsRefused)
{
    const CUdeviceptr address = allocate(1024);
    EXPECT_OK(cuMemFree_v2(0));
    EXPECT_EQ(cuMemFree_v2(address + 256), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemFree_v2(0x1000), CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(cuMemFree_v2(address));
    EXPECT_EQ(cuMemFree_v2(address), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(memory_test, DeviceAddress_OnTheHost_Faults)
{
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    const CUdeviceptr address = allocate(64);
    EXPECT_DEATH(std::printf("%d", *reinterpret_cast<volatile int*>(address)), "");
}

TEST_F(memory_test, Limit_IsEnforced)
{
    environment_variable limit("NIN_HOST_MEMORY_LIMIT", "1M");
    EXPECT_IN_OWN_PROCESS({
        size_t free = 0;
        size_t total = 0;
        ASSERT_OK(cuMemGetInfo_v2(&free, &total));
        EXPECT_EQ(total, size_t{1} << 20);
        ASSERT_OK(cuDeviceTotalMem_v2(&total, 0));
        EXPECT_EQ(total, size_t{1} << 20);
        const CUdeviceptr first = allocate(size_t{768} << 10);
        CUdeviceptr second = 0;
        EXPECT_EQ(cuMemAlloc_v2(&second, size_t{257} << 10), CUDA_ERROR_OUT_OF_MEMORY);
        EXPECT_OK(cuMemAlloc_v2(&second, size_t{256} << 10));
        EXPECT_EQ(free_bytes(), 0u);
        EXPECT_EQ(cuMemAlloc_v2(&second, 1), CUDA_ERROR_OUT_OF_MEMORY);
        EXPECT_OK(cuMemFree_v2(first));
        EXPECT_OK(cuMemAlloc_v2(&second, size_t{768} << 10));
    });
}

TEST_F(memory_test, Poison_FreshMemory_HoldsNaNs)
{
    environment_variable poison("NIN_HOST_POISON", "1");
    EXPECT_IN_OWN_PROCESS({
        for (size_t count : {size_t{1}, size_t{1000}, size_t{1} << 20}) {
            const CUdeviceptr address = allocate(count * 4);
            EXPECT_EQ(address % 256, 0u);
            EXPECT_EQ(download(address, count), std::vector<unsigned int>(count, 0xFFFFFFFFu));
        }
        EXPECT_EQ(*allocate_pinned(1), 0xFFFFFFFFu);
    });
}

TEST_F(memory_test, Copies_RoundTrip)
{
    for (size_t count : {size_t{1}, size_t{1023}, size_t{1} << 20}) {
        const std::vector<unsigned int> sent = counted(count, 7);
        const CUdeviceptr first = allocate(count * 4);
        const CUdeviceptr second = allocate(count * 4);
        ASSERT_OK(cuMemcpyHtoD_v2(first, sent.data(), count * 4));
        ASSERT_OK(cuMemcpyDtoD_v2(second, first, count * 4));
        EXPECT_EQ(download(second, count), sent);
        ASSERT_OK(cuMemFree_v2(first));
        ASSERT_OK(cuMemFree_v2(second));
    }
}

TEST_F(memory_test, CopyFromPageableMemory_MayBeStagedOnly)
{
    if (!is_stream_mode("deferred"))
        GTEST_SKIP() << "the deferred mode leaves the last part of the copy to the default stream";
    const CUstream other = create_stream();
    const CUdeviceptr address = allocate(4);
    const CUdeviceptr seen = allocate(4);
    unsigned int pageable = 1;
    unsigned int* const page_locked = allocate_pinned(1);
    ASSERT_OK(cuMemsetD32Async(address, 7, 1, other));
    ASSERT_OK(cuStreamSynchronize(other));

    ASSERT_OK(cuMemcpyHtoD_v2(address, &pageable, 4));
    pageable = 2; // the call has read it
    ASSERT_OK(cuMemcpyDtoDAsync_v2(seen, address, 4, other));
    ASSERT_OK(cuStreamSynchronize(other)); // does not wait for the default stream
    EXPECT_EQ(download(seen, 1), std::vector<unsigned int>{7});
    EXPECT_EQ(download(address, 1), std::vector<unsigned int>{1});

    *page_locked = 3;
    ASSERT_OK(cuMemcpyHtoD_v2(address, page_locked, 4)); // synchronous
    ASSERT_OK(cuMemcpyDtoDAsync_v2(seen, address, 4, other));
    ASSERT_OK(cuStreamSynchronize(other));
    EXPECT_EQ(download(seen, 1), std::vector<unsigned int>{3});
}

TEST_F(memory_test, Copies_OutsideAnAllocation_AreRefused)
{
    const CUdeviceptr address = allocate(256);
    const CUdeviceptr other = allocate(256);
    std::vector<char> host(1024);
    EXPECT_EQ(cuMemcpyHtoD_v2(address, host.data(), 257), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyHtoD_v2(address + 1, host.data(), 256), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyDtoH_v2(host.data(), address - 1, 2), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyDtoH_v2(host.data(), reinterpret_cast<CUdeviceptr>(host.data()), 16), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyDtoD_v2(other, address, 300), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyHtoDAsync_v2(address + 256, host.data(), 1, nullptr), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemsetD8Async(address, 0, SIZE_MAX, nullptr), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemsetD32Async(address, 0, SIZE_MAX / 2, nullptr), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemcpyHtoD_v2(address, nullptr, 4), CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(cuMemcpyHtoD_v2(address, host.data(), 0));
    EXPECT_OK(cuCtxSynchronize()); // refused calls leave no sticky error
}

TEST_F(memory_test, Memset_CountsElements)
{
    const CUdeviceptr address = allocate(32);
    ASSERT_OK(cuMemsetD8_v2(address, 0x11, 32));
    ASSERT_OK(cuMemsetD32Async(address + 4, 0xABCD1234u, 3, nullptr));
    ASSERT_OK(cuMemsetD8Async(address + 20, 0x22, 4, nullptr));
    EXPECT_EQ(download(address, 8), (std::vector<unsigned int>{0x11111111u, 0xABCD1234u, 0xABCD1234u, 0xABCD1234u,
                                                               0x11111111u, 0x22222222u, 0x11111111u, 0x11111111u}));
    EXPECT_EQ(cuMemsetD32Async(address + 2, 0, 1, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(memory_test, HtoDAsync_FromPageableMemory_IsStagedInTheCall)
{
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(4);
    gate closed;
    ASSERT_OK(closed.block_worker(stream));
    unsigned int value = 1;
    ASSERT_OK(cuMemcpyHtoDAsync_v2(address, &value, 4, stream));
    value = 2;
    closed.open();
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(download(address, 1)[0], 1u);
}

TEST_F(memory_test, HtoDAsync_FromPinnedMemory_IsReadWhenItRuns)
{
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(4);
    unsigned int* value = allocate_pinned(1);
    gate closed;
    ASSERT_OK(closed.block_worker(stream));
    *value = 1;
    ASSERT_OK(cuMemcpyHtoDAsync_v2(address, value, 4, stream));
    if (!is_stream_mode("sync"))
        *value = 2;
    closed.open();
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(download(address, 1)[0], is_stream_mode("sync") ? 1u : 2u);
}

TEST_F(memory_test, DtoHAsync_ToPageableMemory_IsSynchronous)
{
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(4);
    unsigned int value = 0;
    ASSERT_OK(cuLaunchHostFunc(stream, sleep_shortly, nullptr));
    ASSERT_OK(cuMemsetD32Async(address, 5, 1, stream));
    ASSERT_OK(cuMemcpyDtoHAsync_v2(&value, address, 4, stream));
    EXPECT_EQ(value, 5u);
}

TEST_F(memory_test, DtoHAsync_ToPinnedMemory_IsAsynchronous)
{
    NIN_WORKER_MODE_ONLY();
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(4);
    unsigned int* value = allocate_pinned(1);
    *value = 0;
    gate closed;
    ASSERT_OK(closed.block(stream));
    ASSERT_OK(cuMemsetD32Async(address, 5, 1, stream));
    ASSERT_OK(cuMemcpyDtoHAsync_v2(value, address, 4, stream));
    EXPECT_EQ(*value, 0u);
    closed.open();
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(*value, 5u);
}

TEST_F(memory_test, Free_WaitsForQueuedWork)
{
    const CUstream stream = create_stream();
    const CUdeviceptr address = allocate(size_t{4} << 20);
    unsigned int* value = allocate_pinned(1);
    *value = 77;
    ASSERT_OK(cuLaunchHostFunc(stream, sleep_shortly, nullptr));
    ASSERT_OK(cuMemcpyHtoDAsync_v2(address, value, 4, stream));
    ASSERT_OK(cuMemFreeHost(value)); // the copy reads it first
    ASSERT_OK(cuLaunchHostFunc(stream, sleep_shortly, nullptr));
    ASSERT_OK(cuMemsetD8Async(address, 1, size_t{4} << 20, stream));
    ASSERT_OK(cuMemFree_v2(address));
    EXPECT_OK(cuCtxSynchronize());
}

TEST_F(memory_test, HostMemory_Registration)
{
    std::vector<char> buffer(16384);
    char* const middle = buffer.data() + 4096;
    ASSERT_OK(cuMemHostRegister_v2(middle, 4096, 0));
    EXPECT_EQ(cuMemHostRegister_v2(middle, 4096, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
    EXPECT_EQ(cuMemHostRegister_v2(middle - 10, 11, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
    EXPECT_EQ(cuMemHostRegister_v2(middle + 4095, 10, 0), CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED);
    EXPECT_OK(cuMemHostRegister_v2(middle + 4096, 10, 0));
    EXPECT_EQ(cuMemHostUnregister(middle + 1), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
    EXPECT_EQ(cuMemFreeHost(middle), CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(cuMemHostUnregister(middle));
    EXPECT_EQ(cuMemHostUnregister(middle), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
    EXPECT_EQ(cuMemHostRegister_v2(middle, 4096, 0x100), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(memory_test, HostAlloc_BadArguments_AreRefused)
{
    void* memory = nullptr;
    EXPECT_EQ(cuMemHostAlloc(&memory, 0, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuMemHostAlloc(&memory, 4, 8), CUDA_ERROR_INVALID_VALUE);
    ASSERT_OK(cuMemHostAlloc(&memory, 4, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_WRITECOMBINED));
    EXPECT_EQ(cuMemHostUnregister(memory), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED);
    EXPECT_OK(cuMemFreeHost(memory));
    EXPECT_EQ(cuMemFreeHost(memory), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(memory_test, PointerAttributes_TellWhatAnAddressIs)
{
    const CUdeviceptr address = allocate(1000);
    void* pinned = allocate_pinned(16);
    unsigned int type = 0;
    int device = -1;
    CUcontext owner = nullptr;
    CUdeviceptr start = 0;
    size_t bytes = 0;
    ASSERT_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address + 999));
    EXPECT_EQ(type, static_cast<unsigned int>(CU_MEMORYTYPE_DEVICE));
    ASSERT_OK(cuPointerGetAttribute(&device, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, address));
    EXPECT_EQ(device, 0);
    ASSERT_OK(cuPointerGetAttribute(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, address));
    EXPECT_EQ(owner, context);
    ASSERT_OK(cuPointerGetAttribute(&start, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, address + 500));
    EXPECT_EQ(start, address);
    ASSERT_OK(cuPointerGetAttribute(&bytes, CU_POINTER_ATTRIBUTE_RANGE_SIZE, address + 500));
    EXPECT_EQ(bytes, 1000u);
    ASSERT_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(pinned)));
    EXPECT_EQ(type, static_cast<unsigned int>(CU_MEMORYTYPE_HOST));
    EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, address + 1000), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, reinterpret_cast<CUdeviceptr>(&type)),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuPointerGetAttribute(&start, CU_POINTER_ATTRIBUTE_HOST_POINTER, address), CUDA_ERROR_INVALID_VALUE);
}
