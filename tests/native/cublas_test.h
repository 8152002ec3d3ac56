// What the cuBLAS and cuBLASLt tests share: a handle, column-major matrices of small whole numbers.
#pragma once

#include "cudnn_test.h"
#include "host/abi/cublas.h"

namespace nin::tests
{

#define NIN_CUBLAS_CHECK(call) ASSERT_EQ(CUBLAS_STATUS_SUCCESS, call)

class cublas_test : public kernel_test
{
  protected:
    void SetUp() override
    {
        kernel_test::SetUp();
        NIN_CUBLAS_CHECK(cublasCreate_v2(&handle_));
    }

    void TearDown() override
    {
        NIN_CUBLAS_CHECK(cublasDestroy_v2(handle_));
        kernel_test::TearDown();
    }

    cublasHandle_t handle_ = nullptr;
};

template <typename Type> constexpr cudaDataType_t cuda_type_of();
template <> constexpr cudaDataType_t cuda_type_of<f32_type>()
{
    return CUDA_R_32F;
}
template <> constexpr cudaDataType_t cuda_type_of<f16_type>()
{
    return CUDA_R_16F;
}
template <> constexpr cudaDataType_t cuda_type_of<bf16_type>()
{
    return CUDA_R_16BF;
}

template <typename Type> struct column_major {
    int rows, columns, ld;
    std::vector<typename Type::storage> elements;

    // Columns are `slack` elements further apart than they need to be.
    column_major(int rows, int columns, int slack, int limit, unsigned seed)
        : rows(rows), columns(columns), ld(rows + slack),
          elements(small_integers<Type>(static_cast<size_t>(ld) * columns - slack, limit, seed))
    {
    }

    size_t at(int i, int j) const { return static_cast<size_t>(j) * ld + i; }

    // Element (i, j) of the matrix, or of its transpose.
    double op(cublasOperation_t trans, int i, int j) const
    {
        return Type::value(elements[trans == CUBLAS_OP_N ? at(i, j) : at(j, i)]);
    }
};

} // namespace nin::tests
