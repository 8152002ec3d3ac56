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

// A primitive of one input and one output that changes the layout.
class layout_step
{
  public:
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

// The way of an operand from the caller's memory to what the primitive reads: to float, filters rearranged, and into
// the primitive's layout; each only where needed.
class input_route
{
  public:
    input_route() = default;
    input_route(element_type type, int64_t count, std::optional<filter_arrangement> arrangement,
                const filter_shape& shape, const memory::desc& plain, const memory::desc& inner,
                workspace_layout& layout)
        : type_(type), count_(count), arrangement_(arrangement), shape_(shape),
          change_(std::in_place, plain, inner, layout)
    {
        const size_t float_bytes = static_cast<size_t>(count) * sizeof(float);
        if (type != element_type::f32)
            float_offset_ = layout.add(float_bytes);
        if (arrangement)
            arranged_offset_ = layout.add(float_bytes);
        if (change_->is_needed())
            inner_offset_ = layout.add(inner.get_size());
    }

    const void* run(const void* data, std::byte* workspace) const
    {
        if (type_ != element_type::f32) {
            auto* const to = reinterpret_cast<float*>(workspace + float_offset_);
            convert_to_float(type_, data, to, count_);
            data = to;
        }
        if (arrangement_) {
            auto* const to = reinterpret_cast<float*>(workspace + arranged_offset_);
            arrange_filter(static_cast<const float*>(data), shape_, *arrangement_, to);
            data = to;
        }
        if (change_->is_needed()) {
            void* const to = workspace + inner_offset_;
            change_->run(data, to, workspace);
            data = to;
        }
        return data;
    }

  private:
    element_type type_ = element_type::f32;
    int64_t count_ = 0;
    std::optional<filter_arrangement> arrangement_;
    filter_shape shape_{};
    std::optional<layout_step> change_;
    size_t float_offset_ = 0, arranged_offset_ = 0, inner_offset_ = 0;
};

// The way back of a result.
class output_route
{
  public:
    output_route() = default;
    output_route(element_type type, int64_t count, bool rotated, const filter_shape& shape, const memory::desc& plain,
                 const memory::desc& inner, workspace_layout& layout)
        : type_(type), count_(count), rotated_(rotated), shape_(shape), change_(std::in_place, inner, plain, layout)
    {
        const size_t float_bytes = static_cast<size_t>(count) * sizeof(float);
        if (change_->is_needed())
            inner_offset_ = layout.add(inner.get_size());
        if (rotated)
            unrotated_offset_ = layout.add(float_bytes);
        if (type != element_type::f32)
            float_offset_ = layout.add(float_bytes);
    }

    // Where the primitive is to write.
    void* inner_address(void* result, std::byte* workspace) const
    {
        return change_->is_needed() ? workspace + inner_offset_ : plain_address(result, workspace);
    }

    void run(void* result, std::byte* workspace) const
    {
        if (change_->is_needed())
            change_->run(workspace + inner_offset_, plain_address(result, workspace), workspace);
        if (rotated_)
            arrange_filter(static_cast<const float*>(plain_address(result, workspace)), shape_,
                           filter_arrangement::rotated, static_cast<float*>(float_address(result, workspace)));
        if (type_ != element_type::f32)
            convert_from_float(type_, static_cast<const float*>(float_address(result, workspace)), result, count_);
    }

  private:
    void* float_address(void* result, std::byte* workspace) const
    {
        return type_ == element_type::f32 ? result : workspace + float_offset_;
    }
    void* plain_address(void* result, std::byte* workspace) const
    {
        return rotated_ ? workspace + unrotated_offset_ : float_address(result, workspace);
    }

    element_type type_ = element_type::f32;
    int64_t count_ = 0;
    bool rotated_ = false;
    filter_shape shape_{};
    std::optional<layout_step> change_;
    size_t inner_offset_ = 0, unrotated_offset_ = 0, float_offset_ = 0;
};

class direct_convolution final : public convolution_plan
{
  public:
    explicit direct_convolution(const convolution_problem& p) : bias_type_(p.type), bias_count_(p.k)
    {
        const memory::dims x_dims{p.n, p.c, p.h, p.w}, w_dims{p.k, p.c, p.r, p.s}, y_dims{p.n, p.k, p.out_h, p.out_w};
        // Activations stay in the caller's NHWC: oneDNN's kernels for it are the fastest or nearly so, and its own
        // blocked layouts would cost two passes over memory. For NCHW oneDNN picks.
        const auto inner = [&](const memory::dims& dims) {
            return memory::desc(dims, memory::data_type::f32, p.nhwc ? tag::nhwc : tag::any);
        };
        const auto plain = [&](const memory::dims& dims, bool is_filter) {
            return memory::desc(dims, memory::data_type::f32, !p.nhwc ? tag::abcd : is_filter ? tag::ohwi : tag::nhwc);
        };
        const filter_shape shape{p.k, p.c, p.r, p.s, p.nhwc};
        const auto rotated = p.rotated_filter ? std::optional(filter_arrangement::rotated) : std::nullopt;
        const auto padding_end = [](int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t pad,
                                    int64_t dilation) {
            return (out - 1) * stride + (kernel - 1) * dilation + 1 - in - pad;
        };
        onednn::convolution_descs descs{inner(x_dims),
                                        memory::desc(w_dims, memory::data_type::f32, tag::any),
                                        {},
                                        inner(y_dims),
                                        {p.stride_h, p.stride_w},
                                        {p.dilation_h - 1, p.dilation_w - 1},
                                        {p.pad_h, p.pad_w},
                                        {padding_end(p.h, p.out_h, p.r, p.stride_h, p.pad_h, p.dilation_h),
                                         padding_end(p.w, p.out_w, p.s, p.stride_w, p.pad_w, p.dilation_w)}};
        if (p.epilogue != convolution_epilogue::none)
            descs.bias = memory::desc({p.k}, memory::data_type::f32, tag::a);

        const auto finish = [&](const auto& desc, int first_argument, const memory::desc& first, int second_argument,
                                const memory::desc& second, int result_argument, const memory::desc& result) {
            primitive_ = dnnl::primitive(desc);
            implementation_ = desc.impl_info_str();
            scratchpad_ = desc.scratchpad_desc();
            scratchpad_offset_ = layout_.add(scratchpad_.get_size());
            arguments_ = {first_argument, second_argument, result_argument};
            inner_ = {first, second, result};
        };

        switch (p.direction) {
        case convolution_direction::forward: {
            const auto desc = onednn::forward_convolution(descs, p.epilogue == convolution_epilogue::bias_relu
                                                                     ? onednn::activation::relu
                                                                     : onednn::activation::none);
            finish(desc, DNNL_ARG_SRC, desc.src_desc(), DNNL_ARG_WEIGHTS, desc.weights_desc(), DNNL_ARG_DST,
                   desc.dst_desc());
            bias_ = descs.bias;
            if (p.epilogue != convolution_epilogue::none && p.type != element_type::f32)
                bias_offset_ = layout_.add(static_cast<size_t>(p.k) * sizeof(float));
            first_ = input_route(p.type, p.x_count(), {}, {}, plain(x_dims, false), inner_[0], layout_);
            second_ = input_route(p.type, p.filter_count(), rotated, shape, plain(w_dims, true), inner_[1], layout_);
            result_ = output_route(p.result_type, p.y_count(), false, {}, plain(y_dims, false), inner_[2], layout_);
            break;
        }
        case convolution_direction::backward_data: {
            const memory::dims full_begin{(p.r - 1) * p.dilation_h - p.pad_h, (p.s - 1) * p.dilation_w - p.pad_w};
            if (p.stride_h == 1 && p.stride_w == 1 && full_begin[0] >= 0 && full_begin[1] >= 0) {
                // With stride 1 it is the forward convolution of dy with the rotated, transposed filter, and oneDNN's
                // forward kernels are faster than its backward ones: 252 against 322 ms for 96 -> 256 channels, 5x5,
                // 26x26, batch 128 (two AVX-512 cores).
                const memory::dims wt_dims{p.c, p.k, p.r, p.s};
                onednn::convolution_descs full = descs;
                full.src = inner(y_dims);
                full.weights = memory::desc(wt_dims, memory::data_type::f32, tag::any);
                full.dst = inner(x_dims);
                full.padding_begin = full_begin;
                full.padding_end = {padding_end(p.out_h, p.h, p.r, 1, full_begin[0], p.dilation_h),
                                    padding_end(p.out_w, p.w, p.s, 1, full_begin[1], p.dilation_w)};
                const auto desc = onednn::forward_convolution(full, onednn::activation::none);
                finish(desc, DNNL_ARG_SRC, desc.src_desc(), DNNL_ARG_WEIGHTS, desc.weights_desc(), DNNL_ARG_DST,
                       desc.dst_desc());
                const auto arrangement =
                    p.rotated_filter ? filter_arrangement::transposed : filter_arrangement::rotated_transposed;
                second_ =
                    input_route(p.type, p.filter_count(), arrangement, shape, plain(wt_dims, true), inner_[1], layout_);
            } else {
                const auto desc = onednn::backward_data_convolution(descs);
                finish(desc, DNNL_ARG_DIFF_DST, desc.diff_dst_desc(), DNNL_ARG_WEIGHTS, desc.weights_desc(),
                       DNNL_ARG_DIFF_SRC, desc.diff_src_desc());
                second_ =
                    input_route(p.type, p.filter_count(), rotated, shape, plain(w_dims, true), inner_[1], layout_);
            }
            first_ = input_route(p.type, p.y_count(), {}, {}, plain(y_dims, false), inner_[0], layout_);
            result_ = output_route(p.result_type, p.x_count(), false, {}, plain(x_dims, false), inner_[2], layout_);
            break;
        }
        case convolution_direction::backward_filter: {
            const auto desc = onednn::backward_weights_convolution(descs);
            finish(desc, DNNL_ARG_SRC, desc.src_desc(), DNNL_ARG_DIFF_DST, desc.diff_dst_desc(), DNNL_ARG_DIFF_WEIGHTS,
                   desc.diff_weights_desc());
            first_ = input_route(p.type, p.x_count(), {}, {}, plain(x_dims, false), inner_[0], layout_);
            second_ = input_route(p.type, p.y_count(), {}, {}, plain(y_dims, false), inner_[1], layout_);
            result_ = output_route(p.result_type, p.filter_count(), p.rotated_filter, shape, plain(w_dims, true),
                                   inner_[2], layout_);
            break;
        }
        }
    }

    size_t workspace_bytes() const override { return layout_.bytes(); }

    void run(const void* first, const void* second, const void* bias, void* result, void* workspace) const override
    {
        std::byte* const start = aligned_start(workspace);
        std::unordered_map<int, memory> arguments{
            {arguments_[0], onednn::at(inner_[0], first_.run(first, start))},
            {arguments_[1], onednn::at(inner_[1], second_.run(second, start))},
            {arguments_[2], onednn::at(inner_[2], result_.inner_address(result, start))},
            {DNNL_ARG_SCRATCHPAD, onednn::at(scratchpad_, start + scratchpad_offset_)}};
        if (bias_ != memory::desc()) {
            if (bias_type_ != element_type::f32) {
                auto* const to = reinterpret_cast<float*>(start + bias_offset_);
                convert_to_float(bias_type_, bias, to, bias_count_);
                bias = to;
            }
            arguments.emplace(DNNL_ARG_BIAS, onednn::at(bias_, bias));
        }
        onednn::execute(primitive_, arguments);
        result_.run(result, start);
    }

    std::string describe() const override { return implementation_; }

  private:
    workspace_layout layout_;
    dnnl::primitive primitive_;
    std::string implementation_;
    std::array<int, 3> arguments_{};
    std::array<memory::desc, 3> inner_;
    memory::desc scratchpad_, bias_;
    element_type bias_type_;
    int64_t bias_count_;
    size_t scratchpad_offset_ = 0, bias_offset_ = 0;
    input_route first_, second_;
    output_route result_;
};

} // namespace

std::unique_ptr<const convolution_plan> make_direct_convolution(const convolution_problem& problem)
{
    return std::make_unique<direct_convolution>(problem);
}

} // namespace nin::host
