// The part of CUDA that the kernels use, so that one source serves three compilers: clang without CUDA's headers, nvcc,
// and (NIN_HOST) the C++ compiler that makes the kernels' CPU twins. Inline PTX is used where a compiler's own
// intrinsic would differ between the first two.
//
// A kernel is written over items (elements, rows, warps' rows). On a GPU the items are spread over the launch in
// grid-stride order; a launch is one-dimensional. On the CPU every thread takes one contiguous range of the items.
#pragma once

#include <stdint.h>

#if defined(__CUDA__) || defined(__CUDACC__)
#define NIN_HOST 0
#else
#define NIN_HOST 1
#endif

#if NIN_HOST

#include <math.h>

// A twin is compiled once per instruction set and chosen when the library is loaded. The sanitizers cannot run the code
// that chooses, which comes before them.
#if defined(__x86_64__) && !defined(NIN_SANITIZED)
#define __global__ __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define __global__
#endif
#define __device__
// Functions and lambdas on the path of an item must be inlined into the kernel, else they miss its instruction set.
#define __forceinline__ inline __attribute__((always_inline))
#define NIN_INLINE_LAMBDA __attribute__((always_inline))
// Items are independent: a launch may run in place, and only this tells the vectoriser that it still may vectorise.
#if defined(__clang__)
#define NIN_INDEPENDENT_ITEMS _Pragma("clang loop vectorize(assume_safety)")
#else
#define NIN_INDEPENDENT_ITEMS _Pragma("GCC ivdep")
#endif

#else

#ifndef __CUDACC__
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __forceinline__ inline __attribute__((always_inline))
#endif
#define NIN_INLINE_LAMBDA

#endif

namespace nin::kernels
{

constexpr int k_warp_size = 32;

union float_bits {
    float value;
    uint32_t bits;
};

__device__ __forceinline__ float float_from_bits(uint32_t bits)
{
    float_bits pun;
    pun.bits = bits;
    return pun.value;
}

__device__ __forceinline__ uint32_t bits_from_float(float value)
{
    float_bits pun;
    pun.value = value;
    return pun.bits;
}

__device__ __forceinline__ float quiet_nan()
{
    return float_from_bits(0x7fffffff);
}

__device__ __forceinline__ float negative_infinity()
{
    return float_from_bits(0xff800000);
}

__device__ __forceinline__ bool is_nan(float value)
{
    return value != value;
}

#if NIN_HOST

// Which of the launch's CPU threads this one is; set by the runner before it calls the kernel.
struct host_thread {
    int index;
    int count;
};
inline constinit thread_local host_thread current_host_thread = {0, 1};

struct item_range {
    int64_t begin, end;
};

// This thread's contiguous share of items 0 … count - 1.
inline item_range share_of(int64_t count)
{
    const auto [index, threads] = current_host_thread;
    const int64_t quotient = count / threads, remainder = count % threads;
    const int64_t begin = index * quotient + (index < remainder ? index : remainder);
    return {begin, begin + quotient + (index < remainder ? 1 : 0)};
}

template <typename Body> __forceinline__ void for_each_item(int64_t count, Body body)
{
    const item_range share = share_of(count);
    NIN_INDEPENDENT_ITEMS
    for (int64_t i = share.begin; i < share.end; ++i)
        body(i);
}

// By one thread of the launch.
template <typename Body> __forceinline__ void once(Body body)
{
    if (current_host_thread.index == 0)
        body();
}

template <typename Body> __forceinline__ void for_each_warp_item(int64_t count, Body body)
{
    const item_range share = share_of(count);
    for (int64_t i = share.begin; i < share.end; ++i)
        body(i);
}

// One value per lane of a warp.
template <typename Value> struct per_lane {
    Value values[k_warp_size];
    __forceinline__ Value& operator[](int lane) { return values[lane]; }
};

template <typename Body> __forceinline__ void for_each_lane(Body body)
{
    for (int lane = 0; lane < k_warp_size; ++lane)
        body(lane);
}

inline void synchronize_warp() {} // for_each_lane runs the lanes one after another

// Combines the lanes' values as a tree: lanes 16 apart first, then 8, 4, 2, 1.
template <typename Value, typename Combine> __forceinline__ Value reduce(per_lane<Value> lanes, Combine combine)
{
    for (int distance = k_warp_size / 2; distance > 0; distance /= 2)
        for (int lane = 0; lane < distance; ++lane)
            lanes[lane] = combine(lanes[lane], lanes[lane + distance]);
    return lanes[0];
}

// The upper half of the 64-bit product.
__forceinline__ uint32_t multiply_high(uint32_t a, uint32_t b)
{
    return static_cast<uint32_t>((static_cast<uint64_t>(a) * b) >> 32);
}

__forceinline__ float square_root(float x)
{
    return sqrtf(x);
}
__forceinline__ double square_root(double x)
{
    return sqrt(x);
}

// 2 to the power x and the base-2 logarithm, within 1 ulp.
__forceinline__ float exp2_approximate(float x)
{
    return exp2f(x);
}
__forceinline__ float log2_approximate(float x)
{
    return log2f(x);
}

#else

__device__ __forceinline__ uint32_t thread_index()
{
    uint32_t value;
    asm("mov.u32 %0, %%tid.x;" : "=r"(value));
    return value;
}

__device__ __forceinline__ uint32_t block_size()
{
    uint32_t value;
    asm("mov.u32 %0, %%ntid.x;" : "=r"(value));
    return value;
}

__device__ __forceinline__ uint32_t block_index()
{
    uint32_t value;
    asm("mov.u32 %0, %%ctaid.x;" : "=r"(value));
    return value;
}

__device__ __forceinline__ uint32_t grid_size()
{
    uint32_t value;
    asm("mov.u32 %0, %%nctaid.x;" : "=r"(value));
    return value;
}

template <typename Body> __device__ __forceinline__ void for_each_item(int64_t count, Body body)
{
    const int64_t stride = static_cast<int64_t>(grid_size()) * block_size();
    for (int64_t i = static_cast<int64_t>(block_index()) * block_size() + thread_index(); i < count; i += stride)
        body(i);
}

// By one thread of the launch.
template <typename Body> __device__ __forceinline__ void once(Body body)
{
    if ((block_index() | thread_index()) == 0)
        body();
}

// One item per warp. Threads of a block beyond its last whole warp do nothing, so a block needs at least 32 threads.
template <typename Body> __device__ __forceinline__ void for_each_warp_item(int64_t count, Body body)
{
    const uint32_t warps = block_size() / k_warp_size, warp = thread_index() / k_warp_size;
    if (warp >= warps)
        return;
    const int64_t stride = static_cast<int64_t>(grid_size()) * warps;
    for (int64_t i = static_cast<int64_t>(block_index()) * warps + warp; i < count; i += stride)
        body(i);
}

// One value per lane of a warp: here each lane holds its own.
template <typename Value> struct per_lane {
    Value value;
    __device__ __forceinline__ Value& operator[](int) { return value; }
};

template <typename Body> __device__ __forceinline__ void for_each_lane(Body body)
{
    body(static_cast<int>(thread_index() % k_warp_size));
}

// What the warp's lanes wrote and read before it is done when any of them goes on.
__device__ __forceinline__ void synchronize_warp()
{
    asm volatile("bar.warp.sync 0xffffffff;" ::: "memory");
}

__device__ __forceinline__ uint32_t exchange_word(uint32_t word, int distance)
{
    uint32_t other;
    asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, 0xffffffff;" : "=r"(other) : "r"(word), "r"(distance));
    return other;
}

// The value that the lane at this distance (exclusive or of the lane indices) passes in the same call.
template <typename Value> __device__ __forceinline__ Value exchange(Value value, int distance)
{
    constexpr int words = sizeof(Value) / sizeof(uint32_t);
    static_assert(words * sizeof(uint32_t) == sizeof(Value), "whole 32-bit words are exchanged");
    union {
        Value value;
        uint32_t words[words];
    } pun;
    pun.value = value;
    for (int i = 0; i < words; ++i)
        pun.words[i] = exchange_word(pun.words[i], distance);
    return pun.value;
}

// Combines the lanes' values as a tree: lanes 16 apart first, then 8, 4, 2, 1. combine must be symmetric, then every
// lane gets the same bits, and the CPU too.
template <typename Value, typename Combine>
__device__ __forceinline__ Value reduce(per_lane<Value> lanes, Combine combine)
{
    for (int distance = k_warp_size / 2; distance > 0; distance /= 2)
        lanes.value = combine(lanes.value, exchange(lanes.value, distance));
    return lanes.value;
}

// The upper half of the 64-bit product; written out, it becomes slower 64-bit arithmetic.
__device__ __forceinline__ uint32_t multiply_high(uint32_t a, uint32_t b)
{
    uint32_t result;
    asm("mul.hi.u32 %0, %1, %2;" : "=r"(result) : "r"(a), "r"(b));
    return result;
}

// Rounded to nearest, as on the CPU.
__device__ __forceinline__ float square_root(float x)
{
    float result;
    asm("sqrt.rn.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

__device__ __forceinline__ double square_root(double x)
{
    double result;
    asm("sqrt.rn.f64 %0, %1;" : "=d"(result) : "d"(x));
    return result;
}

// 2 to the power x: relative error at most 2^-22.
__device__ __forceinline__ float exp2_approximate(float x)
{
    float result;
    asm("ex2.approx.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

// Base-2 logarithm: absolute error at most 2^-22 for x in (0.5, 2), relative error at most 2^-22 elsewhere.
__device__ __forceinline__ float log2_approximate(float x)
{
    float result;
    asm("lg2.approx.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
}

#endif

template <typename Value> __device__ __forceinline__ Value reduce_sum(per_lane<Value> lanes)
{
    return reduce(lanes, [](Value a, Value b) NIN_INLINE_LAMBDA { return a + b; });
}

} // namespace nin::kernels
