// The element types of activations and gradients: f32, f16 (IEEE binary16) and bf16 (the upper half of a float), with
// their conversions. Arithmetic is always in float.
#pragma once

#include "device.h"

namespace nin::kernels
{

using f32 = float;

// Bit patterns. Enumerations, not structs: types of their own and yet scalars, which the compiler can vectorise.
enum class f16 : uint16_t {};
enum class bf16 : uint16_t {};

__device__ __forceinline__ float to_f32(f32 value)
{
    return value;
}

__device__ __forceinline__ float to_f32(bf16 value)
{
    return float_from_bits(static_cast<uint32_t>(value) << 16);
}

#if NIN_HOST

// In integer operations, which the compiler vectorises on every instruction set; exact.
__forceinline__ float to_f32(f16 value)
{
    const uint32_t bits = static_cast<uint32_t>(value), magnitude = bits & 0x7fffu, sign = (bits & 0x8000u) << 16;
    const uint32_t infinite = (magnitude << 13) + (224u << 23); // infinity or NaN: exponent 31 becomes 255
    const uint32_t normal = (magnitude << 13) + (112u << 23);   // exponent bias 15 becomes 127
    const uint32_t subnormal = bits_from_float(static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f);
    const uint32_t finite = magnitude < 0x0400u ? subnormal : normal;
    return float_from_bits(sign | (magnitude >= 0x7c00u ? infinite : finite));
}

#else

__device__ __forceinline__ float to_f32(f16 value)
{
    float result;
    asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(static_cast<uint16_t>(value)));
    return result;
}

#endif

// Rounds to the nearest T, ties to even; too large a magnitude becomes infinity, NaN stays NaN.
template <typename T> __device__ __forceinline__ T from_f32(float value);

template <> __device__ __forceinline__ f32 from_f32<f32>(float value)
{
    return value;
}

template <> __device__ __forceinline__ bf16 from_f32<bf16>(float value)
{
    const uint32_t bits = bits_from_float(value);
    const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const uint32_t nan = (bits >> 16) | 0x0040u; // quiet, and not infinity where only low bits were set
    return static_cast<bf16>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
}

#if NIN_HOST

template <> __forceinline__ f16 from_f32<f16>(float value)
{
    const uint32_t bits = bits_from_float(value), magnitude = bits & 0x7fffffffu, sign = (bits >> 16) & 0x8000u;
    const uint32_t normal = (magnitude - (112u << 23) + 0x0fffu + ((magnitude >> 13) & 1u)) >> 13;
    // In [0.5, 1) a float's last bit is worth 2^-24, the subnormals' spacing: the addition rounds.
    const uint32_t subnormal = bits_from_float(float_from_bits(magnitude) + 0.5f) - bits_from_float(0.5f);
    const uint32_t finite = magnitude < 0x38800000u ? subnormal : normal; // below 2^-14
    const uint32_t result = magnitude >= 0x47800000u ? 0x7c00u : finite;  // from 65536; up to there normal rounds to it
    // What the GPU's conversion makes of every NaN.
    return static_cast<f16>(magnitude > 0x7f800000u ? 0x7fffu : sign | result);
}

#else

template <> __device__ __forceinline__ f16 from_f32<f16>(float value)
{
    uint16_t result;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result) : "f"(value));
    return static_cast<f16>(result);
}

#endif

} // namespace nin::kernels
