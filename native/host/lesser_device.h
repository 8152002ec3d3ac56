// NIN_HOST_LESSER: what this device or its libraries lack, so that code can be tried against less than the whole. A
// list of words, separated by commas:
//   no-nhwc-f32, no-nhwc-f16, no-nhwc-bf16  cuDNN has no convolution, activation or pooling of that type in NHWC
//   no-f16, no-bf16                         no library computes in that type
//   only-algo0                              of each direction's convolution algorithms only number 0 is supported
//   workspace=<bytes>                       convolution algorithms that need more are not supported (suffix K, M or G)
//   no-lt-epilogue                          cuBLASLt has no algorithm for epilogues
//   cudnn8                                  cuDNN 8.9.7: its version and status numbers, no cudnnGetLastErrorString
//   driver=<number>                         the driver of another CUDA version (11040 is 11.4): the functions that
//                                           version exports, the PTX it reads
//   cuda13                                  driver=13000, which no longer exports what has a _v2 by then
#pragma once

#include "host/numeric_types.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace nin::host
{

struct lesser_device {
    std::array<bool, 3> has_type{true, true, true}; // by element_type
    std::array<bool, 3> has_nhwc{true, true, true};
    bool only_algorithm_0 = false;
    bool has_lt_epilogues = true;
    bool is_cudnn8 = false;
    size_t workspace_bytes = SIZE_MAX;
    int driver_version = 12040; // CUDA 12.4

    bool has(element_type type) const { return has_type[static_cast<size_t>(type)]; }
    bool has_nhwc_of(element_type type) const { return has_nhwc[static_cast<size_t>(type)]; }
    // The newest PTX version that the driver reads, 84 for 8.4.
    int newest_ptx_version() const;
};

// Refuses what the list above doesn't have with CUDA_ERROR_INVALID_VALUE.
lesser_device parse_lesser_device(std::string_view words);

// What the variable asks for. While it can't be understood, the whole device: cuInit refuses then.
const lesser_device& lesser() noexcept;

// Exports that only some versions have. `condition` is about `lesser_device device`; where it is false the dynamic
// linker finds nothing under the name, as in a library without it. This happens when the name is looked up, so the
// variable is read anew instead of being settled for the process by a program that binds all names before main. To be
// followed by the prototype: NIN_API_WHERE(name, implementation, condition) NIN_API ... NIN_RESOLVED(name);
#ifdef NIN_SANITIZED // see CMakeLists.txt: every export is there
#define NIN_API_WHERE(name, implementation, condition)                                                                 \
    extern "C" __attribute__((visibility("hidden"))) decltype(&implementation) const nin_target_##name =               \
        &implementation;                                                                                               \
    asm(".globl " #name "\n.type " #name ", @function\n" #name ": jmp *nin_target_" #name "(%rip)\n");
#define NIN_RESOLVED(name)
#else
#define NIN_API_WHERE(name, implementation, condition)                                                                 \
    extern "C" decltype(&implementation) nin_resolve_##name() noexcept                                                 \
    {                                                                                                                  \
        const auto device = ::nin::host::current_lesser_device();                                                      \
        return (condition) ? &implementation : nullptr;                                                                \
    }
#define NIN_RESOLVED(name) __attribute__((ifunc("nin_resolve_" #name)))
#endif

lesser_device current_lesser_device() noexcept;

} // namespace nin::host
