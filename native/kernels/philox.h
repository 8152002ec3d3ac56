// Philox4x32-10, the counter-based generator of J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC11):
// a 128-bit counter and a 64-bit key give four random 32-bit words, with no state between calls.
//
// Expected values, as words 0 to 3 in hexadecimal:
//   counter 00000000 00000000 00000000 00000000, key 00000000 00000000: 6627e8d5 e169c58d bc57ac4c 9b00dbd8
//   counter ffffffff ffffffff ffffffff ffffffff, key ffffffff ffffffff: 408f276d 41c83b0e a20bc7c6 6d5451fd
//   counter 243f6a88 85a308d3 13198a2e 03707344, key a4093822 299f31d0: d16cfe09 94fdcceb 5001e420 24126ea1
#pragma once

#include "device.h"

namespace nin::kernels
{

struct philox_words {
    uint32_t words[4];
};

__device__ __forceinline__ philox_words philox4x32_10(philox_words counter, uint32_t key0, uint32_t key1)
{
    uint32_t c0 = counter.words[0], c1 = counter.words[1], c2 = counter.words[2], c3 = counter.words[3];
#pragma GCC unroll 10
    for (int round = 0; round < 10; ++round) {
        const uint32_t next0 = multiply_high(0xcd9e8d57u, c2) ^ c1 ^ key0;
        const uint32_t next2 = multiply_high(0xd2511f53u, c0) ^ c3 ^ key1;
        c1 = 0xcd9e8d57u * c2;
        c3 = 0xd2511f53u * c0;
        c0 = next0;
        c2 = next2;
        key0 += 0x9e3779b9u;
        key1 += 0xbb67ae85u;
    }
    return {{c0, c1, c2, c3}};
}

} // namespace nin::kernels
