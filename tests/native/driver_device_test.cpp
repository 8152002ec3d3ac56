// cuInit, device queries, error names and the environment variables.
#include "driver_test.h"

#include <cstring>

using namespace nin::tests;

namespace
{

class device_test : public driver_test
{
};

int attribute(CUdevice_attribute which)
{
    int value = -1;
    EXPECT_OK(cuDeviceGetAttribute(&value, which, 0));
    return value;
}

} // namespace

TEST(driver_init_test, Calls_BeforeInit_AreNotInitialized)
{
    EXPECT_IN_OWN_PROCESS({
        int count = 0;
        CUcontext context = nullptr;
        CUdeviceptr address = 0;
        EXPECT_EQ(cuDeviceGetCount(&count), CUDA_ERROR_NOT_INITIALIZED);
        EXPECT_EQ(cuDevicePrimaryCtxRetain(&context, 0), CUDA_ERROR_NOT_INITIALIZED);
        EXPECT_EQ(cuMemAlloc_v2(&address, 4), CUDA_ERROR_NOT_INITIALIZED);
        EXPECT_EQ(cuStreamSynchronize(nullptr), CUDA_ERROR_NOT_INITIALIZED);
        EXPECT_OK(cuDriverGetVersion(&count));
    });
}

TEST(driver_init_test, Init_WithFlags_IsRefused)
{
    EXPECT_EQ(cuInit(1), CUDA_ERROR_INVALID_VALUE);
}

TEST(driver_init_test, Init_WithUnknownStreamMode_IsRefused)
{
    environment_variable mode("NIN_HOST_STREAMS", "later");
    EXPECT_IN_OWN_PROCESS(EXPECT_EQ(cuInit(0), CUDA_ERROR_INVALID_VALUE));
}

TEST(driver_init_test, Init_WithBadMemoryLimit_IsRefused)
{
    for (const char* bad : {"0", "12Q", "1GG", "-5", "99999999999G"}) {
        environment_variable limit("NIN_HOST_MEMORY_LIMIT", bad);
        EXPECT_IN_OWN_PROCESS(EXPECT_EQ(cuInit(0), CUDA_ERROR_INVALID_VALUE) << bad);
    }
}

TEST(driver_init_test, Devices_Variable_GivesSeveral)
{
    environment_variable devices("NIN_HOST_DEVICES", "3");
    EXPECT_IN_OWN_PROCESS({
        ASSERT_OK(cuInit(0));
        int count = 0;
        ASSERT_OK(cuDeviceGetCount(&count));
        EXPECT_EQ(count, 3);
        CUuuid first{};
        CUuuid last{};
        ASSERT_OK(cuDeviceGetUuid_v2(&first, 0));
        ASSERT_OK(cuDeviceGetUuid_v2(&last, 2));
        EXPECT_NE(std::memcmp(&first, &last, sizeof(first)), 0);
        CUcontext contexts[2] = {};
        ASSERT_OK(cuDevicePrimaryCtxRetain(&contexts[0], 0));
        ASSERT_OK(cuDevicePrimaryCtxRetain(&contexts[1], 2));
        EXPECT_NE(contexts[0], contexts[1]);
        ASSERT_OK(cuCtxSetCurrent(contexts[1]));
        CUdevice device = -1;
        ASSERT_OK(cuCtxGetDevice(&device));
        EXPECT_EQ(device, 2);
    });
}

TEST(driver_init_test, NumThreads_Variable_IsMultiprocessorCount)
{
    environment_variable threads("NIN_NUM_THREADS", "5");
    EXPECT_IN_OWN_PROCESS({
        ASSERT_OK(cuInit(0));
        EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), 5);
        char name[256];
        ASSERT_OK(cuDeviceGetName(name, sizeof(name), 0));
        EXPECT_NE(std::strstr(name, "(5 threads)"), nullptr) << name;
    });
}

TEST_F(device_test, DriverVersion_Is12_4)
{
    int version = 0;
    ASSERT_OK(cuDriverGetVersion(&version));
    EXPECT_EQ(version, 12040);
    EXPECT_EQ(cuDriverGetVersion(nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(device_test, Device_UnknownOrdinal_IsInvalid)
{
    CUdevice device = -1;
    ASSERT_OK(cuDeviceGet(&device, 0));
    EXPECT_EQ(device, 0);
    EXPECT_EQ(cuDeviceGet(&device, -1), CUDA_ERROR_INVALID_DEVICE);
    EXPECT_EQ(cuDeviceGet(&device, 1000), CUDA_ERROR_INVALID_DEVICE);
}

TEST_F(device_test, DeviceName_IsTruncatedWithTerminator)
{
    char whole[256];
    char small[4] = {'x', 'x', 'x', 'x'};
    ASSERT_OK(cuDeviceGetName(whole, sizeof(whole), 0));
    ASSERT_OK(cuDeviceGetName(small, sizeof(small), 0));
    EXPECT_EQ(std::string(small), std::string(whole).substr(0, 3));
}

TEST_F(device_test, Attributes_DescribeAnAmpereSizedDevice)
{
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR), 8);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR), 0);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_WARP_SIZE), 32);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 1024);
    EXPECT_GE(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT), 1);
    int value = 0;
    EXPECT_EQ(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(0), 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuDeviceGetAttribute(&value, static_cast<CUdevice_attribute>(100000), 0), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(device_test, ErrorNames_CoverKnownCodesOnly)
{
    const char* text = nullptr;
    ASSERT_OK(cuGetErrorName(CUDA_ERROR_CAPTURED_EVENT, &text));
    EXPECT_STREQ(text, "CUDA_ERROR_CAPTURED_EVENT");
    ASSERT_OK(cuGetErrorString(CUDA_ERROR_OUT_OF_MEMORY, &text));
    EXPECT_NE(std::string(text).find("memory"), std::string::npos);
    text = "stale";
    EXPECT_EQ(cuGetErrorName(static_cast<CUresult>(12345), &text), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(text, nullptr);
    EXPECT_EQ(cuGetErrorString(CUDA_SUCCESS, nullptr), CUDA_ERROR_INVALID_VALUE);
}
