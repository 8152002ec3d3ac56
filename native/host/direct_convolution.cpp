#include "host/direct_convolution.h"

#include "host/filter_layout.h"
#include "host/onednn.h"
#include "host/workspace.h"

#include <array>
#include <optional>

namespace nin::host
{
namespace
{

using dnnl::memory;
using tag = memory::format_tag;

memory::desc desc_of(const memory::dims& dims, element_type type, tag layout)
{
    return memory::desc(dims, onednn::data_type_of(type), layout);
}

// A change from one layout to another, where they differ.
class layout_step
{
  public:
    layout_step() = default;
    layout_step(const memory::desc& from, const memory::desc& to, workspace_layout& layout)
    {
        if (from == to)
            return;
        const auto desc = onednn::layout_change(from, to);
        primitive_ = dnnl::reorder(desc);
        from_ = from;
        to_ = to;
        scratchpad_ = desc.scratchpad_desc();
        scratchpad_offset_ = layout.add(scratchpad_.get_size());
    }

    bool is_needed() const { return primitive_.has_value(); }

    void run(const void* from, void* to, std::byte* workspace) const
    {
        onednn::execute(*primitive_, {{DNNL_ARG_FROM, onednn::at(from_, from)},
                                      {DNNL_ARG_TO, onednn::at(to_, to)},
                                      {DNNL_ARG_SCRATCHPAD, onednn::at(scratchpad_, workspace + scratchpad_offset_)}});
    }

  private:
    std::optional<dnnl::reorder> primitive_;
    memory::desc from_, to_, scratchpad_;
    size_t scratchpad_offset_ = 0;
};

// How a filter gets from one memory to another: rearranged, where at all.
struct filter_change {
    std::optional<filter_arrangement> arrangement;
    filter_shape shape;
    element_type type;
};

// The way of an operand from the caller's memory to what the primitive reads.
class input_route
{
  public:
    input_route() = default;
    input_route(const memory::desc& plain, const memory::desc& inner, const filter_change& filter,
                workspace_layout& layout)
        : filter_(filter), change_(plain, inner, layout)
    {
        if (filter.arrangement)
            arranged_offset_ = layout.add(plain.get_size());
        if (change_.is_needed())
            inner_offset_ = layout.add(inner.get_size());
    }

    const void* run(const void* data, std::byte* workspace) const
    {
        if (filter_.arrangement) {
            void* const to = workspace + arranged_offset_;
            arrange_filter(filter_.type, data, filter_.shape, *filter_.arrangement, to);
            data = to;
        }
        if (change_.is_needed()) {
            void* const to = workspace + inner_offset_;
            change_.run(data, to, workspace);
            data = to;
        }
        return data;
    }

  private:
    filter_change filter_;
    layout_step change_;
    size_t arranged_offset_ = 0, inner_offset_ = 0;
};

// The way of a result from what the primitive writes to the caller's memory.
class output_route
{
  public:
    output_route() = default;
    output_route(const memory::desc& inner, const memory::desc& plain, const filter_change& filter,
                 workspace_layout& layout)
        : filter_(filter), change_(inner, plain, layout)
    {
        if (change_.is_needed())
            inner_offset_ = layout.add(inner.get_size());
        if (filter.arrangement)
            unarranged_offset_ = layout.add(plain.get_size());
    }

    // Where the primitive is to write.
    void* inner_address(void* result, std::byte* workspace) const
    {
        return change_.is_needed() ? workspace + inner_offset_ : plain_address(result, workspace);
    }

    void run(void* result, std::byte* workspace) const
    {
        void* const plain = plain_address(result, workspace);
        if (change_.is_needed())
            change_.run(workspace + inner_offset_, plain, workspace);
        if (filter_.arrangement)
            arrange_filter(filter_.type, plain, filter_.shape, *filter_.arrangement, result);
    }

  private:
    void* plain_address(void* result, std::byte* workspace) const
    {
        return filter_.arrangement ? workspace + unarranged_offset_ : result;
    }

    filter_change filter_;
    layout_step change_;
    size_t inner_offset_ = 0, unarranged_offset_ = 0;
};

class direct_convolution final : public convolution_plan
{
  public:
    explicit direct_convolution(const convolution_problem& p)
        : nhwc_(p.nhwc), x_type_(p.type), w_type_(p.type), y_type_(p.type)
    {
        switch (p.direction) {
        case convolution_direction::forward:
            y_type_ = p.result_type;
            plan_forward(p);
            break;
        case convolution_direction::backward_data:
            x_type_ = p.result_type;
            if (is_full_convolution(p))
                plan_backward_data_as_forward(p);
            else
                plan_backward_data(p);
            break;
        case convolution_direction::backward_filter:
            w_type_ = p.result_type;
            plan_backward_filter(p);
            break;
        }
    }

    size_t workspace_bytes() const override { return layout_.bytes(); }

    std::string describe() const override { return implementation_; }

    bool is_reference() const { return implementation_.starts_with("ref"); }

    void run(const void* first, const void* second, const void* bias, void* result, void* workspace) const override
    {
        std::byte* const start = aligned_start(workspace);
        std::unordered_map<int, memory> arguments{
            {arguments_[0], onednn::at(inner_[0], first_.run(first, start))},
            {arguments_[1], onednn::at(inner_[1], second_.run(second, start))},
            {arguments_[2], onednn::at(inner_[2], result_.inner_address(result, start))},
            {DNNL_ARG_SCRATCHPAD, onednn::at(scratchpad_, start + scratchpad_offset_)}};
        if (bias_ != memory::desc())
            arguments.emplace(DNNL_ARG_BIAS, onednn::at(bias_, bias));
        onednn::execute(primitive_, arguments);
        result_.run(result, start);
    }

  private:
    // Activations stay in the caller's NHWC: oneDNN's kernels for it are the fastest or nearly so, and its own blocked
    // layouts would cost two passes over memory. For NCHW oneDNN picks.
    tag inner_layout() const { return nhwc_ ? tag::nhwc : tag::any; }
    tag plain_layout() const { return nhwc_ ? tag::nhwc : tag::nchw; }

    memory::desc plain_x(const convolution_problem& p) const { return desc_of(x_dims(p), x_type_, plain_layout()); }
    memory::desc plain_y(const convolution_problem& p) const { return desc_of(y_dims(p), y_type_, plain_layout()); }
    memory::desc plain_filter(const memory::dims& dims) const
    {
        return desc_of(dims, w_type_, nhwc_ ? tag::ohwi : tag::oihw);
    }

    static memory::dims x_dims(const convolution_problem& p) { return {p.n, p.c, p.h, p.w}; }
    static memory::dims w_dims(const convolution_problem& p) { return {p.k, p.c, p.r, p.s}; }
    static memory::dims y_dims(const convolution_problem& p) { return {p.n, p.k, p.out_h, p.out_w}; }

    filter_change change_of(const convolution_problem& p) const
    {
        return {p.rotated_filter ? std::optional(filter_arrangement::rotated) : std::nullopt,
                {p.k, p.c, p.r, p.s, p.nhwc},
                w_type_};
    }

    // Padding at the end of an axis, so that the output has exactly `out` elements.
    static int64_t padding_end(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pad, int64_t dilation)
    {
        return (out - 1) * stride + (kernel - 1) * dilation + 1 - in - pad;
    }

    // With everything of the operands' type, or as it is where the result has its own.
    onednn::convolution_descs forward_descs_of(const convolution_problem& p) const
    {
        return descs_of(p, p.type, p.type, p.type);
    }
    onednn::convolution_descs descs_of(const convolution_problem& p) const
    {
        return descs_of(p, x_type_, w_type_, y_type_);
    }
    onednn::convolution_descs descs_of(const convolution_problem& p, element_type x_type, element_type w_type,
                                       element_type y_type) const
    {
        return {desc_of(x_dims(p), x_type, inner_layout()),
                desc_of(w_dims(p), w_type, tag::any),
                p.epilogue == convolution_epilogue::none ? memory::desc() : desc_of({p.k}, p.type, tag::a),
                desc_of(y_dims(p), y_type, inner_layout()),
                {p.stride_h, p.stride_w},
                {p.dilation_h - 1, p.dilation_w - 1},
                {p.pad_h, p.pad_w},
                {padding_end(p.h, p.out_h, p.r, p.stride_h, p.pad_h, p.dilation_h),
                 padding_end(p.w, p.out_w, p.s, p.stride_w, p.pad_w, p.dilation_w)}};
    }

    template <typename Desc>
    void set_primitive(const Desc& desc, const std::array<int, 3>& arguments, const std::array<memory::desc, 3>& inner)
    {
        primitive_ = dnnl::primitive(desc);
        implementation_ = desc.impl_info_str();
        arguments_ = arguments;
        inner_ = inner;
        scratchpad_ = desc.scratchpad_desc();
        scratchpad_offset_ = layout_.add(scratchpad_.get_size());
    }

    void plan_forward(const convolution_problem& p)
    {
        const auto descs = descs_of(p);
        const bool relu = p.epilogue == convolution_epilogue::bias_relu;
        const auto desc =
            onednn::forward_convolution(descs, relu ? onednn::activation::relu : onednn::activation::none);
        set_primitive(desc, {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                      {desc.src_desc(), desc.weights_desc(), desc.dst_desc()});
        bias_ = descs.bias;
        first_ = input_route(plain_x(p), inner_[0], {}, layout_);
        second_ = input_route(plain_filter(w_dims(p)), inner_[1], change_of(p), layout_);
        result_ = output_route(inner_[2], plain_y(p), {}, layout_);
    }

    static std::array<int64_t, 2> full_padding(const convolution_problem& p)
    {
        return {(p.r - 1) * p.dilation_h - p.pad_h, (p.s - 1) * p.dilation_w - p.pad_w};
    }

    static bool is_full_convolution(const convolution_problem& p)
    {
        const auto pad = full_padding(p);
        return p.stride_h == 1 && p.stride_w == 1 && pad[0] >= 0 && pad[1] >= 0;
    }

    // With stride 1, dx is the forward convolution of dy with the rotated, transposed filter, and oneDNN's forward
    // kernels are faster than its backward ones: 252 against 322 ms for 96 -> 256 channels, 5x5, 26x26, batch 128 on
    // two AVX-512 cores.
    void plan_backward_data_as_forward(const convolution_problem& p)
    {
        const memory::dims transposed{p.c, p.k, p.r, p.s};
        const auto pad = full_padding(p);
        auto descs = descs_of(p);
        std::swap(descs.src, descs.dst);
        descs.weights = desc_of(transposed, w_type_, tag::any);
        descs.padding_begin = {pad[0], pad[1]};
        descs.padding_end = {padding_end(p.out_h, p.h, p.r, 1, pad[0], p.dilation_h),
                             padding_end(p.out_w, p.w, p.s, 1, pad[1], p.dilation_w)};
        const auto desc = onednn::forward_convolution(descs, onednn::activation::none);
        set_primitive(desc, {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
                      {desc.src_desc(), desc.weights_desc(), desc.dst_desc()});
        auto change = change_of(p);
        change.arrangement = p.rotated_filter ? filter_arrangement::transposed : filter_arrangement::rotated_transposed;
        first_ = input_route(plain_y(p), inner_[0], {}, layout_);
        second_ = input_route(plain_filter(transposed), inner_[1], change, layout_);
        result_ = output_route(inner_[2], plain_x(p), {}, layout_);
    }

    void plan_backward_data(const convolution_problem& p)
    {
        const auto desc = onednn::backward_data_convolution(descs_of(p), forward_descs_of(p));
        set_primitive(desc, {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC},
                      {desc.diff_dst_desc(), desc.weights_desc(), desc.diff_src_desc()});
        first_ = input_route(plain_y(p), inner_[0], {}, layout_);
        second_ = input_route(plain_filter(w_dims(p)), inner_[1], change_of(p), layout_);
        result_ = output_route(inner_[2], plain_x(p), {}, layout_);
    }

    void plan_backward_filter(const convolution_problem& p)
    {
        const auto desc = onednn::backward_weights_convolution(descs_of(p), forward_descs_of(p));
        set_primitive(desc, {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS},
                      {desc.src_desc(), desc.diff_dst_desc(), desc.diff_weights_desc()});
        first_ = input_route(plain_x(p), inner_[0], {}, layout_);
        second_ = input_route(plain_y(p), inner_[1], {}, layout_);
        result_ = output_route(inner_[2], plain_filter(w_dims(p)), change_of(p), layout_);
    }

    bool nhwc_;
    element_type x_type_, w_type_, y_type_; // of the tensors; the one that is computed has the result's
    workspace_layout layout_;
    dnnl::primitive primitive_;
    std::string implementation_;
    std::array<int, 3> arguments_{};
    std::array<memory::desc, 3> inner_;
    memory::desc scratchpad_, bias_;
    size_t scratchpad_offset_ = 0;
    input_route first_, second_;
    output_route result_;
};

} // namespace

std::unique_ptr<const convolution_plan> make_direct_convolution(const convolution_problem& problem)
{
    try {
        auto plan = std::make_unique<direct_convolution>(problem);
        if (problem.type == element_type::f32 || !plan->is_reference())
            return plan;
    } catch (const dnnl::error& e) {
        if (problem.type == element_type::f32 || e.status != dnnl_unimplemented)
            throw;
    }
    return nullptr;
}

} // namespace nin::host
