// Matrix products through cuBLAS against plain loops, exactly: operands are small whole numbers.
#include "cublas_test.h"

namespace nin::tests
{
namespace
{

template <typename Type> class cublas_gemm : public cublas_test
{
};
TYPED_TEST_SUITE(cublas_gemm, element_types);

TYPED_TEST(cublas_gemm, EveryTransposition_AlphaAndBeta_EqualsPlainLoops)
{
    using T = typename TypeParam::storage;
    struct shape {
        int m, n, k, slack; // slack: leading dimensions beyond the rows
    };
    for (const auto& s : {shape{5, 3, 7, 0},
                          {1, 1, 1, 0},
                          {17, 33, 9, 3},
                          {96, 50, 96, 0},
                          {10, 3, 130, 1},
                          {4, 6, 1200, 0},
                          {3, 5000, 8, 2}})
        for (const auto transa : {CUBLAS_OP_N, CUBLAS_OP_T})
            for (const auto transb : {CUBLAS_OP_N, CUBLAS_OP_T})
                for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {2.0f, 0.0f}, {1.0f, 1.0f}, {-1.0f, 2.0f}}) {
                    const column_major<TypeParam> a(transa == CUBLAS_OP_N ? s.m : s.k,
                                                    transa == CUBLAS_OP_N ? s.k : s.m, s.slack, 2, 1);
                    const column_major<TypeParam> b(transb == CUBLAS_OP_N ? s.k : s.n,
                                                    transb == CUBLAS_OP_N ? s.n : s.k, s.slack, 2, 2);
                    column_major<TypeParam> c(s.m, s.n, s.slack, 5, 3);
                    auto expected = values_of<TypeParam>(c.elements); // what lies between columns stays
                    for (int j = 0; j < s.n; ++j)
                        for (int i = 0; i < s.m; ++i) {
                            double sum = 0;
                            for (int p = 0; p < s.k; ++p)
                                sum += a.op(transa, i, p) * b.op(transb, p, j);
                            double& value = expected[c.at(i, j)];
                            value = TypeParam::rounded(alpha * sum + (beta == 0 ? 0 : beta * value));
                            if (beta == 0)
                                c.elements[c.at(i, j)] = TypeParam::encoded(std::nan("")); // must not be read
                        }
                    const device_array<T> a_array(a.elements), b_array(b.elements), c_array(c.elements);
                    NIN_CUBLAS_CHECK(cublasGemmEx(
                        this->handle_, transa, transb, s.m, s.n, s.k, &alpha, pointer(a_array),
                        cuda_type_of<TypeParam>(), a.ld, pointer(b_array), cuda_type_of<TypeParam>(), b.ld, &beta,
                        pointer(c_array), cuda_type_of<TypeParam>(), c.ld, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
                    ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(c_array.download(), expected))
                        << "m " << s.m << " n " << s.n << " k " << s.k << " transa " << transa << " transb " << transb
                        << " alpha " << alpha << " beta " << beta;
                    EXPECT_EQ(a.elements, a_array.download());
                    EXPECT_EQ(b.elements, b_array.download());
                }
}

TYPED_TEST(cublas_gemm, EmptySum_LeavesBetaTimesC)
{
    using T = typename TypeParam::storage;
    const auto old = small_integers<TypeParam>(6, 9, 1);
    for (const float beta : {0.0f, 3.0f}) {
        std::vector<double> expected;
        for (const auto element : old)
            expected.push_back(beta == 0 ? 0 : beta * TypeParam::value(element));
        const device_array<T> c(beta == 0 ? std::vector<T>(6, TypeParam::encoded(std::nan(""))) : old);
        const float one = 1;
        NIN_CUBLAS_CHECK(cublasGemmEx(this->handle_, CUBLAS_OP_N, CUBLAS_OP_N, 2, 3, 0, &one, nullptr,
                                      cuda_type_of<TypeParam>(), 2, nullptr, cuda_type_of<TypeParam>(), 1, &beta,
                                      pointer(c), cuda_type_of<TypeParam>(), 2, CUBLAS_COMPUTE_32F,
                                      CUBLAS_GEMM_DEFAULT));
        ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(c.download(), expected));
    }
}

class cublas_rules : public cublas_test
{
};

TEST_F(cublas_rules, SixteenBitOperands_FloatResult)
{
    const column_major<bf16_type> a(4, 3, 0, 9, 1), b(3, 5, 0, 9, 2);
    std::vector<double> expected(20);
    for (int j = 0; j < 5; ++j)
        for (int i = 0; i < 4; ++i)
            for (int p = 0; p < 3; ++p)
                expected[j * 4 + i] += a.op(CUBLAS_OP_N, i, p) * b.op(CUBLAS_OP_N, p, j);
    const device_array<uint16_t> a_array(a.elements), b_array(b.elements);
    const device_array<float> c(20);
    const float one = 1, zero = 0;
    NIN_CUBLAS_CHECK(cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 4, 5, 3, &one, pointer(a_array), CUDA_R_16BF, 4,
                                  pointer(b_array), CUDA_R_16BF, 3, &zero, pointer(c), CUDA_R_32F, 4,
                                  CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
    expect_elements<f32_type>(c.download(), expected);
}

// What the filter gradient of a 1x1 convolution is: many rows, few columns on both sides.
TEST_F(cublas_rules, SixteenBitOperands_LongSums)
{
    for (const int k : {64, 300, 1001}) {
        const column_major<bf16_type> a(7, k, 0, 9, 1), b(5, k, 0, 9, 2);
        std::vector<double> expected(35);
        for (int j = 0; j < 5; ++j)
            for (int i = 0; i < 7; ++i)
                for (int p = 0; p < k; ++p)
                    expected[j * 7 + i] += a.op(CUBLAS_OP_N, i, p) * b.op(CUBLAS_OP_T, p, j);
        const device_array<uint16_t> a_array(a.elements), b_array(b.elements);
        const device_array<float> c(35);
        const float one = 1, zero = 0;
        NIN_CUBLAS_CHECK(cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_T, 7, 5, k, &one, pointer(a_array), CUDA_R_16BF,
                                      7, pointer(b_array), CUDA_R_16BF, 5, &zero, pointer(c), CUDA_R_32F, 7,
                                      CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT));
        ASSERT_NO_FATAL_FAILURE(expect_elements<f32_type>(c.download(), expected));
    }
}

TEST_F(cublas_rules, Sgemm_RefusesWhatCublasRefuses)
{
    const device_array<float> x(64);
    const float one = 1, zero = 0;
    const auto sgemm = [&](cublasOperation_t transa, int m, int n, int k, int lda, int ldb, int ldc,
                           const float* alpha) {
        return cublasSgemm_v2(handle_, transa, CUBLAS_OP_N, m, n, k, alpha, pointer(x), lda, pointer(x), ldb, &zero,
                              pointer(x, 32), ldc);
    };
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, sgemm(CUBLAS_OP_N, 2, 3, 4, 2, 4, 2, &one));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, sgemm(CUBLAS_OP_N, 2, -3, 4, 2, 4, 2, &one));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, sgemm(CUBLAS_OP_N, 2, 3, 4, 1, 4, 2, &one));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, sgemm(CUBLAS_OP_T, 2, 3, 4, 2, 4, 2, &one)); // A is stored 4 x 2
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, sgemm(CUBLAS_OP_N, 2, 3, 4, 2, 3, 2, &one));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, sgemm(CUBLAS_OP_N, 2, 3, 4, 2, 4, 1, &one));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, sgemm(CUBLAS_OP_N, 2, 3, 4, 2, 4, 2, nullptr));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, sgemm(static_cast<cublasOperation_t>(5), 2, 3, 4, 2, 4, 2, &one));
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, sgemm(CUBLAS_OP_N, 0, 3, 4, 1, 4, 1, &one));
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, cublasSgemm_v2(nullptr, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one,
                                                            pointer(x), 1, pointer(x), 1, &zero, pointer(x), 1));
}

TEST_F(cublas_rules, GemmEx_UnsupportedTypes_AreRefused)
{
    const device_array<float> x(64);
    const float one = 1, zero = 0;
    const auto gemm = [&](cudaDataType a, cudaDataType b, cudaDataType c, cublasComputeType_t compute) {
        return cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, pointer(x), a, 2, pointer(x), b, 2, &zero,
                            pointer(x, 32), c, 2, compute, CUBLAS_GEMM_DEFAULT);
    };
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, gemm(CUDA_R_16F, CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, gemm(CUDA_R_32F, CUDA_R_32F, CUDA_R_16F, CUBLAS_COMPUTE_32F));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, gemm(CUDA_R_64F, CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, gemm(CUDA_R_16F, CUDA_R_16F, CUDA_R_16F, CUBLAS_COMPUTE_16F));
}

TEST_F(cublas_rules, Handle_KeepsModesAndChecksTheWorkspace)
{
    cublasMath_t mode;
    NIN_CUBLAS_CHECK(cublasSetMathMode(handle_, CUBLAS_TF32_TENSOR_OP_MATH));
    NIN_CUBLAS_CHECK(cublasGetMathMode(handle_, &mode));
    EXPECT_EQ(CUBLAS_TF32_TENSOR_OP_MATH, mode);
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, cublasSetPointerMode_v2(handle_, CUBLAS_POINTER_MODE_DEVICE));
    int version = 0;
    NIN_CUBLAS_CHECK(cublasGetVersion_v2(nullptr, &version));
    EXPECT_EQ(12, version / 10000);
    const device_array<uint8_t> workspace(1 << 16);
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, cublasSetWorkspace_v2(handle_, pointer(workspace, 64), 1024));
    NIN_CUBLAS_CHECK(cublasSetWorkspace_v2(handle_, pointer(workspace), 1 << 16));
    EXPECT_STREQ("CUBLAS_STATUS_INVALID_VALUE", cublasGetStatusName(CUBLAS_STATUS_INVALID_VALUE));
}

} // namespace
} // namespace nin::tests
