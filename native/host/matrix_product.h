// Matrix products with the epilogues of cuBLASLt, in row-major terms: result[i][j] = sum over p of a[i][p] * b[p][j].
// A column-major product is this one with the operands exchanged.
#pragma once

#include "host/numeric_types.h"

#include <compare>
#include <cstdint>
#include <memory>

namespace nin::host
{

// A row-major matrix of `ld` elements a row, or the transpose of one.
struct matrix_layout {
    element_type type;
    bool is_transposed;
    int64_t ld;

    auto operator<=>(const matrix_layout&) const = default;
};

// What happens to result[i][j] before it is stored, in this order: + bias[j]; * mask bit; ReLU (with its mask bit
// kept).
struct product_epilogue {
    bool adds_bias = false;     // bias: `columns` elements of the result's type
    bool applies_mask = false;  // mask bit (i, j) decides between the value and 0
    bool relu = false;          // max(value, 0)
    bool stores_mask = false;   // mask bit (i, j) = value before ReLU >= 0; bits past the columns are kept
    bool sums_columns = false;  // sums[j] = sum over i of what is stored, in the result's type
    int64_t mask_row_bytes = 0; // distance of mask rows; bit j of a row is bit j % 8 of byte j / 8

    bool operator==(const product_epilogue&) const = default;
    bool is_none() const { return *this == product_epilogue{}; }
};

struct product_problem {
    int64_t rows, columns, depth;
    matrix_layout a; // rows x depth
    matrix_layout b; // depth x columns
    element_type result_type;
    int64_t addend_ld, result_ld; // rows of `columns` elements, never transposed
    float alpha, beta;
    product_epilogue epilogue;
};

// Host addresses. addend (the matrix beta scales; not read where beta == 0) may be result.
struct product_operands {
    const void* a;
    const void* b;
    const void* addend;
    void* result;
    const void* bias = nullptr;
    void* mask = nullptr;
    void* sums = nullptr;
};

// A product that is ready to run: result = epilogue(alpha * a * b + beta * addend). Sums in float; one rounding at the
// end for 16-bit results. Immutable; several threads may run one at a time.
class matrix_product
{
  public:
    explicit matrix_product(const product_problem& problem);
    ~matrix_product();

    void run(const product_operands& operands) const;

  private:
    struct state;
    std::unique_ptr<const state> state_;
};

// sums[j] = sum over i of m[i][j] for a row-major matrix, stored in its own type (the bias gradients of cuBLASLt).
void sum_matrix_columns(const matrix_layout& layout, const void* matrix, int64_t rows, int64_t columns,
                        element_type sums_type, void* sums);

} // namespace nin::host
