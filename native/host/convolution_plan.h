// A convolution in one direction, prepared for one set of shapes: which primitives run, in which layouts, and how much
// workspace that takes. Plans are cached and immutable; several threads may run one at a time.
#pragma once

#include "host/numeric_types.h"

#include <compare>
#include <cstdint>
#include <memory>
#include <string>

namespace nin::host
{

enum class convolution_direction : uint8_t { forward, backward_data, backward_filter };

enum class convolution_method : uint8_t {
    direct,  // sums of products in float, no transformation of the operands' values
    fastest, // direct, or Winograd's minimal filtering where that is faster
};

enum class convolution_epilogue : uint8_t { none, bias, bias_relu };

// Everything that shapes a plan. x is (n, c, h, w), the filter (k, c, r, s), y (n, k, out_h, out_w); all tensors are
// packed, NHWC with KRSC filters or NCHW with KCRS.
struct convolution_problem {
    convolution_direction direction;
    convolution_method method;
    convolution_epilogue epilogue; // forward only
    element_type type;             // of x, filter, y and bias, except:
    element_type result_type;      // of what is computed: y, dx or dw
    bool nhwc;
    bool rotated_filter; // true convolution: the filter is rotated by 180 degrees
    int64_t n, c, h, w;
    int64_t k, r, s;
    int64_t out_h, out_w;
    int64_t pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w; // dilation 1 is dense
    int threads;

    auto operator<=>(const convolution_problem&) const = default;

    int64_t x_count() const { return n * c * h * w; }
    int64_t filter_count() const { return k * c * r * s; }
    int64_t y_count() const { return n * k * out_h * out_w; }
};

class convolution_plan
{
  public:
    virtual ~convolution_plan() = default;

    // Bytes of workspace that run() uses, whatever the alignment of the workspace.
    virtual size_t workspace_bytes() const = 0;

    // forward: (x, filter) -> y; backward_data: (dy, filter) -> dx; backward_filter: (x, dy) -> dw. The result is
    // overwritten. bias (k elements) is read where the epilogue has one.
    virtual void run(const void* first, const void* second, const void* bias, void* result, void* workspace) const = 0;

    // What runs, for traces and benchmarks.
    virtual std::string describe() const = 0;
};

std::shared_ptr<const convolution_plan> find_convolution_plan(const convolution_problem& problem);

} // namespace nin::host
