// cuInit and the device queries.
#include "host/configuration.h"
#include "host/context.h"
#include "host/driver.h"
#include "host/lesser_device.h"
#include "host/module.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace nin::host
{
namespace
{

std::string processor_name()
{
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        const size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos)
            return line.substr(colon + 2);
    }
    return "CPU";
}

// Attributes that the host has no counterpart for (textures, interconnects, ...) are 0.
int device_attribute(const context& device, CUdevice_attribute attribute)
{
    switch (attribute) {
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK:
        return k_max_block_threads;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X:
        return k_max_block_dim[0];
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Y:
        return k_max_block_dim[1];
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_Z:
        return k_max_block_dim[2];
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X:
        return k_max_grid_dim[0];
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y:
        return k_max_grid_dim[1];
    case CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Z:
        return k_max_grid_dim[2];
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK:
        return k_shared_bytes_per_block;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN:
        return k_shared_bytes_per_block_optin;
    case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR:
        return k_shared_bytes_per_multiprocessor;
    case CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK:
        return k_shared_bytes_per_multiprocessor - k_shared_bytes_per_block_optin;
    case CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY:
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK:
    case CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR:
        return 65536;
    case CU_DEVICE_ATTRIBUTE_WARP_SIZE:
        return 32;
    case CU_DEVICE_ATTRIBUTE_MAX_PITCH:
        return 2147483647;
    case CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT:
        return 512;
    case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT:
        return thread_count();
    case CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR:
        return k_threads_per_multiprocessor;
    case CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR:
        return k_blocks_per_multiprocessor;
    case CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID:
        return device.ordinal;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_MODE:
        return CU_COMPUTEMODE_DEFAULT;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR:
        return k_compute_capability / 10;
    case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR:
        return k_compute_capability % 10;
    case CU_DEVICE_ATTRIBUTE_GPU_OVERLAP:
    case CU_DEVICE_ATTRIBUTE_INTEGRATED: // the device's memory is the host's
    case CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS:
    case CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT:
    case CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING:
    case CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED:
        return 1;
    default:
        return 0;
    }
}

void init(unsigned int flags)
{
    require(flags == 0, CUDA_ERROR_INVALID_VALUE, "Flags must be 0");
    devices(); // reads the environment, refuses what it does not understand
    thread_count();
    set_initialized();
}

} // namespace
} // namespace nin::host

using namespace nin::host;

NIN_API CUresult cuInit(unsigned int Flags) noexcept
{
    return guarded<CUresult>("cuInit", [&] {
        init(Flags);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuDriverGetVersion(int* driverVersion) noexcept
{
    return guarded<CUresult>("cuDriverGetVersion", [&] {
        require_pointer(driverVersion, "driverVersion");
        *driverVersion = lesser().driver_version;
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuDeviceGetCount(int* count) noexcept
{
    return guarded<CUresult>("cuDeviceGetCount", [&] {
        require_no_error();
        require_pointer(count, "count");
        *count = static_cast<int>(devices().size());
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuDeviceGet(CUdevice* device, int ordinal) noexcept
{
    return guarded<CUresult>("cuDeviceGet", [&] {
        require_no_error();
        require_pointer(device, "device");
        *device = device_context(ordinal).ordinal;
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuDeviceGetName(char* name, int len, CUdevice dev) noexcept
{
    return guarded<CUresult>("cuDeviceGetName", [&] {
        require_no_error();
        require_pointer(name, "name");
        require(len > 0, CUDA_ERROR_INVALID_VALUE, "len must be positive");
        device_context(dev);
        std::snprintf(name, static_cast<size_t>(len), "%s (%d threads)", processor_name().c_str(), thread_count());
        return CUDA_SUCCESS;
    });
}

namespace
{

CUresult device_uuid(CUuuid* uuid, CUdevice dev) noexcept
{
    return guarded<CUresult>("cuDeviceGetUuid_v2", [&] {
        require_no_error();
        require_pointer(uuid, "uuid");
        std::memcpy(uuid->bytes, "NinCudnn host ", 14);
        uuid->bytes[14] = static_cast<char>(device_context(dev).ordinal >> 8);
        uuid->bytes[15] = static_cast<char>(device_context(dev).ordinal);
        return CUDA_SUCCESS;
    });
}

} // namespace

NIN_API_WHERE(cuDeviceGetUuid_v2, device_uuid, device.driver_version >= 11040)
NIN_API CUresult cuDeviceGetUuid_v2(CUuuid* uuid, CUdevice dev) noexcept NIN_RESOLVED(cuDeviceGetUuid_v2);

NIN_API CUresult cuDeviceTotalMem_v2(size_t* bytes, CUdevice dev) noexcept
{
    return guarded<CUresult>("cuDeviceTotalMem_v2", [&] {
        require_no_error();
        require_pointer(bytes, "bytes");
        device_context(dev);
        *bytes = settings().device_memory_bytes;
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuDeviceGetAttribute(int* pi, CUdevice_attribute attrib, CUdevice dev) noexcept
{
    return guarded<CUresult>("cuDeviceGetAttribute", [&] {
        require_no_error();
        require_pointer(pi, "pi");
        require(attrib > 0 && attrib < CU_DEVICE_ATTRIBUTE_MAX, CUDA_ERROR_INVALID_VALUE, "unknown attribute");
        *pi = device_attribute(device_context(dev), attrib);
        return CUDA_SUCCESS;
    });
}
