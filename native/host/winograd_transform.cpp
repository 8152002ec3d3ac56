#include "host/winograd_transform.h"

#include "host/numeric_types.h"

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
constexpr int k_lanes = 16;

// Everything below is inlined into transform_tile, which is what gets compiled per instruction set. Vectors go by
// reference, as their calling convention differs between those.
#define NIN_INLINE __attribute__((always_inline)) inline

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
template <const auto& M, bool HasEpilogue>
NIN_INLINE void transform_lanes(const float* const* in, float* const* out, int64_t c, size_t bytes, const float* bias,
                                bool relu)
{
    constexpr int n_in = M.columns, n_out = M.rows;
    constexpr auto rows = std::make_integer_sequence<int, n_out>{};
    lanes half[n_out][n_in]; // M * tile
    for (int j = 0; j < n_in; ++j) {
        lanes column[n_in]{}, transformed[n_out];
        for (int i = 0; i < n_in; ++i)
            if (const float* const from = in[i * n_in + j]; from != nullptr)
                std::memcpy(&column[i], from + c, bytes);
        matrix_times<M>(transformed, column, rows);
        for (int i = 0; i < n_out; ++i)
            half[i][j] = transformed[i];
    }
    lanes offset{};
    if (HasEpilogue && bias != nullptr)
        std::memcpy(&offset, bias + c, bytes);
    for (int i = 0; i < n_out; ++i) {
        lanes result[n_out];
        matrix_times<M>(result, half[i], rows);
        for (int j = 0; j < n_out; ++j) {
            if constexpr (HasEpilogue) {
                result[j] += offset;
                if (relu)
                    result[j] = result[j] > 0 ? result[j] : lanes{};
            }
            if (float* const to = out[i * n_out + j]; to != nullptr)
                std::memcpy(to + c, &result[j], bytes);
        }
    }
}

template <typename F, winograd_stage Stage>
NIN_VECTORIZED void transform_tile(const float* const* in, float* const* out, int64_t channels, const float* bias,
                                   bool relu)
{
    constexpr bool has_epilogue = Stage == winograd_stage::output;
    int64_t c = 0;
    for (; c + k_lanes <= channels; c += k_lanes)
        transform_lanes<k_matrix<F, Stage>, has_epilogue>(in, out, c, sizeof(lanes), bias, relu);
    if (c < channels)
        transform_lanes<k_matrix<F, Stage>, has_epilogue>(in, out, c, static_cast<size_t>(channels - c) * sizeof(float),
                                                          bias, relu);
}

} // namespace

template <typename F> winograd_transform transform_for(winograd_stage stage)
{
    switch (stage) {
    case winograd_stage::input:
        return transform_tile<F, winograd_stage::input>;
    case winograd_stage::filter:
        return transform_tile<F, winograd_stage::filter>;
    case winograd_stage::output:
        return transform_tile<F, winograd_stage::output>;
    case winograd_stage::output_gradient:
        return transform_tile<F, winograd_stage::output_gradient>;
    default:
        return transform_tile<F, winograd_stage::filter_gradient>;
    }
}

template winograd_transform transform_for<winograd_3x3>(winograd_stage);
template winograd_transform transform_for<winograd_5x5>(winograd_stage);

} // namespace nin::host
