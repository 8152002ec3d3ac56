// Memory of the simulated devices, and page-locked host memory: who owns which range, and what an address means.
#pragma once

#include "host/runtime.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <shared_mutex>
#include <vector>

namespace nin::host
{

class context;

// Anonymous memory of its own, unmapped by the destructor. Page aligned and 2 MiB aligned from 2 MiB on; with poison
// on, filled with 0xFF bytes (a NaN in every float type), 256-byte aligned and ending at a guard page.
class mapping
{
  public:
    explicit mapping(size_t bytes); // std::bad_alloc when the system has none
    mapping(mapping&& other) noexcept;
    mapping& operator=(mapping&& other) noexcept;
    mapping(const mapping&) = delete;
    mapping& operator=(const mapping&) = delete;
    ~mapping();

    std::byte* data() const noexcept { return data_; }

  private:
    void* base_;
    size_t mapped_bytes_;
    std::byte* data_;
};

// What one allocation covers.
struct address_range {
    CUdeviceptr start;
    size_t bytes;
    uint64_t id; // unique in the process
};

// The live allocations of one device's context. A device address is a host address with a bit set that makes it
// non-canonical on x86-64, so that dereferencing it on the host faults.
class device_memory
{
  public:
    explicit device_memory(size_t limit_bytes) : limit_bytes_(limit_bytes) {}

    // Refuses with CUDA_ERROR_OUT_OF_MEMORY above the limit.
    CUdeviceptr allocate(size_t bytes);

    // Takes the allocation that starts at `address` out: from now on no operation resolves it. The memory goes when the
    // returned mapping does. Empty when no allocation starts there.
    std::optional<mapping> detach(CUdeviceptr address);

    // The host pointers of all accesses (nullptr for 0 bytes); false when one does not lie inside one allocation, whose
    // index is then in `failed`.
    bool resolve(const std::vector<memory_access>& accesses, void** pointers, size_t& failed) const;
    bool contains(CUdeviceptr address, size_t bytes) const;
    std::optional<address_range> find(CUdeviceptr address) const;

    size_t limit_bytes() const noexcept { return limit_bytes_; }
    size_t free_bytes() const;
    size_t allocation_count() const;

  private:
    struct allocation {
        size_t bytes;
        uint64_t id;
        mapping memory;
    };

    // The allocation that holds all of [address, address + bytes), or end().
    std::map<CUdeviceptr, allocation>::const_iterator holder(CUdeviceptr address, size_t bytes) const;

    const size_t limit_bytes_;
    mutable std::shared_mutex mutex_;
    std::map<CUdeviceptr, allocation> allocations_;
    size_t used_bytes_ = 0;
};

// Page-locked host ranges of the process: allocated (cuMemHostAlloc) or registered (cuMemHostRegister).
class pinned_memory
{
  public:
    void* allocate(context& owner, size_t bytes);
    void register_range(context& owner, void* start, size_t bytes);

    // Empty when `start` is not the start of memory that `allocate` gave.
    std::optional<mapping> detach(void* start);
    bool unregister(void* start);
    // The number of ranges that were released with their context.
    size_t release_all(const context& owner);
    size_t count() const;

    bool contains(const void* start, size_t bytes) const;

    struct range {
        uintptr_t start;
        size_t bytes;
        uint64_t id;
        context* owner;
    };
    std::optional<range> find(const void* address) const;

  private:
    struct entry {
        size_t bytes;
        uint64_t id;
        context* owner;
        std::optional<mapping> memory; // empty: registered
    };

    std::map<uintptr_t, entry>::const_iterator holder(uintptr_t start, size_t bytes) const;

    mutable std::shared_mutex mutex_;
    std::map<uintptr_t, entry> entries_;
};

pinned_memory& pinned();

} // namespace nin::host
