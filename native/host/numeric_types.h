// The floating-point element types of tensors, and conversions to and from float. bfloat16 and float16 are storage
// types: all arithmetic is in float, with one rounding (to nearest, ties to even) per stored value.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

// Compiles a function for several instruction sets; the loader picks one. Functions marked so are leaf loops: an OpenMP
// region inside would be outlined before the clones are made and stay at the lowest level.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__clang__) && !defined(NIN_SANITIZED)
#define NIN_VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define NIN_VECTORIZED
#endif

namespace nin::host
{

enum class element_type : uint8_t { f32, bf16, f16 };

constexpr size_t size_of(element_type type)
{
    return type == element_type::f32 ? 4 : 2;
}

struct bf16 {
    uint16_t bits;
};

struct f16 {
    uint16_t bits;
};

inline float to_float(float value)
{
    return value;
}

inline float to_float(bf16 value)
{
    return std::bit_cast<float>(uint32_t{value.bits} << 16);
}

// Branch-free, so that loops over it vectorise.
inline float to_float(f16 value)
{
    const uint32_t sign = (value.bits & 0x8000u) << 16;
    const uint32_t magnitude = (value.bits & 0x7fffu) << 13; // exponent and mantissa at float's places
    // Scaling by 2^112 moves the exponent's bias from 15 to 127 and normalises subnormals.
    const float scaled = std::bit_cast<float>(magnitude) * 0x1p112f;
    const uint32_t infinite_or_nan = magnitude >= (0x1fu << 23) ? 0x7f800000u : 0u;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(scaled) | infinite_or_nan);
}

template <typename T> T from_float(float value);

template <> inline float from_float<float>(float value)
{
    return value;
}

template <> inline bf16 from_float<bf16>(float value)
{
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const uint32_t quiet_nan = (bits >> 16) | 0x40u;
    return {static_cast<uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? quiet_nan : rounded)};
}

template <> inline f16 from_float<f16>(float value)
{
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    const uint32_t sign = (bits >> 16) & 0x8000u;
    const uint32_t magnitude = bits & 0x7fffffffu;
    // Subnormal results: adding 0.5 leaves the rounded multiple of 2^-24 in the low mantissa bits.
    const uint32_t subnormal = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000u;
    const uint32_t normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
    uint32_t result = magnitude < (113u << 23) ? subnormal : normal;
    result = magnitude >= 0x477ff000u ? 0x7c00u : result; // 65520 and above round to infinity
    result = magnitude > 0x7f800000u ? 0x7e00u : result;
    return {static_cast<uint16_t>(sign | result)};
}

template <typename T> constexpr element_type element_type_of();
template <> constexpr element_type element_type_of<float>()
{
    return element_type::f32;
}
template <> constexpr element_type element_type_of<bf16>()
{
    return element_type::bf16;
}
template <> constexpr element_type element_type_of<f16>()
{
    return element_type::f16;
}

// Calls body with a value of the element's C++ type: visit(type, [](auto element) { using T = decltype(element); ...
// }).
template <typename Body> decltype(auto) visit(element_type type, Body&& body)
{
    switch (type) {
    case element_type::bf16:
        return body(bf16{});
    case element_type::f16:
        return body(f16{});
    default:
        return body(float{});
    }
}

// count elements at src to float at dst, and back. In parallel; src and dst don't overlap.
void convert_to_float(element_type type, const void* src, float* dst, int64_t count);
void convert_from_float(element_type type, const float* src, void* dst, int64_t count);

// The same on this thread alone, for a row.
void row_to_float(element_type type, const void* src, float* dst, int64_t count);
void row_from_float(element_type type, const float* src, void* dst, int64_t count);

} // namespace nin::host
