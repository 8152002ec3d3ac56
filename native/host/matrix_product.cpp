#include "host/matrix_product.h"

#include "host/convolution_plan.h"
#include "host/driver.h"
#include "host/onednn.h"
#include "host/parallel.h"
#include "host/plan_cache.h"
#include "host/tensor_arithmetic.h"
#include "host/workspace.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

namespace nin::host
{
namespace
{

using dnnl::memory;

// Rows that an epilogue pass takes at a time: the block is still in cache when the pass follows the product.
constexpr int64_t k_epilogue_rows = 4096;
constexpr int64_t k_sum_block = 256; // rows summed in float before the sum moves to double

// ---- Products by primitives

// What shapes a product's primitive.
struct kernel_problem {
    int64_t rows, columns, depth;
    matrix_layout a, b; // both float, or both bf16
    element_type result_type;
    int64_t result_ld;
    element_type bias_type;
    bool adds_bias, relu;
    bool packs_b; // reads b in the primitive's own layout
    int threads;

    auto operator<=>(const kernel_problem&) const = default;
};

enum class product_method {
    primitive,       // oneDNN matmul: bias and ReLU cost nothing
    gemm,            // dnnl_sgemm: any alpha and beta
    filter_gradient, // of a 1x1 convolution
};

// Two AVX-512 cores, milliseconds, matmul with packed b / dnnl_sgemm / 1x1 convolution primitive:
//   y = x w^T   373248x96x96: 18.9 / 21.6 / 18.8   86528x256x256: 31.8 / 33.6 / 30.7   18432x384x384: 14.3 / 15.5
//   / 14.2 dw = dy^T x 96x96x373248: 35.9 / 23.7 / 21.1   256x256x86528: 41.8 / 37   / 37.9   384x384x18432: 16.3
//   / 14.7 / 16.8
// so long sums go to sgemm, everything else to matmul. sgemm is for floats only.
bool has_long_sums(const product_problem& p)
{
    return p.depth > 4 * std::max(p.rows, p.columns);
}

bool is_native_bf16(const product_problem& p)
{
    return p.a.type == element_type::bf16 && p.b.type == element_type::bf16 && p.depth != 0 &&
           onednn::has_native_bf16();
}

// A long sum over rows of both operands, dw = dy^T x, is the filter gradient of a 1x1 convolution. In bf16 oneDNN's is
// faster than its matmul: 17.0 / 29.7 ms for 96x96x373248, 21.0 / 25.6 for 256x256x86528 (two AVX-512 cores).
bool is_filter_gradient(const product_problem& p)
{
    return is_native_bf16(p) && has_long_sums(p) && p.a.is_transposed && p.a.ld == p.rows && !p.b.is_transposed &&
           p.b.ld == p.columns && p.result_ld == p.columns && p.alpha == 1 && p.beta == 0 && p.epilogue.is_none();
}

convolution_problem as_filter_gradient(const product_problem& p)
{
    const int64_t images = std::gcd(p.depth, int64_t{128}); // enough for every thread
    const int64_t width = p.depth / images;
    return {.direction = convolution_direction::backward_filter,
            .method = convolution_method::direct,
            .epilogue = convolution_epilogue::none,
            .type = element_type::bf16,
            .result_type = p.result_type,
            .nhwc = true,
            .rotated_filter = false,
            .n = images,
            .c = p.columns,
            .h = 1,
            .w = width,
            .k = p.rows,
            .r = 1,
            .s = 1,
            .out_h = 1,
            .out_w = width,
            .pad_h = 0,
            .pad_w = 0,
            .stride_h = 1,
            .stride_w = 1,
            .dilation_h = 1,
            .dilation_w = 1,
            .threads = thread_count()};
}

product_method choose_method(const product_problem& p)
{
    if (is_filter_gradient(p))
        return product_method::filter_gradient;
    if (is_native_bf16(p))
        return product_method::primitive;
    if (p.alpha != 1 || p.beta != 0 || p.depth == 0)
        return product_method::gemm;
    return has_long_sums(p) ? product_method::gemm : product_method::primitive;
}

class product_kernel
{
  public:
    explicit product_kernel(const kernel_problem& p)
    {
        const auto desc_of = [](int64_t rows, int64_t columns, const matrix_layout& layout) {
            return memory::desc({rows, columns}, onednn::data_type_of(layout.type),
                                layout.is_transposed ? memory::dims{1, layout.ld} : memory::dims{layout.ld, 1});
        };
        a_ = desc_of(p.rows, p.depth, p.a);
        plain_b_ = desc_of(p.depth, p.columns, p.b);
        const memory::desc any_b({p.depth, p.columns}, onednn::data_type_of(p.b.type), memory::format_tag::any);
        if (p.adds_bias)
            bias_ = memory::desc({1, p.columns}, onednn::data_type_of(p.bias_type), memory::dims{p.columns, 1});
        const memory::desc result({p.rows, p.columns}, onednn::data_type_of(p.result_type),
                                  memory::dims{p.result_ld, 1});
        const auto desc = onednn::matrix_product(a_, p.packs_b ? any_b : plain_b_, bias_, result,
                                                 p.relu ? onednn::activation::relu : onednn::activation::none);
        product_ = dnnl::matmul(desc);
        b_ = desc.weights_desc();
        result_ = desc.dst_desc();
        scratchpad_ = desc.scratchpad_desc();
        scratchpad_offset_ = layout_.add(scratchpad_.get_size());
        if (b_ != plain_b_) {
            const auto pack = onednn::layout_change(plain_b_, b_);
            pack_ = dnnl::reorder(pack);
            pack_scratchpad_ = pack.scratchpad_desc();
            pack_scratchpad_offset_ = layout_.add(pack_scratchpad_.get_size());
            b_offset_ = layout_.add(b_.get_size());
        }
    }

    size_t scratch_bytes() const { return layout_.bytes(); }

    // b in the layout that run() reads; valid as long as the scratch memory.
    const void* pack(const void* b, void* scratch) const
    {
        if (b_ == plain_b_)
            return b;
        std::byte* const start = aligned_start(scratch);
        onednn::execute(pack_, {{DNNL_ARG_FROM, onednn::at(plain_b_, b)},
                                {DNNL_ARG_TO, onednn::at(b_, start + b_offset_)},
                                {DNNL_ARG_SCRATCHPAD, onednn::at(pack_scratchpad_, start + pack_scratchpad_offset_)}});
        return start + b_offset_;
    }

    void run(const void* a, const void* packed_b, const void* bias, void* result, void* scratch) const
    {
        std::unordered_map<int, memory> arguments{
            {DNNL_ARG_SRC, onednn::at(a_, a)},
            {DNNL_ARG_WEIGHTS, onednn::at(b_, packed_b)},
            {DNNL_ARG_DST, onednn::at(result_, result)},
            {DNNL_ARG_SCRATCHPAD, onednn::at(scratchpad_, aligned_start(scratch) + scratchpad_offset_)}};
        if (bias != nullptr)
            arguments.emplace(DNNL_ARG_BIAS, onednn::at(bias_, bias));
        onednn::execute(product_, arguments);
    }

  private:
    workspace_layout layout_;
    dnnl::matmul product_;
    dnnl::reorder pack_;
    memory::desc a_, plain_b_, b_, bias_, result_, scratchpad_, pack_scratchpad_;
    size_t scratchpad_offset_ = 0, pack_scratchpad_offset_ = 0, b_offset_ = 0;
};

std::shared_ptr<const product_kernel> find_kernel(const kernel_problem& problem)
{
    return immortal<plan_cache<kernel_problem, product_kernel>>().find(
        problem, [](const kernel_problem& p) { return std::make_unique<const product_kernel>(p); });
}

// ---- Epilogues, on rows of floats

NIN_VECTORIZED void add_row(const float* in, float* out, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        out[i] += in[i];
}

NIN_VECTORIZED void relu_row(float* row, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        row[i] = row[i] > 0 ? row[i] : 0.0f;
}

NIN_VECTORIZED void scale_row(float factor, float* row, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        row[i] *= factor;
}

NIN_VECTORIZED void add_scaled_row(const float* in, float factor, float* out, int64_t n)
{
    for (int64_t i = 0; i < n; ++i)
        out[i] += factor * in[i];
}

// Whole words of the mask at a time, so that each vector lane has a bit of its own.
constexpr int64_t k_mask_lanes = 16;

NIN_VECTORIZED void mask_row(const uint8_t* mask, float* row, int64_t n)
{
    const int64_t whole = n / k_mask_lanes * k_mask_lanes;
    for (int64_t i = 0; i < whole; i += k_mask_lanes) {
        uint16_t bits;
        std::memcpy(&bits, mask + i / 8, sizeof(bits));
        for (int lane = 0; lane < k_mask_lanes; ++lane)
            row[i + lane] = (bits & (1 << lane)) != 0 ? row[i + lane] : 0.0f;
    }
    for (int64_t i = whole; i < n; ++i)
        row[i] = (mask[i / 8] >> (i % 8)) & 1 ? row[i] : 0.0f;
}

NIN_VECTORIZED void store_mask_row(const float* row, uint8_t* mask, int64_t n)
{
    const int64_t whole = n / k_mask_lanes * k_mask_lanes;
    for (int64_t i = 0; i < whole; i += k_mask_lanes) {
        int bits = 0;
        for (int lane = 0; lane < k_mask_lanes; ++lane)
            bits |= row[i + lane] >= 0 ? 1 << lane : 0;
        const auto word = static_cast<uint16_t>(bits);
        std::memcpy(mask + i / 8, &word, sizeof(word));
    }
    for (int64_t i = whole; i < n; ++i) {
        const auto bit = static_cast<uint8_t>(1u << (i % 8));
        mask[i / 8] = static_cast<uint8_t>(row[i] >= 0 ? mask[i / 8] | bit : mask[i / 8] & ~bit);
    }
}

// What follows the product itself, on the float values of a block of rows.
struct epilogue_pass {
    product_epilogue steps;
    bool scales = false; // values = alpha * values + beta * addend comes first

    bool operator==(const epilogue_pass&) const = default;
    bool is_none() const { return *this == epilogue_pass{}; }
};

// Runs the pass on `rows` rows of the float result from first_row on, and stores them. `partial` receives the column
// sums of each block of rows.
void run_pass(const product_problem& p, const product_operands& o, const epilogue_pass& pass, const float* bias,
              int64_t first_row, int64_t rows, float* values, int64_t values_ld, float* partial)
{
    const product_epilogue& steps = pass.steps;
    const size_t element = size_of(p.result_type);
    parallel_blocks(rows, k_sum_block, [&](int64_t begin, int64_t end) {
        float* const sums = partial == nullptr ? nullptr : partial + (first_row + begin) / k_sum_block * p.columns;
        if (sums != nullptr)
            std::fill_n(sums, p.columns, 0.0f);
        std::vector<float> addend(pass.scales && p.beta != 0 ? static_cast<size_t>(p.columns) : 0);
        for (int64_t i = begin; i < end; ++i) {
            float* const row = values + i * values_ld;
            auto* const mask = static_cast<uint8_t*>(o.mask) + (first_row + i) * steps.mask_row_bytes;
            if (pass.scales && p.alpha != 1)
                scale_row(p.alpha, row, p.columns);
            if (!addend.empty()) {
                const auto* const from = static_cast<const std::byte*>(o.addend) +
                                         static_cast<size_t>((first_row + i) * p.addend_ld) * element;
                row_to_float(p.result_type, from, addend.data(), p.columns);
                add_scaled_row(addend.data(), p.beta, row, p.columns);
            }
            if (steps.adds_bias)
                add_row(bias, row, p.columns);
            if (steps.applies_mask)
                mask_row(mask, row, p.columns);
            if (steps.stores_mask)
                store_mask_row(row, mask, p.columns);
            if (steps.relu)
                relu_row(row, p.columns);
            if (sums != nullptr)
                add_row(row, sums, p.columns);
            auto* const out =
                static_cast<std::byte*>(o.result) + static_cast<size_t>((first_row + i) * p.result_ld) * element;
            if (out != reinterpret_cast<std::byte*>(row))
                row_from_float(p.result_type, row, out, p.columns);
        }
    });
}

void finish_sums(const std::vector<float>& partial, int64_t columns, element_type type, void* sums)
{
    visit(type, [&](auto element) {
        using T = decltype(element);
        const int64_t blocks = static_cast<int64_t>(partial.size()) / columns;
        for (int64_t j = 0; j < columns; ++j) {
            double total = 0;
            for (int64_t block = 0; block < blocks; ++block)
                total += partial[static_cast<size_t>(block * columns + j)];
            static_cast<T*>(sums)[j] = from_float<T>(static_cast<float>(total));
        }
    });
}

int64_t span(int64_t rows, int64_t columns, int64_t ld)
{
    return rows == 0 || columns == 0 ? 0 : (rows - 1) * ld + columns;
}

int64_t span(const matrix_layout& layout, int64_t rows, int64_t columns)
{
    return layout.is_transposed ? span(columns, rows, layout.ld) : span(rows, columns, layout.ld);
}

} // namespace

// How a problem is carried out: in one piece, or in blocks of rows with an epilogue pass behind each.
struct matrix_product::state {
    product_problem problem;
    product_method method;
    bool is_native;         // operands are read as bf16, not widened
    product_epilogue fused; // what the primitive does
    epilogue_pass pass;     // what comes behind it, on floats
    // What the product writes: the result itself, or a block of floats that the pass goes on from.
    bool is_in_place = true;
    bool has_pass = false;
    int64_t block_rows = 0;
    std::shared_ptr<const convolution_plan> filter_gradient;
    std::shared_ptr<const product_kernel> kernel, last_kernel; // for a block, and for the last one if that is shorter
    // Scratch: operands in float, the float result of one block, the kernels' own.
    workspace_layout scratch;
    size_t a_offset = 0, b_offset = 0, bias_offset = 0, block_offset = 0, kernel_offset = 0, last_kernel_offset = 0;

    explicit state(const product_problem& p)
        : problem(p), method(choose_method(p)), is_native(is_native_bf16(p)), pass{p.epilogue}
    {
        if (method == product_method::filter_gradient) {
            filter_gradient = find_convolution_plan(as_filter_gradient(p));
            kernel_offset = scratch.add(filter_gradient->workspace_bytes());
            return;
        }
        if (is_native)
            pass.scales = p.alpha != 1 || p.beta != 0; // sgemm does it otherwise
        if (method == product_method::primitive && !pass.scales) {
            // The order of the epilogue must stay: what comes before ReLU can't follow it.
            fused.adds_bias = std::exchange(pass.steps.adds_bias, false);
            if (!pass.steps.applies_mask && !pass.steps.stores_mask)
                fused.relu = std::exchange(pass.steps.relu, false);
        }
        const bool is_float = p.result_type == element_type::f32;
        // The addend may lie where the result is to go, and is read behind the product.
        is_in_place = is_float ? !(pass.scales && p.beta != 0) : is_native && pass.is_none();
        has_pass = !pass.is_none() || !is_in_place;
        block_rows = has_pass && method == product_method::primitive ? std::min(p.rows, k_epilogue_rows) : p.rows;
        const auto floats = [&](int64_t count) { return scratch.add(static_cast<size_t>(count) * sizeof(float)); };
        if (widens(p.a))
            a_offset = floats(a_count());
        if (widens(p.b))
            b_offset = floats(b_count());
        if (widens_bias())
            bias_offset = floats(p.columns);
        if (!is_in_place)
            block_offset = floats(block_rows * p.columns);
        if (method == product_method::primitive) {
            kernel = kernel_for(block_rows);
            kernel_offset = scratch.add(kernel->scratch_bytes());
            if (const int64_t last_rows = p.rows % block_rows; last_rows != 0) {
                last_kernel = kernel_for(last_rows);
                last_kernel_offset = scratch.add(last_kernel->scratch_bytes());
            }
        }
    }

    bool widens(const matrix_layout& operand) const { return !is_native && operand.type != element_type::f32; }
    // A primitive reads a bias of any type, but only beside operands of a 16-bit type.
    bool widens_bias() const
    {
        return problem.epilogue.adds_bias && problem.result_type != element_type::f32 &&
               !(is_native && fused.adds_bias);
    }
    int64_t a_count() const { return span(problem.a, problem.rows, problem.depth); }
    int64_t b_count() const { return span(problem.b, problem.depth, problem.columns); }
    int64_t values_ld() const { return is_in_place ? problem.result_ld : problem.columns; }

    std::shared_ptr<const product_kernel> kernel_for(int64_t rows) const
    {
        matrix_layout a = problem.a, b = problem.b;
        if (!is_native)
            a.type = b.type = element_type::f32;
        return find_kernel({rows, problem.columns, problem.depth, a, b,
                            is_in_place ? problem.result_type : element_type::f32, values_ld(),
                            widens_bias() ? element_type::f32 : problem.result_type, fused.adds_bias, fused.relu,
                            !has_long_sums(problem), thread_count()});
    }

    // values = alpha * a * b + beta * addend by sgemm, for all rows.
    void run_gemm(const product_operands& o, const float* a, const float* b, float* values) const
    {
        const auto& p = problem;
        // sgemm scales what stands in the result, so the addend goes there first.
        if (p.beta != 0 && (o.addend != values || p.addend_ld != values_ld())) {
            const tensor_view from{p.result_type, {1, 1, p.rows, p.columns}, {1, 1, p.addend_ld, 1}};
            const tensor_view to{element_type::f32, {1, 1, p.rows, p.columns}, {1, 1, values_ld(), 1}};
            blend({from, o.addend}, {}, {to, values});
        }
        if (p.depth != 0) {
            onednn::sgemm({p.a.is_transposed ? 'T' : 'N', p.b.is_transposed ? 'T' : 'N', p.rows, p.columns, p.depth,
                           p.alpha, a, p.a.ld, b, p.b.ld, p.beta, values, values_ld()});
            return;
        }
        for (int64_t i = 0; i < p.rows; ++i)
            if (p.beta == 0)
                std::fill_n(values + i * values_ld(), p.columns, 0.0f);
            else
                scale_row(p.beta, values + i * values_ld(), p.columns);
    }
};

matrix_product::matrix_product(const product_problem& problem) : state_(std::make_unique<const state>(problem)) {}

matrix_product::~matrix_product() = default;

void matrix_product::run(const product_operands& o) const
{
    const state& s = *state_;
    const product_problem& p = s.problem;
    std::byte* const scratch = aligned_start(thread_scratch(s.scratch.bytes()));
    if (s.filter_gradient != nullptr)
        return s.filter_gradient->run(o.b, o.a, nullptr, o.result, scratch + s.kernel_offset);
    const auto widened = [&](bool widens, const void* data, element_type type, int64_t count, size_t offset) {
        if (!widens)
            return data;
        auto* const to = reinterpret_cast<float*>(scratch + offset);
        convert_to_float(type, data, to, count);
        return static_cast<const void*>(to);
    };
    const void* const a = widened(s.widens(p.a), o.a, p.a.type, s.a_count(), s.a_offset);
    const void* const b = widened(s.widens(p.b), o.b, p.b.type, s.b_count(), s.b_offset);
    const void* const bias = widened(s.widens_bias(), o.bias, p.result_type, p.columns, s.bias_offset);
    std::vector<float> partial;
    if (p.epilogue.sums_columns)
        partial.resize(static_cast<size_t>((p.rows + k_sum_block - 1) / k_sum_block * p.columns));
    const size_t a_row_bytes =
        static_cast<size_t>(p.a.is_transposed ? 1 : p.a.ld) * (s.is_native ? sizeof(bf16) : sizeof(float));
    const size_t result_row_bytes = static_cast<size_t>(p.result_ld) * size_of(p.result_type);

    const void* packed = nullptr;
    for (int64_t first = 0; first < p.rows; first += s.block_rows) {
        const int64_t rows = std::min(s.block_rows, p.rows - first);
        void* const values =
            s.is_in_place ? static_cast<std::byte*>(o.result) + first * result_row_bytes : scratch + s.block_offset;
        if (s.method == product_method::primitive) {
            const bool is_whole = rows == s.block_rows;
            const product_kernel& kernel = is_whole ? *s.kernel : *s.last_kernel;
            void* const kernel_scratch = scratch + (is_whole ? s.kernel_offset : s.last_kernel_offset);
            if (first == 0 || !is_whole) // the packed layout may depend on the number of rows
                packed = kernel.pack(b, kernel_scratch);
            kernel.run(static_cast<const std::byte*>(a) + first * a_row_bytes, packed,
                       s.fused.adds_bias ? bias : nullptr, values, kernel_scratch);
        } else {
            s.run_gemm(o, static_cast<const float*>(a), static_cast<const float*>(b), static_cast<float*>(values));
        }
        if (s.has_pass)
            run_pass(p, o, s.pass, static_cast<const float*>(bias), first, rows, static_cast<float*>(values),
                     s.values_ld(), partial.empty() ? nullptr : partial.data());
    }
    if (!partial.empty())
        finish_sums(partial, p.columns, p.result_type, o.sums);
}

void sum_matrix_columns(const matrix_layout& layout, const void* matrix, int64_t rows, int64_t columns,
                        element_type sums_type, void* sums)
{
    std::vector<float> partial(static_cast<size_t>((rows + k_sum_block - 1) / k_sum_block * columns));
    parallel_blocks(rows, k_sum_block, [&](int64_t begin, int64_t end) {
        float* const out = partial.data() + begin / k_sum_block * columns;
        std::vector<float> row(layout.type == element_type::f32 ? 0 : static_cast<size_t>(columns));
        for (int64_t i = begin; i < end; ++i)
            visit(layout.type, [&](auto element) {
                const auto* const in = static_cast<const decltype(element)*>(matrix) + i * layout.ld;
                if constexpr (std::is_same_v<decltype(element), float>) {
                    add_row(in, out, columns);
                } else {
                    row_to_float(layout.type, in, row.data(), columns);
                    add_row(row.data(), out, columns);
                }
            });
    });
    finish_sums(partial, columns, sums_type, sums);
}

} // namespace nin::host
