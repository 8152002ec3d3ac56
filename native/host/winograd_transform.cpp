#include "host/winograd_transform.h"

#include <cstring>
#include <utility>

namespace nin::host
{
namespace
{

template <int Rows, int Columns> struct matrix {
    static constexpr int rows = Rows, columns = Columns;
    double at[Rows][Columns]{};

    constexpr matrix<Columns, Rows> transposed() const
    {
        matrix<Columns, Rows> result;
        for (int i = 0; i < Rows; ++i)
            for (int j = 0; j < Columns; ++j)
                result.at[j][i] = at[i][j];
        return result;
    }
};

// The coefficients, ascending, of the product of (x - p) over all points but one (none left out: skip < 0).
template <typename F> constexpr std::array<double, F::points> product_of_roots(int skip)
{
    std::array<double, F::points> c{1};
    int degree = 0;
    for (int k = 0; k < F::points - 1; ++k) {
        if (k == skip)
            continue;
        ++degree;
        for (int i = degree; i > 0; --i)
            c[i] = c[i - 1] - F::interpolation[k] * c[i];
        c[0] *= -F::interpolation[k];
    }
    return c;
}

// The last point is infinity: its row picks the leading coefficient.
template <typename F> constexpr auto input_matrix()
{
    matrix<F::points, F::points> bt;
    for (int j = 0; j < F::points; ++j) {
        const auto c = product_of_roots<F>(j < F::points - 1 ? j : -1);
        for (int i = 0; i < F::points; ++i)
            bt.at[j][i] = c[i];
    }
    return bt;
}

template <typename F> constexpr auto filter_matrix()
{
    matrix<F::points, F::taps> g;
    for (int j = 0; j < F::points - 1; ++j) {
        double scale = 1;
        for (int k = 0; k < F::points - 1; ++k)
            if (k != j)
                scale *= F::interpolation[j] - F::interpolation[k];
        double power = 1;
        for (int i = 0; i < F::taps; ++i, power *= F::interpolation[j])
            g.at[j][i] = power / scale;
    }
    g.at[F::points - 1][F::taps - 1] = 1;
    return g;
}

template <typename F> constexpr auto output_matrix()
{
    matrix<F::outputs, F::points> at;
    for (int j = 0; j < F::points - 1; ++j) {
        double power = 1;
        for (int i = 0; i < F::outputs; ++i, power *= F::interpolation[j])
            at.at[i][j] = power;
    }
    at.at[F::outputs - 1][F::points - 1] = 1;
    return at;
}

template <typename F, winograd_stage Stage> constexpr auto stage_matrix()
{
    if constexpr (Stage == winograd_stage::input)
        return input_matrix<F>();
    else if constexpr (Stage == winograd_stage::filter)
        return filter_matrix<F>();
    else if constexpr (Stage == winograd_stage::output)
        return output_matrix<F>();
    else if constexpr (Stage == winograd_stage::output_gradient)
        return output_matrix<F>().transposed();
    else
        return filter_matrix<F>().transposed();
}

template <typename F, winograd_stage Stage> constexpr auto k_matrix = stage_matrix<F, Stage>();

// One AVX-512 register; the compiler splits it for narrower machines.
using lanes = float __attribute__((vector_size(64)));
using word_lanes = uint32_t __attribute__((vector_size(64)));
using half_lanes = uint16_t __attribute__((vector_size(32)));
constexpr int k_lanes = 16;

// Everything below is inlined into transform_tile, which is what gets compiled per instruction set. Vectors go by
// reference, as their calling convention differs between those.
#define NIN_INLINE __attribute__((always_inline)) inline

NIN_INLINE void load(const float* from, size_t count, lanes& to)
{
    std::memcpy(&to, from, count * sizeof(float));
}

NIN_INLINE void load(const bf16* from, size_t count, lanes& to)
{
    half_lanes bits{};
    std::memcpy(&bits, from, count * sizeof(bf16));
    const word_lanes words = __builtin_convertvector(bits, word_lanes) << 16;
    std::memcpy(&to, &words, sizeof(to));
}

NIN_INLINE void store(const lanes& from, size_t count, float* to)
{
    std::memcpy(to, &from, count * sizeof(float));
}

// from_float<bf16>, lane by lane.
NIN_INLINE void store(const lanes& from, size_t count, bf16* to)
{
    word_lanes bits;
    std::memcpy(&bits, &from, sizeof(bits));
    const word_lanes rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    const word_lanes quiet_nan = (bits >> 16) | 0x40u;
    const half_lanes result = __builtin_convertvector(from == from ? rounded : quiet_nan, half_lanes);
    std::memcpy(to, &result, count * sizeof(bf16));
}

// sum = row of the matrix times d; coefficients 0 and 1 cost nothing.
template <const auto& M, int Row, int K = 0, bool Started = false> NIN_INLINE void row_times(lanes& sum, const lanes* d)
{
    if constexpr (K < M.columns) {
        constexpr auto m = static_cast<float>(M.at[Row][K]);
        if constexpr (m == 0) {
            row_times<M, Row, K + 1, Started>(sum, d);
        } else {
            if constexpr (!Started && m == 1)
                sum = d[K];
            else if constexpr (!Started)
                sum = m * d[K];
            else if constexpr (m == 1)
                sum += d[K];
            else if constexpr (m == -1)
                sum -= d[K];
            else
                sum += m * d[K];
            row_times<M, Row, K + 1, true>(sum, d);
        }
    }
}

template <const auto& M, int... Rows>
NIN_INLINE void matrix_times(lanes* result, const lanes* d, std::integer_sequence<int, Rows...>)
{
    (row_times<M, Rows>(result[Rows], d), ...);
}

// Up to 16 channels from c on.
template <const auto& M, bool HasEpilogue, typename In, typename Out>
NIN_INLINE void transform_lanes(const In* const* in, Out* const* out, int64_t c, size_t count, const Out* bias,
                                bool relu)
{
    constexpr int n_in = M.columns, n_out = M.rows;
    constexpr auto rows = std::make_integer_sequence<int, n_out>{};
    lanes half[n_out][n_in]; // M * tile
    for (int j = 0; j < n_in; ++j) {
        lanes column[n_in]{}, transformed[n_out];
        for (int i = 0; i < n_in; ++i)
            if (const In* const from = in[i * n_in + j]; from != nullptr)
                load(from + c, count, column[i]);
        matrix_times<M>(transformed, column, rows);
        for (int i = 0; i < n_out; ++i)
            half[i][j] = transformed[i];
    }
    lanes offset{};
    if (HasEpilogue && bias != nullptr)
        load(bias + c, count, offset);
    for (int i = 0; i < n_out; ++i) {
        lanes result[n_out];
        matrix_times<M>(result, half[i], rows);
        for (int j = 0; j < n_out; ++j) {
            if constexpr (HasEpilogue) {
                result[j] += offset;
                if (relu)
                    result[j] = result[j] > 0 ? result[j] : lanes{};
            }
            if (Out* const to = out[i * n_out + j]; to != nullptr)
                store(result[j], count, to + c);
        }
    }
}

template <typename F, winograd_stage Stage, typename In, typename Out>
NIN_VECTORIZED void transform_tile(const In* const* in, Out* const* out, int64_t channels, const Out* bias, bool relu)
{
    constexpr bool has_epilogue = Stage == winograd_stage::output;
    int64_t c = 0;
    for (; c + k_lanes <= channels; c += k_lanes)
        transform_lanes<k_matrix<F, Stage>, has_epilogue>(in, out, c, k_lanes, bias, relu);
    if (c < channels)
        transform_lanes<k_matrix<F, Stage>, has_epilogue>(in, out, c, static_cast<size_t>(channels - c), bias, relu);
}

} // namespace

template <typename F, winograd_stage Stage, typename In, typename Out> winograd_transform<In, Out> transform_for()
{
    return transform_tile<F, Stage, In, Out>;
}

#define NIN_WINOGRAD_TRANSFORMS(F, T)                                                                                  \
    template winograd_transform<T, float> transform_for<F, winograd_stage::input, T, float>();                         \
    template winograd_transform<T, float> transform_for<F, winograd_stage::filter, T, float>();                        \
    template winograd_transform<float, T> transform_for<F, winograd_stage::output, float, T>();                        \
    template winograd_transform<T, float> transform_for<F, winograd_stage::output_gradient, T, float>();               \
    template winograd_transform<float, T> transform_for<F, winograd_stage::filter_gradient, float, T>();

NIN_WINOGRAD_TRANSFORMS(winograd_3x3, float)
NIN_WINOGRAD_TRANSFORMS(winograd_5x5, float)
NIN_WINOGRAD_TRANSFORMS(winograd_3x3, bf16)
NIN_WINOGRAD_TRANSFORMS(winograd_5x5, bf16)
#undef NIN_WINOGRAD_TRANSFORMS

} // namespace nin::host
