#include "host/winograd_convolution.h"

#include "host/onednn.h"
#include "host/parallel.h"
#include "host/winograd_transform.h"
#include "host/workspace.h"

#include <algorithm>
#include <array>
#include <vector>

namespace nin::host
{
namespace
{

using dnnl::memory;

// Tiles that are transformed and multiplied together: enough rows for the matrix product to run near its peak, few
// enough that the transformed tiles stay in a core's cache.
constexpr int64_t k_forward_tiles = 48;
constexpr int64_t k_gradient_tiles = 256;

// Floats from one point's matrix to the next. The extra cache line keeps the same row of all points out of one cache
// set, where rows x columns is a power of two.
int64_t plane_floats(int64_t rows, int64_t columns)
{
    return rows * columns + 16;
}

// An NHWC activation, as tiles see it.
struct image_shape {
    int64_t h, w, channels;
};

// The tiling of a stride-1 convolution's outputs (h, w) and where their inputs begin.
template <typename F> struct tile_grid {
    int64_t images, rows, columns, pad_h, pad_w;

    tile_grid(int64_t n, const image_shape& out, int64_t pad_h, int64_t pad_w)
        : images(n), rows((out.h + F::outputs - 1) / F::outputs), columns((out.w + F::outputs - 1) / F::outputs),
          pad_h(pad_h), pad_w(pad_w)
    {
    }

    int64_t count() const { return images * rows * columns; }

    // Addresses of a size x size tile whose first element is (row * outputs - pad, column * outputs - pad) of image n;
    // null outside the image.
    template <int Size, typename T>
    std::array<T*, Size * Size> addresses(T* data, const image_shape& image, int64_t tile, int64_t pad_top,
                                          int64_t pad_left) const
    {
        const int64_t n = tile / (rows * columns), row = tile / columns % rows, column = tile % columns;
        const int64_t top = row * F::outputs - pad_top, left = column * F::outputs - pad_left;
        std::array<T*, Size * Size> result{};
        for (int i = 0; i < Size; ++i)
            for (int j = 0; j < Size; ++j) {
                const int64_t h = top + i, w = left + j;
                if (h >= 0 && h < image.h && w >= 0 && w < image.w)
                    result[i * Size + j] = data + ((n * image.h + h) * image.w + w) * image.channels;
            }
        return result;
    }

    // The input tile of an output tile, and the output tile itself.
    template <typename T>
    std::array<const T*, F::points * F::points> input(const T* data, const image_shape& image, int64_t tile) const
    {
        return addresses<F::points>(data, image, tile, pad_h, pad_w);
    }
    template <typename T>
    std::array<T*, F::outputs * F::outputs> output(T* data, const image_shape& image, int64_t tile) const
    {
        return addresses<F::outputs>(data, image, tile, 0, 0);
    }
};

// Addresses of one row of every plane of a transformed tensor: planes of `plane` floats, one per point.
template <typename F, typename T> std::array<T*, F::points * F::points> points_at(T* first, int64_t plane)
{
    std::array<T*, F::points * F::points> result;
    for (size_t i = 0; i < result.size(); ++i)
        result[i] = first + static_cast<int64_t>(i) * plane;
    return result;
}

// Addresses of one output channel's taps in a KRSC filter; reversed where the filter is rotated.
template <typename F, typename T>
std::array<T*, F::taps * F::taps> taps_at(T* filter, int64_t k, int64_t c_count, bool rotated)
{
    constexpr int count = F::taps * F::taps;
    std::array<T*, count> result;
    for (int i = 0; i < count; ++i)
        result[i] = filter + (k * count + (rotated ? count - 1 - i : i)) * c_count;
    return result;
}

// forward, and backward_data as the forward convolution of dy with the rotated, transposed filter. Operands are of type
// T, the result of type R.
template <typename F, typename T, typename R> class winograd_forward final : public convolution_plan
{
  public:
    explicit winograd_forward(const convolution_problem& p)
        : k_(p.k), c_(p.c), is_forward_(p.direction == convolution_direction::forward),
          rotated_(p.rotated_filter == is_forward_), relu_(p.epilogue == convolution_epilogue::bias_relu),
          src_(is_forward_ ? image_shape{p.h, p.w, p.c} : image_shape{p.out_h, p.out_w, p.k}),
          dst_(is_forward_ ? image_shape{p.out_h, p.out_w, p.k} : image_shape{p.h, p.w, p.c}),
          grid_(p.n, dst_, is_forward_ ? p.pad_h : F::taps - 1 - p.pad_h,
                is_forward_ ? p.pad_w : F::taps - 1 - p.pad_w),
          threads_(p.threads), block_(std::min(k_forward_tiles, (grid_.count() + threads_ - 1) / threads_))
    {
        constexpr int64_t points = F::points * F::points;
        const auto f32 = memory::data_type::f32;
        const memory::dims wei_dims{points, src_.channels, dst_.channels};
        // The transformed filter is [point][k][c] in both directions; here the source's channels are its rows.
        plain_ = memory::desc(wei_dims, f32, is_forward_ ? memory::dims{k_ * c_, 1, c_} : memory::dims{k_ * c_, c_, 1});
        const auto product =
            onednn::matrix_product(memory::desc({points, block_, src_.channels}, f32,
                                                memory::dims{plane_floats(block_, src_.channels), src_.channels, 1}),
                                   memory::desc(wei_dims, f32, memory::format_tag::any), {},
                                   memory::desc({points, block_, dst_.channels}, f32,
                                                memory::dims{plane_floats(block_, dst_.channels), dst_.channels, 1}),
                                   onednn::activation::none, 1);
        const auto pack = onednn::layout_change(plain_, product.weights_desc());
        product_ = dnnl::matmul(product);
        pack_ = dnnl::reorder(pack);
        src_desc_ = product.src_desc();
        packed_ = product.weights_desc();
        dst_desc_ = product.dst_desc();
        scratchpad_ = product.scratchpad_desc();
        pack_scratchpad_ = pack.scratchpad_desc();
        filter_offset_ = layout_.add(plain_.get_size());
        packed_offset_ = layout_.add(packed_.get_size());
        pack_scratchpad_offset_ = layout_.add(pack_scratchpad_.get_size());
        for (int t = 0; t < threads_; ++t)
            buffers_.push_back({layout_.add(src_desc_.get_size()), layout_.add(dst_desc_.get_size()),
                                layout_.add(scratchpad_.get_size())});
    }

    size_t workspace_bytes() const override { return layout_.bytes(); }

    std::string describe() const override { return "winograd"; }

    void run(const void* first, const void* second, const void* bias, void* result, void* workspace) const override
    {
        std::byte* const start = aligned_start(workspace);
        transform_filter(static_cast<const T*>(second), reinterpret_cast<float*>(start + filter_offset_));
        onednn::execute(pack_, {{DNNL_ARG_FROM, onednn::at(plain_, start + filter_offset_)},
                                {DNNL_ARG_TO, onednn::at(packed_, start + packed_offset_)},
                                {DNNL_ARG_SCRATCHPAD, onednn::at(pack_scratchpad_, start + pack_scratchpad_offset_)}});
        // Every thread takes blocks of tiles from transform to transform.
        const int64_t blocks = (grid_.count() + block_ - 1) / block_;
        parallel_for(threads_, [&](int64_t thread) {
            for (int64_t b = blocks * thread / threads_; b < blocks * (thread + 1) / threads_; ++b)
                run_block(b * block_, static_cast<const T*>(first), static_cast<const R*>(bias),
                          static_cast<R*>(result), start, buffers_[static_cast<size_t>(thread)]);
        });
    }

  private:
    struct thread_buffers {
        size_t src, dst, scratchpad;
    };

    void transform_filter(const T* filter, float* points) const
    {
        const auto transform = transform_for<F, winograd_stage::filter, T, float>();
        parallel_for(k_, [&](int64_t k) {
            transform(taps_at<F>(filter, k, c_, rotated_).data(), points_at<F>(points + k * c_, k_ * c_).data(), c_,
                      nullptr, false);
        });
    }

    void run_block(int64_t first_tile, const T* src, const R* bias, R* dst, std::byte* start,
                   const thread_buffers& buffers) const
    {
        const int64_t tiles = std::min(block_, grid_.count() - first_tile);
        auto* const v = reinterpret_cast<float*>(start + buffers.src);
        auto* const m = reinterpret_cast<float*>(start + buffers.dst);
        const auto input = transform_for<F, winograd_stage::input, T, float>();
        const auto output = transform_for<F, winograd_stage::output, float, R>();
        for (int64_t t = 0; t < tiles; ++t)
            input(grid_.input(src, src_, first_tile + t).data(),
                  points_at<F>(v + t * src_.channels, plane_floats(block_, src_.channels)).data(), src_.channels,
                  nullptr, false);
        // Rows past the last tile hold old values; their products are not stored.
        onednn::execute(product_,
                        {{DNNL_ARG_SRC, onednn::at(src_desc_, v)},
                         {DNNL_ARG_WEIGHTS, onednn::at(packed_, start + packed_offset_)},
                         {DNNL_ARG_DST, onednn::at(dst_desc_, m)},
                         {DNNL_ARG_SCRATCHPAD, onednn::at(scratchpad_, start + buffers.scratchpad)}},
                        1);
        for (int64_t t = 0; t < tiles; ++t)
            output(points_at<F>(static_cast<const float*>(m) + t * dst_.channels, plane_floats(block_, dst_.channels))
                       .data(),
                   grid_.output(dst, dst_, first_tile + t).data(), dst_.channels, bias, relu_);
    }

    int64_t k_, c_;
    bool is_forward_, rotated_, relu_;
    image_shape src_, dst_;
    tile_grid<F> grid_;
    int threads_;
    int64_t block_;
    workspace_layout layout_;
    dnnl::matmul product_;
    dnnl::reorder pack_;
    memory::desc plain_, packed_, src_desc_, dst_desc_, scratchpad_, pack_scratchpad_;
    size_t filter_offset_, packed_offset_, pack_scratchpad_offset_;
    std::vector<thread_buffers> buffers_;
};

template <typename F, typename T, typename R> class winograd_backward_filter final : public convolution_plan
{
  public:
    explicit winograd_backward_filter(const convolution_problem& p)
        : k_(p.k), c_(p.c), rotated_(p.rotated_filter), x_{p.h, p.w, p.c}, y_{p.out_h, p.out_w, p.k},
          grid_(p.n, y_, p.pad_h, p.pad_w), block_(std::min(k_gradient_tiles, grid_.count()))
    {
        const auto add = [&](int64_t floats) { return layout_.add(static_cast<size_t>(floats) * sizeof(float)); };
        x_offset_ = add(k_points * plane_floats(block_, c_));
        y_offset_ = add(k_points * plane_floats(block_, k_));
        filter_offset_ = add(k_points * k_ * c_);
    }

    size_t workspace_bytes() const override { return layout_.bytes(); }

    std::string describe() const override { return "winograd"; }

    void run(const void* first, const void* second, const void*, void* result, void* workspace) const override
    {
        std::byte* const start = aligned_start(workspace);
        auto* const xs = reinterpret_cast<float*>(start + x_offset_);
        auto* const ys = reinterpret_cast<float*>(start + y_offset_);
        auto* const filters = reinterpret_cast<float*>(start + filter_offset_);
        const auto input = transform_for<F, winograd_stage::input, T, float>();
        const auto gradient = transform_for<F, winograd_stage::output_gradient, T, float>();
        for (int64_t begin = 0; begin < grid_.count(); begin += block_) {
            const int64_t tiles = std::min(block_, grid_.count() - begin);
            parallel_for(tiles, [&](int64_t t) {
                input(grid_.input(static_cast<const T*>(first), x_, begin + t).data(),
                      points_at<F>(xs + t * c_, plane_floats(block_, c_)).data(), c_, nullptr, false);
                gradient(grid_.output(static_cast<const T*>(second), y_, begin + t).data(),
                         points_at<F>(ys + t * k_, plane_floats(block_, k_)).data(), k_, nullptr, false);
            });
            // Per point a K x C matrix: the sum over the tiles, in blocks of ascending tiles.
            parallel_for(k_points, [&](int64_t point) {
                onednn::sgemm({'T', 'N', k_, c_, tiles, 1, ys + point * plane_floats(block_, k_), k_,
                               xs + point * plane_floats(block_, c_), c_, begin == 0 ? 0.0f : 1.0f,
                               filters + point * k_ * c_, c_},
                              1);
            });
        }
        const auto taps = transform_for<F, winograd_stage::filter_gradient, float, R>();
        parallel_for(k_, [&](int64_t k) {
            taps(points_at<F>(static_cast<const float*>(filters) + k * c_, k_ * c_).data(),
                 taps_at<F>(static_cast<R*>(result), k, c_, rotated_).data(), c_, nullptr, false);
        });
    }

  private:
    static constexpr int64_t k_points = F::points * F::points;

    int64_t k_, c_;
    bool rotated_;
    image_shape x_, y_;
    tile_grid<F> grid_;
    int64_t block_;
    workspace_layout layout_;
    size_t x_offset_, y_offset_, filter_offset_;
};

template <typename F, typename T, typename R>
std::unique_ptr<const convolution_plan> make(const convolution_problem& problem)
{
    if (problem.direction == convolution_direction::backward_filter)
        return std::make_unique<winograd_backward_filter<F, T, R>>(problem);
    return std::make_unique<winograd_forward<F, T, R>>(problem);
}

template <typename F> std::unique_ptr<const convolution_plan> make(const convolution_problem& problem)
{
    if (problem.type == element_type::f32)
        return make<F, float, float>(problem);
    return problem.result_type == element_type::f32 ? make<F, bf16, float>(problem) : make<F, bf16, bf16>(problem);
}

} // namespace

bool winograd_fits(const convolution_problem& p)
{
    return p.type != element_type::f16 && p.nhwc && p.r == p.s && (p.r == 3 || p.r == 5) && p.stride_h == 1 &&
           p.stride_w == 1 && p.dilation_h == 1 && p.dilation_w == 1 && p.pad_h < p.r && p.pad_w < p.s;
}

bool winograd_pays(const convolution_problem& p)
{
    // Measured on one AVX-512 core, 96 -> 256 channels 5x5 and 256 -> 384 channels 3x3: forward breaks even between 576
    // and 676 output pixels of the batch, as the transformed filter must be packed each time; the filter gradient,
    // which packs nothing, at about 128. At 128 images of 26x26 and 12x12 it is 2.5 to 3.5 times as fast. With fewer
    // channels the transforms outweigh the products.
    const bool is_gradient = p.direction == convolution_direction::backward_filter;
    const int64_t pixels = p.n * p.out_h * p.out_w;
    const auto whole_tiles = [](int64_t extent) { return (extent + 3) / 4 * 4; }; // both filterings give 4x4 outputs
    const int64_t computed = p.n * whole_tiles(p.out_h) * whole_tiles(p.out_w);
    return p.c >= 32 && p.k >= 32 && pixels >= (is_gradient ? 128 : 640) && computed < 2 * pixels;
}

std::unique_ptr<const convolution_plan> make_winograd_convolution(const convolution_problem& problem)
{
    return problem.r == 3 ? make<winograd_3x3>(problem) : make<winograd_5x5>(problem);
}

} // namespace nin::host
