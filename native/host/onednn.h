// oneDNN as this library uses it. The differences between oneDNN 2.x and 3.x are inside onednn.cpp.
#pragma once

#include "host/numeric_types.h"
#include "host/runtime.h"

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

namespace nin::host::onednn
{

const dnnl::engine& cpu_engine();

// Whether this CPU multiplies bfloat16 itself (AVX512_BF16 or AMX), so that a product of bfloat16 is faster than one of
// floats. ONEDNN_MAX_CPU_ISA=AVX512_CORE, which oneDNN reads, makes it false.
bool has_native_bf16();

dnnl::memory::data_type data_type_of(element_type type);

// Runs the primitive to its end. Any number of threads may run one primitive at a time, as every scratchpad is an
// argument. `threads` is what the primitive was made for.
void execute(const dnnl::primitive& primitive, const std::unordered_map<int, dnnl::memory>& arguments,
             int threads = thread_count());

// Memory at a caller's address.
inline dnnl::memory at(const dnnl::memory::desc& desc, const void* address)
{
    return dnnl::memory(desc, cpu_engine(), const_cast<void*>(address));
}

struct convolution_descs {
    dnnl::memory::desc src, weights;
    dnnl::memory::desc bias; // the zero descriptor where there is none
    dnnl::memory::desc dst;
    dnnl::memory::dims strides, dilations, padding_begin, padding_end; // H, W; dilation 0 is dense, as oneDNN counts it
};

enum class activation { none, relu };

// All primitives take their scratchpad as an argument. Throws dnnl::error where no implementation exists.
dnnl::convolution_forward::primitive_desc forward_convolution(const convolution_descs& descs, activation activation);
// forward: the convolution that this is the gradient of, which may differ in the result's type.
dnnl::convolution_backward_data::primitive_desc backward_data_convolution(const convolution_descs& descs,
                                                                          const convolution_descs& forward);
dnnl::convolution_backward_weights::primitive_desc backward_weights_convolution(const convolution_descs& descs,
                                                                                const convolution_descs& forward);

// dst = activation(src * weights + bias), for `threads` threads. bias may be the zero descriptor.
dnnl::matmul::primitive_desc matrix_product(const dnnl::memory::desc& src, const dnnl::memory::desc& weights,
                                            const dnnl::memory::desc& bias, const dnnl::memory::desc& dst,
                                            activation activation, int threads = thread_count());

// c = alpha * op(a) * op(b) + beta * c in row-major floats, by dnnl_sgemm with its arguments' meaning; c isn't read
// where beta == 0.
struct sgemm_arguments {
    char transa, transb;
    int64_t m, n, k;
    float alpha;
    const float* a;
    int64_t lda;
    const float* b;
    int64_t ldb;
    float beta;
    float* c;
    int64_t ldc;
};
void sgemm(const sgemm_arguments& arguments, int threads = thread_count());

// dst = src in another layout.
dnnl::reorder::primitive_desc layout_change(const dnnl::memory::desc& src, const dnnl::memory::desc& dst);

} // namespace nin::host::onednn
