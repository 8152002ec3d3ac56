// Device memory, page-locked host memory, copies and fills.
#include "host/capture.h"
#include "host/configuration.h"
#include "host/context.h"
#include "host/driver.h"
#include "host/memory.h"

#include <algorithm>
#include <cstring>

namespace nin::host
{
namespace
{

void require_device_range(context& owner, CUdeviceptr start, size_t bytes, const char* name)
{
    if (!owner.memory()->contains(start, bytes))
        refuse(CUDA_ERROR_INVALID_VALUE, std::string(name) + ": " + std::to_string(bytes) +
                                             " bytes from there are not inside one live allocation of the device");
}

operation upload(const char* name, CUdeviceptr destination, const void* source, size_t bytes)
{
    return {name, {{destination, bytes, access_kind::write}}, [source, bytes](void* const* pointers) {
                std::memcpy(pointers[0], source, bytes);
            }};
}

// From a copy of the source, which the caller may change at once.
operation staged_upload(const char* name, CUdeviceptr destination, const void* source, size_t bytes)
{
    std::shared_ptr<std::byte[]> staged = std::make_shared_for_overwrite<std::byte[]>(bytes);
    std::memcpy(staged.get(), source, bytes);
    return {name, {{destination, bytes, access_kind::write}}, [staged, bytes](void* const* pointers) {
                std::memcpy(pointers[0], staged.get(), bytes);
            }};
}

operation download(const char* name, void* destination, CUdeviceptr source, size_t bytes)
{
    return {name, {{source, bytes, access_kind::read}}, [destination, bytes](void* const* pointers) {
                std::memcpy(destination, pointers[0], bytes);
            }};
}

operation copy(const char* name, CUdeviceptr destination, CUdeviceptr source, size_t bytes)
{
    return {name,
            {{destination, bytes, access_kind::write}, {source, bytes, access_kind::read}},
            [bytes](void* const* pointers) { std::memmove(pointers[0], pointers[1], bytes); }};
}

operation fill8(const char* name, CUdeviceptr destination, unsigned char value, size_t count)
{
    return {name, {{destination, count, access_kind::write}}, [value, count](void* const* pointers) {
                std::memset(pointers[0], value, count);
            }};
}

operation fill32(const char* name, CUdeviceptr destination, unsigned int value, size_t count)
{
    return {name, {{destination, count * 4, access_kind::write}}, [value, count](void* const* pointers) {
                std::fill_n(static_cast<unsigned int*>(pointers[0]), count, value);
            }};
}

// The legacy stream, for a call that enqueues on it and is illegal during captures.
std::shared_ptr<stream> legacy_stream_for_copy(context& current)
{
    refuse_unsafe_call();
    refuse_legacy_use(current);
    return current.legacy_stream();
}

void run_on_legacy_stream(context& current, operation op)
{
    const std::shared_ptr<stream> legacy = legacy_stream_for_copy(current);
    enqueue(*legacy, std::move(op)).wait();
    require_no_error();
}

void upload_sync(context& current, CUdeviceptr destination, const void* source, size_t bytes)
{
    const char* const name = "cuMemcpyHtoD_v2";
    if (settings().streams != stream_mode::deferred || pinned().contains(source, bytes))
        return run_on_legacy_stream(current, upload(name, destination, source, bytes));
    // From pageable memory the call may return while the bytes are only staged, and other streams don't wait for them.
    const std::shared_ptr<stream> legacy = legacy_stream_for_copy(current);
    synchronize_stream(*legacy);
    require_no_error();
    enqueue(*legacy, staged_upload(name, destination, source, bytes));
}

void upload_async(CUdeviceptr destination, const void* source, size_t bytes, CUstream handle)
{
    const char* const name = "cuMemcpyHtoDAsync_v2";
    const std::shared_ptr<stream> target = get_stream(handle);
    if (bytes == 0)
        return;
    require_pointer(source, "srcHost");
    require_device_range(target->owner, destination, bytes, "dstDevice");
    if (pinned().contains(source, bytes)) {
        submit_work(target, upload(name, destination, source, bytes));
        return;
    }
    refuse_if_capturing(*target); // pageable memory has no fixed place that a graph could read later
    submit_work(target, staged_upload(name, destination, source, bytes));
}

void download_async(void* destination, CUdeviceptr source, size_t bytes, CUstream handle)
{
    const std::shared_ptr<stream> target = get_stream(handle);
    if (bytes == 0)
        return;
    require_pointer(destination, "dstHost");
    require_device_range(target->owner, source, bytes, "srcDevice");
    const bool is_pinned = pinned().contains(destination, bytes);
    if (!is_pinned)
        refuse_if_capturing(*target); // the copy to pageable memory is synchronous
    submit_work(target, download("cuMemcpyDtoHAsync_v2", destination, source, bytes));
    if (!is_pinned) {
        target->queue->tail().wait();
        require_no_error();
    }
}

void free_device_memory(context& current, CUdeviceptr address)
{
    refuse_unsafe_call();
    if (address == 0)
        return;
    const std::shared_ptr<device_memory> memory = current.memory();
    const std::optional<address_range> range = memory->find(address);
    require(range && range->start == address, CUDA_ERROR_INVALID_VALUE,
            "dptr is not the start of a live allocation of the current context");
    current.wait_idle();
    const std::optional<mapping> released = memory->detach(address);
    require(released.has_value(), CUDA_ERROR_INVALID_VALUE, "dptr was freed by another thread meanwhile");
    // What another thread submitted between the two lines above may be using the memory: it goes after that.
    current.wait_idle();
    require_no_error();
}

// Where an address lies: in a device's memory or in page-locked host memory.
struct pointer_facts {
    context* owner;
    CUmemorytype type;
    CUdeviceptr start;
    size_t bytes;
    uint64_t id;
};

pointer_facts find_pointer(CUdeviceptr address)
{
    for (const auto& device : devices()) {
        if (!device->is_active())
            continue;
        if (const auto range = device->memory()->find(address))
            return {device.get(), CU_MEMORYTYPE_DEVICE, range->start, range->bytes, range->id};
    }
    const auto range = pinned().find(reinterpret_cast<const void*>(address));
    require(range.has_value(), CUDA_ERROR_INVALID_VALUE, "ptr is neither device nor page-locked host memory");
    return {range->owner, CU_MEMORYTYPE_HOST, range->start, range->bytes, range->id};
}

template <typename T> void store(void* data, T value)
{
    std::memcpy(data, &value, sizeof(T));
}

void get_pointer_attribute(void* data, CUpointer_attribute attribute, CUdeviceptr address)
{
    const pointer_facts facts = find_pointer(address);
    const bool is_device = facts.type == CU_MEMORYTYPE_DEVICE;
    switch (attribute) {
    case CU_POINTER_ATTRIBUTE_CONTEXT:
        return store(data, facts.owner->handle);
    case CU_POINTER_ATTRIBUTE_MEMORY_TYPE:
        return store(data, static_cast<unsigned int>(facts.type));
    case CU_POINTER_ATTRIBUTE_DEVICE_POINTER:
        require(is_device, CUDA_ERROR_INVALID_VALUE, "page-locked host memory has no device address here");
        return store(data, address);
    case CU_POINTER_ATTRIBUTE_HOST_POINTER:
        require(!is_device, CUDA_ERROR_INVALID_VALUE, "device memory has no host address");
        return store(data, address);
    case CU_POINTER_ATTRIBUTE_BUFFER_ID:
        return store(data, static_cast<unsigned long long>(facts.id));
    case CU_POINTER_ATTRIBUTE_IS_MANAGED:
        return store(data, static_cast<unsigned char>(0));
    case CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL:
        return store(data, facts.owner->ordinal);
    case CU_POINTER_ATTRIBUTE_RANGE_START_ADDR:
        return store(data, facts.start);
    case CU_POINTER_ATTRIBUTE_RANGE_SIZE:
        return store(data, facts.bytes);
    case CU_POINTER_ATTRIBUTE_MAPPED:
        return store(data, static_cast<unsigned char>(1));
    default:
        require(attribute > 0 && attribute <= CU_POINTER_ATTRIBUTE_IS_HW_DECOMPRESS_CAPABLE, CUDA_ERROR_INVALID_VALUE,
                "unknown attribute");
        refuse(CUDA_ERROR_NOT_SUPPORTED,
               "attribute " + std::to_string(attribute) + " is not supported by the host provider");
    }
}

} // namespace
} // namespace nin::host

using namespace nin::host;

NIN_API CUresult cuMemGetInfo_v2(size_t* free, size_t* total) noexcept
{
    return guarded<CUresult>("cuMemGetInfo_v2", [&] {
        const std::shared_ptr<device_memory> memory = require_context().memory();
        require_pointer(free, "free");
        require_pointer(total, "total");
        *free = memory->free_bytes();
        *total = memory->limit_bytes();
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemAlloc_v2(CUdeviceptr* dptr, size_t bytesize) noexcept
{
    return guarded<CUresult>("cuMemAlloc_v2", [&] {
        context& current = require_context();
        refuse_unsafe_call();
        require_pointer(dptr, "dptr");
        require(bytesize != 0, CUDA_ERROR_INVALID_VALUE, "bytesize is 0");
        *dptr = current.memory()->allocate(bytesize);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemFree_v2(CUdeviceptr dptr) noexcept
{
    return guarded<CUresult>("cuMemFree_v2", [&] {
        free_device_memory(require_context(), dptr);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemHostAlloc(void** pp, size_t bytesize, unsigned int Flags) noexcept
{
    return guarded<CUresult>("cuMemHostAlloc", [&] {
        constexpr unsigned int known =
            CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP | CU_MEMHOSTALLOC_WRITECOMBINED;
        context& current = require_context();
        refuse_unsafe_call();
        require_pointer(pp, "pp");
        require(bytesize != 0, CUDA_ERROR_INVALID_VALUE, "bytesize is 0");
        require((Flags & ~known) == 0, CUDA_ERROR_INVALID_VALUE, "unknown Flags");
        *pp = pinned().allocate(current, bytesize);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemFreeHost(void* p) noexcept
{
    return guarded<CUresult>("cuMemFreeHost", [&] {
        context& current = require_context();
        refuse_unsafe_call();
        current.wait_idle(); // queued copies may still read or write it
        require(pinned().detach(p).has_value(), CUDA_ERROR_INVALID_VALUE, "p was not allocated with cuMemHostAlloc");
        require_no_error();
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemHostRegister_v2(void* p, size_t bytesize, unsigned int Flags) noexcept
{
    return guarded<CUresult>("cuMemHostRegister_v2", [&] {
        constexpr unsigned int known = CU_MEMHOSTREGISTER_PORTABLE | CU_MEMHOSTREGISTER_DEVICEMAP |
                                       CU_MEMHOSTREGISTER_IOMEMORY | CU_MEMHOSTREGISTER_READ_ONLY;
        context& current = require_context();
        refuse_unsafe_call();
        require_pointer(p, "p");
        require(bytesize != 0, CUDA_ERROR_INVALID_VALUE, "bytesize is 0");
        require((Flags & ~known) == 0, CUDA_ERROR_INVALID_VALUE, "unknown Flags");
        pinned().register_range(current, p, bytesize);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemHostUnregister(void* p) noexcept
{
    return guarded<CUresult>("cuMemHostUnregister", [&] {
        context& current = require_context();
        refuse_unsafe_call();
        current.wait_idle();
        require(pinned().unregister(p), CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED,
                "p is not the start of a registered range");
        require_no_error();
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemcpyHtoD_v2(CUdeviceptr dstDevice, const void* srcHost, size_t ByteCount) noexcept
{
    return guarded<CUresult>("cuMemcpyHtoD_v2", [&] {
        context& current = require_context();
        if (ByteCount == 0)
            return CUDA_SUCCESS;
        require_pointer(srcHost, "srcHost");
        require_device_range(current, dstDevice, ByteCount, "dstDevice");
        upload_sync(current, dstDevice, srcHost, ByteCount);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemcpyDtoH_v2(void* dstHost, CUdeviceptr srcDevice, size_t ByteCount) noexcept
{
    return guarded<CUresult>("cuMemcpyDtoH_v2", [&] {
        context& current = require_context();
        if (ByteCount == 0)
            return CUDA_SUCCESS;
        require_pointer(dstHost, "dstHost");
        require_device_range(current, srcDevice, ByteCount, "srcDevice");
        run_on_legacy_stream(current, download("cuMemcpyDtoH_v2", dstHost, srcDevice, ByteCount));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemcpyDtoD_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, size_t ByteCount) noexcept
{
    return guarded<CUresult>("cuMemcpyDtoD_v2", [&] {
        context& current = require_context();
        if (ByteCount == 0)
            return CUDA_SUCCESS;
        require_device_range(current, dstDevice, ByteCount, "dstDevice");
        require_device_range(current, srcDevice, ByteCount, "srcDevice");
        // Does not wait on the host side.
        enqueue(*legacy_stream_for_copy(current), copy("cuMemcpyDtoD_v2", dstDevice, srcDevice, ByteCount));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr dstDevice, const void* srcHost, size_t ByteCount,
                                      CUstream hStream) noexcept
{
    return guarded<CUresult>("cuMemcpyHtoDAsync_v2", [&] {
        upload_async(dstDevice, srcHost, ByteCount, hStream);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemcpyDtoHAsync_v2(void* dstHost, CUdeviceptr srcDevice, size_t ByteCount, CUstream hStream) noexcept
{
    return guarded<CUresult>("cuMemcpyDtoHAsync_v2", [&] {
        download_async(dstHost, srcDevice, ByteCount, hStream);
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr dstDevice, CUdeviceptr srcDevice, size_t ByteCount,
                                      CUstream hStream) noexcept
{
    return guarded<CUresult>("cuMemcpyDtoDAsync_v2", [&] {
        const std::shared_ptr<stream> target = get_stream(hStream);
        if (ByteCount == 0)
            return CUDA_SUCCESS;
        require_device_range(target->owner, dstDevice, ByteCount, "dstDevice");
        require_device_range(target->owner, srcDevice, ByteCount, "srcDevice");
        submit_work(target, copy("cuMemcpyDtoDAsync_v2", dstDevice, srcDevice, ByteCount));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemsetD8_v2(CUdeviceptr dstDevice, unsigned char uc, size_t N) noexcept
{
    return guarded<CUresult>("cuMemsetD8_v2", [&] {
        context& current = require_context();
        if (N == 0)
            return CUDA_SUCCESS;
        require_device_range(current, dstDevice, N, "dstDevice");
        enqueue(*legacy_stream_for_copy(current), fill8("cuMemsetD8_v2", dstDevice, uc, N));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemsetD8Async(CUdeviceptr dstDevice, unsigned char uc, size_t N, CUstream hStream) noexcept
{
    return guarded<CUresult>("cuMemsetD8Async", [&] {
        const std::shared_ptr<stream> target = get_stream(hStream);
        if (N == 0)
            return CUDA_SUCCESS;
        require_device_range(target->owner, dstDevice, N, "dstDevice");
        submit_work(target, fill8("cuMemsetD8Async", dstDevice, uc, N));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuMemsetD32Async(CUdeviceptr dstDevice, unsigned int ui, size_t N, CUstream hStream) noexcept
{
    return guarded<CUresult>("cuMemsetD32Async", [&] {
        const std::shared_ptr<stream> target = get_stream(hStream);
        if (N == 0)
            return CUDA_SUCCESS;
        require(dstDevice % 4 == 0, CUDA_ERROR_INVALID_VALUE, "dstDevice is not 4-byte aligned");
        require(N <= SIZE_MAX / 4, CUDA_ERROR_INVALID_VALUE, "N is too large");
        require_device_range(target->owner, dstDevice, N * 4, "dstDevice");
        submit_work(target, fill32("cuMemsetD32Async", dstDevice, ui, N));
        return CUDA_SUCCESS;
    });
}

NIN_API CUresult cuPointerGetAttribute(void* data, CUpointer_attribute attribute, CUdeviceptr ptr) noexcept
{
    return guarded<CUresult>("cuPointerGetAttribute", [&] {
        require_no_error();
        require_pointer(data, "data");
        get_pointer_attribute(data, attribute, ptr);
        return CUDA_SUCCESS;
    });
}
