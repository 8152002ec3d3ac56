#include "host/memory.h"

#include "host/configuration.h"
#include "host/driver.h"

#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace nin::host
{
namespace
{

constexpr size_t k_huge_page = size_t{2} << 20;
constexpr size_t k_alignment = 256;                        // of every device allocation, as the CUDA driver promises
constexpr CUdeviceptr k_device_bit = CUdeviceptr{1} << 62; // no user address has it, with 4- or 5-level paging

size_t round_up(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

size_t page_bytes()
{
    static const size_t result = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return result;
}

uint64_t next_allocation_id()
{
    static std::atomic<uint64_t> counter{0};
    return ++counter;
}

std::byte* map_pages(size_t bytes, int protection)
{
    void* base = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED)
        throw std::bad_alloc();
    return static_cast<std::byte*>(base);
}

} // namespace

mapping::mapping(size_t bytes)
{
    const size_t page = page_bytes();
    if (bytes > SIZE_MAX / 4)
        throw std::bad_alloc();
    if (settings().poison) {
        // guard page | slack, data | guard page: the data ends at the upper guard, as near as its alignment allows.
        const size_t inner = round_up(bytes, page);
        mapped_bytes_ = inner + 2 * page;
        std::byte* base = map_pages(mapped_bytes_, PROT_NONE);
        base_ = base;
        if (mprotect(base + page, inner, PROT_READ | PROT_WRITE) != 0) {
            munmap(base_, mapped_bytes_);
            throw std::bad_alloc();
        }
        data_ = base + page + inner - round_up(bytes, k_alignment);
        std::memset(base + page, 0xFF, inner);
    } else if (bytes >= k_huge_page) {
        // Map one huge page more than needed and give the unaligned ends back.
        mapped_bytes_ = round_up(bytes, k_huge_page);
        std::byte* base = map_pages(mapped_bytes_ + k_huge_page, PROT_READ | PROT_WRITE);
        const size_t head =
            round_up(reinterpret_cast<uintptr_t>(base), k_huge_page) - reinterpret_cast<uintptr_t>(base);
        if (head != 0)
            munmap(base, head);
        data_ = base + head;
        base_ = data_;
        if (head != k_huge_page)
            munmap(data_ + mapped_bytes_, k_huge_page - head);
        madvise(data_, mapped_bytes_, MADV_HUGEPAGE); // advice only: without it the memory is merely slower
    } else {
        mapped_bytes_ = round_up(bytes, page);
        data_ = map_pages(mapped_bytes_, PROT_READ | PROT_WRITE);
        base_ = data_;
    }
}

mapping::mapping(mapping&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), mapped_bytes_(std::exchange(other.mapped_bytes_, 0)),
      data_(std::exchange(other.data_, nullptr))
{
}

mapping& mapping::operator=(mapping&& other) noexcept
{
    std::swap(base_, other.base_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    return *this;
}

mapping::~mapping()
{
    if (base_ != nullptr)
        munmap(base_, mapped_bytes_);
}

CUdeviceptr device_memory::allocate(size_t bytes)
{
    {
        std::unique_lock lock(mutex_);
        if (bytes > limit_bytes_ || round_up(bytes, k_alignment) > limit_bytes_ - used_bytes_)
            refuse(CUDA_ERROR_OUT_OF_MEMORY, std::to_string(bytes) + " bytes requested, " +
                                                 std::to_string(limit_bytes_ - used_bytes_) + " of " +
                                                 std::to_string(limit_bytes_) + " free");
        used_bytes_ += round_up(bytes, k_alignment);
    }
    try {
        mapping memory(bytes); // outside the lock: poisoning a large block takes long
        const CUdeviceptr address = reinterpret_cast<uintptr_t>(memory.data()) | k_device_bit;
        std::unique_lock lock(mutex_);
        allocations_.emplace(address, allocation{bytes, next_allocation_id(), std::move(memory)});
        return address;
    } catch (...) {
        std::unique_lock lock(mutex_);
        used_bytes_ -= round_up(bytes, k_alignment);
        throw;
    }
}

std::optional<mapping> device_memory::detach(CUdeviceptr address)
{
    std::unique_lock lock(mutex_);
    auto node = allocations_.extract(address);
    if (node.empty())
        return std::nullopt;
    used_bytes_ -= round_up(node.mapped().bytes, k_alignment);
    return std::move(node.mapped().memory);
}

std::map<CUdeviceptr, device_memory::allocation>::const_iterator device_memory::holder(CUdeviceptr address,
                                                                                       size_t bytes) const
{
    auto next = allocations_.upper_bound(address);
    if (next == allocations_.begin())
        return allocations_.end();
    auto candidate = std::prev(next);
    const size_t offset = address - candidate->first;
    const size_t size = candidate->second.bytes;
    return offset < size && bytes <= size - offset ? candidate : allocations_.end();
}

bool device_memory::resolve(const std::vector<memory_access>& accesses, void** pointers, size_t& failed) const
{
    std::shared_lock lock(mutex_);
    for (size_t i = 0; i < accesses.size(); ++i) {
        const memory_access& access = accesses[i];
        if (access.bytes == 0) {
            pointers[i] = nullptr;
            continue;
        }
        if (holder(access.address, access.bytes) == allocations_.end()) {
            failed = i;
            return false;
        }
        pointers[i] = reinterpret_cast<void*>(access.address & ~k_device_bit);
    }
    return true;
}

bool device_memory::contains(CUdeviceptr address, size_t bytes) const
{
    std::shared_lock lock(mutex_);
    return holder(address, bytes) != allocations_.end();
}

std::optional<address_range> device_memory::find(CUdeviceptr address) const
{
    std::shared_lock lock(mutex_);
    auto found = holder(address, 1);
    if (found == allocations_.end())
        return std::nullopt;
    return address_range{found->first, found->second.bytes, found->second.id};
}

size_t device_memory::free_bytes() const
{
    std::shared_lock lock(mutex_);
    return limit_bytes_ - used_bytes_;
}

size_t device_memory::allocation_count() const
{
    std::shared_lock lock(mutex_);
    return allocations_.size();
}

void* pinned_memory::allocate(context& owner, size_t bytes)
{
    mapping memory(bytes);
    void* start = memory.data();
    std::unique_lock lock(mutex_);
    entries_.emplace(reinterpret_cast<uintptr_t>(start), entry{bytes, next_allocation_id(), &owner, std::move(memory)});
    return start;
}

void pinned_memory::register_range(context& owner, void* start, size_t bytes)
{
    const auto first = reinterpret_cast<uintptr_t>(start);
    std::unique_lock lock(mutex_);
    auto next = entries_.lower_bound(first);
    const bool meets_next = next != entries_.end() && next->first - first < bytes;
    const bool meets_previous =
        next != entries_.begin() && first - std::prev(next)->first < std::prev(next)->second.bytes;
    require(!meets_next && !meets_previous, CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED,
            "a part of the range is page-locked already");
    entries_.emplace(first, entry{bytes, next_allocation_id(), &owner, std::nullopt});
}

std::optional<mapping> pinned_memory::detach(void* start)
{
    std::unique_lock lock(mutex_);
    auto found = entries_.find(reinterpret_cast<uintptr_t>(start));
    if (found == entries_.end() || !found->second.memory)
        return std::nullopt;
    std::optional<mapping> memory = std::move(found->second.memory);
    entries_.erase(found);
    return memory;
}

bool pinned_memory::unregister(void* start)
{
    std::unique_lock lock(mutex_);
    auto found = entries_.find(reinterpret_cast<uintptr_t>(start));
    if (found == entries_.end() || found->second.memory)
        return false;
    entries_.erase(found);
    return true;
}

size_t pinned_memory::count() const
{
    std::shared_lock lock(mutex_);
    return entries_.size();
}

size_t pinned_memory::release_all(const context& owner)
{
    std::unique_lock lock(mutex_);
    return std::erase_if(entries_, [&](const auto& item) { return item.second.owner == &owner; });
}

std::map<uintptr_t, pinned_memory::entry>::const_iterator pinned_memory::holder(uintptr_t start, size_t bytes) const
{
    auto next = entries_.upper_bound(start);
    if (next == entries_.begin())
        return entries_.end();
    auto candidate = std::prev(next);
    const size_t offset = start - candidate->first;
    const size_t size = candidate->second.bytes;
    return offset < size && bytes <= size - offset ? candidate : entries_.end();
}

bool pinned_memory::contains(const void* start, size_t bytes) const
{
    std::shared_lock lock(mutex_);
    return holder(reinterpret_cast<uintptr_t>(start), bytes) != entries_.end();
}

std::optional<pinned_memory::range> pinned_memory::find(const void* address) const
{
    std::shared_lock lock(mutex_);
    auto found = holder(reinterpret_cast<uintptr_t>(address), 1);
    if (found == entries_.end())
        return std::nullopt;
    return range{found->first, found->second.bytes, found->second.id, found->second.owner};
}

pinned_memory& pinned()
{
    return immortal<pinned_memory>();
}

} // namespace nin::host
