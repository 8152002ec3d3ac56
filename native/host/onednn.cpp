#include "host/onednn.h"

#include "host/parallel.h"

#include <oneapi/dnnl/dnnl_version.h>

namespace nin::host::onednn
{
namespace
{

using dnnl::algorithm;
using dnnl::prop_kind;

void append_relu(dnnl::post_ops& ops)
{
#if DNNL_VERSION_MAJOR >= 3
    ops.append_eltwise(algorithm::eltwise_relu, 0, 0);
#else
    ops.append_eltwise(1, algorithm::eltwise_relu, 0, 0);
#endif
}

dnnl::primitive_attr attributes(activation activation)
{
    dnnl::primitive_attr attr;
    attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    dnnl::post_ops ops;
    if (activation == activation::relu)
        append_relu(ops);
    attr.set_post_ops(ops);
    return attr;
}

} // namespace

const dnnl::engine& cpu_engine()
{
    static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    return engine;
}

bool has_native_bf16()
{
    // Instruction sets are bit masks, each with the bits of those it includes.
    constexpr int bf16 = static_cast<int>(dnnl::cpu_isa::avx512_core_bf16);
    static const bool result = (static_cast<int>(dnnl::get_effective_cpu_isa()) & bf16) == bf16;
    return result;
}

dnnl::memory::data_type data_type_of(element_type type)
{
    switch (type) {
    case element_type::bf16:
        return dnnl::memory::data_type::bf16;
    case element_type::f16:
        return dnnl::memory::data_type::f16;
    default:
        return dnnl::memory::data_type::f32;
    }
}

void execute(const dnnl::primitive& primitive, const std::unordered_map<int, dnnl::memory>& arguments, int threads)
{
    const operation_threads scope(threads);
    dnnl::stream stream(cpu_engine());
    primitive.execute(stream, arguments);
    stream.wait();
}

dnnl::convolution_forward::primitive_desc forward_convolution(const convolution_descs& d, activation activation)
{
    const operation_threads threads; // implementations and their scratchpads depend on the number of threads
    const auto attr = attributes(activation);
#if DNNL_VERSION_MAJOR >= 3
    return {cpu_engine(),
            prop_kind::forward_training,
            algorithm::convolution_direct,
            d.src,
            d.weights,
            d.bias,
            d.dst,
            d.strides,
            d.dilations,
            d.padding_begin,
            d.padding_end,
            attr};
#else
    return {{prop_kind::forward_training, algorithm::convolution_direct, d.src, d.weights, d.bias, d.dst, d.strides,
             d.dilations, d.padding_begin, d.padding_end},
            attr,
            cpu_engine()};
#endif
}

dnnl::convolution_backward_data::primitive_desc backward_data_convolution(const convolution_descs& d,
                                                                          const convolution_descs& forward)
{
    const operation_threads threads;
    const auto hint = forward_convolution(forward, activation::none);
    const auto attr = attributes(activation::none);
#if DNNL_VERSION_MAJOR >= 3
    return {cpu_engine(),  algorithm::convolution_direct,
            d.src,         d.weights,
            d.dst,         d.strides,
            d.dilations,   d.padding_begin,
            d.padding_end, hint,
            attr};
#else
    return {{algorithm::convolution_direct, d.src, d.weights, d.dst, d.strides, d.dilations, d.padding_begin,
             d.padding_end},
            attr,
            cpu_engine(),
            hint};
#endif
}

dnnl::convolution_backward_weights::primitive_desc backward_weights_convolution(const convolution_descs& d,
                                                                                const convolution_descs& forward)
{
    const operation_threads threads;
    const auto hint = forward_convolution(forward, activation::none);
    const auto attr = attributes(activation::none);
#if DNNL_VERSION_MAJOR >= 3
    return {cpu_engine(),  algorithm::convolution_direct,
            d.src,         d.weights,
            d.dst,         d.strides,
            d.dilations,   d.padding_begin,
            d.padding_end, hint,
            attr};
#else
    return {{algorithm::convolution_direct, d.src, d.weights, d.dst, d.strides, d.dilations, d.padding_begin,
             d.padding_end},
            attr,
            cpu_engine(),
            hint};
#endif
}

dnnl::matmul::primitive_desc matrix_product(const dnnl::memory::desc& src, const dnnl::memory::desc& weights,
                                            const dnnl::memory::desc& bias, const dnnl::memory::desc& dst,
                                            activation activation, int threads)
{
    const operation_threads scope(threads);
    const auto attr = attributes(activation);
    const bool has_bias = bias != dnnl::memory::desc();
#if DNNL_VERSION_MAJOR >= 3
    return has_bias ? dnnl::matmul::primitive_desc(cpu_engine(), src, weights, bias, dst, attr)
                    : dnnl::matmul::primitive_desc(cpu_engine(), src, weights, dst, attr);
#else
    const auto desc = has_bias ? dnnl::matmul::desc(src, weights, bias, dst) : dnnl::matmul::desc(src, weights, dst);
    return {desc, attr, cpu_engine()};
#endif
}

void sgemm(const sgemm_arguments& g, int threads)
{
    const operation_threads scope(threads);
    const dnnl_status_t status =
        dnnl_sgemm(g.transa, g.transb, g.m, g.n, g.k, g.alpha, g.a, g.lda, g.b, g.ldb, g.beta, g.c, g.ldc);
    if (status != dnnl_success)
        throw dnnl::error(status, "dnnl_sgemm failed");
}

dnnl::reorder::primitive_desc layout_change(const dnnl::memory::desc& src, const dnnl::memory::desc& dst)
{
    const operation_threads threads;
    return {cpu_engine(), src, cpu_engine(), dst, attributes(activation::none)};
}

} // namespace nin::host::onednn
