#include "host/tensor_arithmetic.h"

#include "host/parallel.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace nin::host
{
namespace
{

constexpr int64_t k_row = 4096;      // elements handled at a time: three float buffers of it fit the first-level cache
constexpr int64_t k_sum_block = 256; // rows summed in float before the sum moves to double

// ---- Row loops. `in` and `out` are rows of n consecutive floats. in[i] may equal out.

NIN_VECTORIZED void fill_row(float value, float* out, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        out[i] = value;
}

NIN_VECTORIZED void scale_row(const float* in, float alpha, float* out, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        out[i] = alpha * in[i];
}

NIN_VECTORIZED void blend_row(const float* in, blend_factors f, float* out, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        out[i] = f.alpha * in[i] + f.beta * out[i];
}

NIN_VECTORIZED void relu_row(const float* in, bool propagate_nan, float* out, int64_t n)
{
    if (propagate_nan)
        for (int64_t i = 0; i < n; ++i)
            out[i] = in[i] <= 0 ? 0.0f : in[i];
    else
        for (int64_t i = 0; i < n; ++i)
            out[i] = in[i] > 0 ? in[i] : 0.0f;
}

NIN_VECTORIZED void relu_mask_row(const float* x, const float* dy, float* out, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        out[i] = x[i] > 0 ? dy[i] : 0.0f;
}

NIN_VECTORIZED void bias_row(const float* x, float alpha, const float* z, float z_factor, const float* bias, bool relu,
                             float* out, int64_t n)
{
    if (z_factor != 0)
        for (int64_t i = 0; i < n; ++i)
            out[i] = alpha * x[i] + z_factor * z[i] + bias[i];
    else
        for (int64_t i = 0; i < n; ++i)
            out[i] = alpha * x[i] + bias[i];
    if (relu)
        for (int64_t i = 0; i < n; ++i)
            out[i] = out[i] > 0 ? out[i] : 0.0f;
}

NIN_VECTORIZED void add_row(const float* in, float* sums, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        sums[i] += in[i];
}

// ---- Strided rows to and from float

template <typename T> void gather(const T* src, int64_t stride, float* dst, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        dst[i] = to_float(src[i * stride]);
}

template <typename T> void scatter(const float* src, T* dst, int64_t stride, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        dst[i * stride] = from_float<T>(src[i]);
}

const std::byte* element_at(const void* data, element_type type, int64_t offset)
{
    return static_cast<const std::byte*>(data) + offset * static_cast<int64_t>(size_of(type));
}

// The row as floats: in place where it already is one, else gathered into the buffer.
const float* load_row(element_type type, const std::byte* row, int64_t stride, float* buffer, int64_t n)
{
    if (type == element_type::f32 && stride == 1)
        return reinterpret_cast<const float*>(row);
    visit(type, [&](auto element) { gather(reinterpret_cast<const decltype(element)*>(row), stride, buffer, n); });
    return buffer;
}

// compute(in, out, n) for every row of the output: in[i] is the row of input i, out the output's row (holding its old
// values where reads_output). Inputs are broadcast along axes of extent 1.
template <size_t Inputs, typename Compute>
void for_each_row(const std::array<input_tensor, Inputs>& inputs, const output_tensor& output, bool reads_output,
                  Compute&& compute)
{
    // Axes from outermost to innermost in the output's memory.
    std::array<size_t, 4> axes{0, 1, 2, 3};
    std::stable_sort(axes.begin(), axes.end(),
                     [&](size_t a, size_t b) { return output.view.strides[a] > output.view.strides[b]; });
    struct loop_axis {
        int64_t extent;
        int64_t output_stride;
        std::array<int64_t, Inputs> input_strides;
    };
    // Neighbouring axes that every operand walks without a gap become one.
    std::vector<loop_axis> loops;
    for (const size_t axis : axes) {
        const int64_t extent = output.view.dims[axis];
        if (extent == 1)
            continue;
        loop_axis next{extent, output.view.strides[axis], {}};
        for (size_t i = 0; i < Inputs; ++i)
            next.input_strides[i] = inputs[i].view.dims[axis] == 1 ? 0 : inputs[i].view.strides[axis];
        bool joins = !loops.empty() && loops.back().output_stride == next.output_stride * extent;
        for (size_t i = 0; joins && i < Inputs; ++i)
            joins = loops.back().input_strides[i] == next.input_strides[i] * extent;
        if (joins)
            next.extent *= loops.back().extent, loops.back() = next;
        else
            loops.push_back(next);
    }
    if (loops.empty())
        loops.push_back({1, 1, {}});
    const loop_axis inner = loops.back();
    loops.pop_back();
    const int64_t outer_count = std::accumulate(loops.begin(), loops.end(), int64_t{1},
                                                [](int64_t n, const loop_axis& l) { return n * l.extent; });
    const int64_t pieces = (inner.extent + k_row - 1) / k_row;

    const auto run_piece = [&](int64_t index) {
        const int64_t begin = index % pieces * k_row;
        const int64_t n = std::min(k_row, inner.extent - begin);
        int64_t output_offset = begin * inner.output_stride;
        std::array<int64_t, Inputs> input_offsets;
        for (size_t i = 0; i < Inputs; ++i)
            input_offsets[i] = begin * inner.input_strides[i];
        int64_t rest = index / pieces;
        for (size_t l = loops.size(); l-- > 0;) {
            const int64_t at = rest % loops[l].extent;
            rest /= loops[l].extent;
            output_offset += at * loops[l].output_stride;
            for (size_t i = 0; i < Inputs; ++i)
                input_offsets[i] += at * loops[l].input_strides[i];
        }

        std::array<std::array<float, k_row>, Inputs> buffers;
        std::array<const float*, Inputs> in;
        for (size_t i = 0; i < Inputs; ++i) {
            const auto& [view, data] = inputs[i];
            in[i] = load_row(view.type, element_at(data, view.type, input_offsets[i]), inner.input_strides[i],
                             buffers[i].data(), n);
        }
        auto* const row = const_cast<std::byte*>(element_at(output.data, output.view.type, output_offset));
        if (output.view.type == element_type::f32 && inner.output_stride == 1) {
            compute(in, reinterpret_cast<float*>(row), n);
            return;
        }
        std::array<float, k_row> result;
        if (reads_output)
            visit(output.view.type, [&](auto element) {
                gather(reinterpret_cast<const decltype(element)*>(row), inner.output_stride, result.data(), n);
            });
        compute(in, result.data(), n);
        visit(output.view.type, [&](auto element) {
            scatter(result.data(), reinterpret_cast<decltype(element)*>(row), inner.output_stride, n);
        });
    };
    // Small rows are handed out together, so that a thread's share is worth its start.
    const int64_t rows_per_block = std::max<int64_t>(1, k_row / inner.extent);
    parallel_blocks(outer_count * pieces, rows_per_block, [&](int64_t first, int64_t last) {
        for (int64_t index = first; index < last; ++index)
            run_piece(index);
    });
}

// What a row function leaves in `out`, blended with the output's old values: computes into a buffer unless the result
// is stored as it is.
template <typename Compute> void blended(blend_factors factors, float* out, int64_t n, Compute&& compute)
{
    if (factors.is_plain_store()) {
        compute(out);
        return;
    }
    std::array<float, k_row> result;
    compute(result.data());
    if (factors.beta == 0)
        scale_row(result.data(), factors.alpha, out, n);
    else
        blend_row(result.data(), factors, out, n);
}

} // namespace

tensor_view packed_nchw(element_type type, const std::array<int64_t, 4>& d)
{
    return {type, d, {d[1] * d[2] * d[3], d[2] * d[3], d[3], 1}};
}

tensor_view packed_nhwc(element_type type, const std::array<int64_t, 4>& d)
{
    return {type, d, {d[1] * d[2] * d[3], 1, d[3] * d[1], d[1]}};
}

int64_t element_count(const tensor_view& view)
{
    return view.dims[0] * view.dims[1] * view.dims[2] * view.dims[3];
}

size_t span_bytes(const tensor_view& view)
{
    int64_t last = 0;
    for (size_t i = 0; i < 4; ++i)
        last += (view.dims[i] - 1) * view.strides[i];
    return static_cast<size_t>(last + 1) * size_of(view.type);
}

bool is_packed(const tensor_view& view)
{
    return span_bytes(view) == static_cast<size_t>(element_count(view)) * size_of(view.type);
}

bool has_strides_of(const tensor_view& view, const tensor_view& other)
{
    for (size_t i = 0; i < 4; ++i)
        if (view.dims[i] != 1 && view.strides[i] != other.strides[i])
            return false;
    return true;
}

void blend(const input_tensor& x, blend_factors factors, const output_tensor& y)
{
    for_each_row<1>({x}, y, factors.beta != 0, [&](const auto& in, float* out, int64_t n) {
        if (factors.beta == 0)
            scale_row(in[0], factors.alpha, out, n);
        else
            blend_row(in[0], factors, out, n);
    });
}

void fill(float value, const output_tensor& y)
{
    for_each_row<0>({}, y, false, [&](const auto&, float* out, int64_t n) { fill_row(value, out, n); });
}

void relu_forward(const input_tensor& x, bool propagate_nan, blend_factors factors, const output_tensor& y)
{
    for_each_row<1>({x}, y, factors.beta != 0, [&](const auto& in, float* out, int64_t n) {
        blended(factors, out, n, [&](float* result) { relu_row(in[0], propagate_nan, result, n); });
    });
}

void relu_backward(const input_tensor& x, const input_tensor& dy, blend_factors factors, const output_tensor& dx)
{
    for_each_row<2>({x, dy}, dx, factors.beta != 0, [&](const auto& in, float* out, int64_t n) {
        blended(factors, out, n, [&](float* result) { relu_mask_row(in[0], in[1], result, n); });
    });
}

void bias_activation(const input_tensor& x, float alpha, const input_tensor& z, float z_factor,
                     const input_tensor& bias, bool relu, const output_tensor& y)
{
    // Without z its place is taken by x, so that nothing else is read.
    for_each_row<3>({x, z_factor != 0 ? z : x, bias}, y, false, [&](const auto& in, float* out, int64_t n) {
        bias_row(in[0], alpha, in[1], z_factor, in[2], relu, out, n);
    });
}

void sum_rows(const float* matrix, int64_t rows, int64_t columns, int64_t stride, float* sums)
{
    const int64_t blocks = (rows + k_sum_block - 1) / k_sum_block;
    std::vector<float> partial(static_cast<size_t>(blocks * columns));
    parallel_for(blocks, [&](int64_t block) {
        float* const out = partial.data() + block * columns;
        for (int64_t row = block * k_sum_block; row < std::min(rows, (block + 1) * k_sum_block); ++row)
            add_row(matrix + row * stride, out, columns);
    });
    for (int64_t j = 0; j < columns; ++j) {
        double total = 0;
        for (int64_t block = 0; block < blocks; ++block)
            total += partial[static_cast<size_t>(block * columns + j)];
        sums[j] = static_cast<float>(total);
    }
}

void sum_to_channels(const input_tensor& dy, blend_factors factors, void* db)
{
    const auto [n, c, h, w] = dy.view.dims;
    const bool nhwc = is_packed_nhwc(dy.view);
    // A row is one pixel's channels (NHWC) or one channel plane (NCHW); rows are summed per column or within.
    const int64_t rows = nhwc ? n * h * w : n * c;
    const int64_t columns = nhwc ? c : h * w;
    const int64_t blocks = nhwc ? (rows + k_sum_block - 1) / k_sum_block : n;
    std::vector<float> partial(static_cast<size_t>(blocks * c));
    parallel_for(blocks, [&](int64_t block) {
        std::array<float, k_row> buffer;
        float* const out = partial.data() + block * c;
        const int64_t first = nhwc ? block * k_sum_block : block * c;
        const int64_t last = nhwc ? std::min(rows, first + k_sum_block) : first + c;
        for (int64_t row = first; row < last; ++row)
            for (int64_t begin = 0; begin < columns; begin += k_row) {
                const int64_t count = std::min(k_row, columns - begin);
                const float* const in = load_row(dy.view.type, element_at(dy.data, dy.view.type, row * columns + begin),
                                                 1, buffer.data(), count);
                if (nhwc)
                    add_row(in, out + begin, count);
                else
                    out[row - first] = std::accumulate(in, in + count, out[row - first]);
            }
    });
    visit(dy.view.type, [&](auto element) {
        using T = decltype(element);
        auto* const result = static_cast<T*>(db);
        for (int64_t j = 0; j < c; ++j) {
            double total = 0;
            for (int64_t block = 0; block < blocks; ++block)
                total += partial[static_cast<size_t>(block * c + j)];
            const float sum = factors.alpha * static_cast<float>(total);
            result[j] = from_float<T>(factors.beta == 0 ? sum : sum + factors.beta * to_float(result[j]));
        }
    });
}

} // namespace nin::host
