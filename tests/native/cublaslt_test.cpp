// Matrix products with epilogues through cuBLASLt against plain loops, exactly: operands are small whole numbers.
#include "cublas_test.h"
#include "host/abi/cublaslt.h"

namespace nin::tests
{
namespace
{

class cublaslt_test : public kernel_test
{
  protected:
    void SetUp() override
    {
        kernel_test::SetUp();
        NIN_CUBLAS_CHECK(cublasLtCreate(&handle_));
        NIN_CUBLAS_CHECK(cublasLtMatmulDescCreate(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F));
    }

    void TearDown() override
    {
        for (const auto layout : layouts_)
            NIN_CUBLAS_CHECK(cublasLtMatrixLayoutDestroy(layout));
        NIN_CUBLAS_CHECK(cublasLtMatmulDescDestroy(desc_));
        NIN_CUBLAS_CHECK(cublasLtDestroy(handle_));
        kernel_test::TearDown();
    }

    template <typename T> void set(cublasLtMatmulDescAttributes_t attr, T value)
    {
        NIN_CUBLAS_CHECK(cublasLtMatmulDescSetAttribute(desc_, attr, &value, sizeof(value)));
    }

    cublasLtMatrixLayout_t layout(cudaDataType_t type, int rows, int columns, int ld)
    {
        cublasLtMatrixLayout_t result = nullptr;
        if (cublasLtMatrixLayoutCreate(&result, type, rows, columns, ld) != CUBLAS_STATUS_SUCCESS)
            throw std::runtime_error("a matrix layout could not be created");
        layouts_.push_back(result);
        return result;
    }

    template <typename Type> cublasLtMatrixLayout_t layout(const column_major<Type>& m)
    {
        return layout(cuda_type_of<Type>(), m.rows, m.columns, m.ld);
    }

    cublasLtHandle_t handle_ = nullptr;
    cublasLtMatmulDesc_t desc_ = nullptr;
    std::vector<cublasLtMatrixLayout_t> layouts_;
};

template <typename Type> class cublaslt_matmul : public cublaslt_test
{
  protected:
    using T = typename Type::storage;

    struct shape {
        int m, n, k, slack;
    };

    // D = epilogue(alpha * op(A) * op(B) + beta * C), and the vectors and masks that go with it.
    void expect_epilogue(const shape& s, cublasLtEpilogue_t epilogue, cublasOperation_t transa,
                         cublasOperation_t transb, float alpha, float beta)
    {
        const column_major<Type> a(transa == CUBLAS_OP_N ? s.m : s.k, transa == CUBLAS_OP_N ? s.k : s.m, s.slack, 2, 1);
        const column_major<Type> b(transb == CUBLAS_OP_N ? s.k : s.n, transb == CUBLAS_OP_N ? s.n : s.k, s.slack, 2, 2);
        const column_major<Type> c(s.m, s.n, s.slack, 5, 3), d(s.m, s.n, s.slack + 1, 5, 4);
        const bool bias = epilogue == CUBLASLT_EPILOGUE_BIAS || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS ||
                          epilogue == CUBLASLT_EPILOGUE_RELU_AUX_BIAS;
        const bool stores_mask = epilogue == CUBLASLT_EPILOGUE_RELU_AUX || epilogue == CUBLASLT_EPILOGUE_RELU_AUX_BIAS;
        const bool applies_mask = epilogue == CUBLASLT_EPILOGUE_DRELU || epilogue == CUBLASLT_EPILOGUE_DRELU_BGRAD;
        const bool relu = stores_mask || epilogue == CUBLASLT_EPILOGUE_RELU || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS;
        const bool gradient = epilogue == CUBLASLT_EPILOGUE_DRELU_BGRAD || epilogue == CUBLASLT_EPILOGUE_BGRADA ||
                              epilogue == CUBLASLT_EPILOGUE_BGRADB;
        const auto vector = small_integers<Type>(epilogue == CUBLASLT_EPILOGUE_BGRADB ? s.n : s.m, 9, 5);
        const int64_t aux_ld = (s.m + 127) / 128 * 128 + 128; // bits
        std::vector<uint8_t> mask(static_cast<size_t>(aux_ld / 8) * s.n);
        std::mt19937 generator(6);
        for (auto& byte : mask)
            byte = static_cast<uint8_t>(generator());

        auto expected = values_of<Type>(d.elements); // what lies between columns stays
        auto expected_vector = values_of<Type>(vector);
        auto expected_mask = mask;
        if (gradient)
            std::fill(expected_vector.begin(), expected_vector.end(), 0);
        for (int j = 0; j < s.n; ++j)
            for (int i = 0; i < s.m; ++i) {
                double value = beta == 0 ? 0 : beta * Type::value(c.elements[c.at(i, j)]);
                for (int p = 0; p < s.k; ++p)
                    value += alpha * a.op(transa, i, p) * b.op(transb, p, j);
                if (bias)
                    value += Type::value(vector[i]);
                uint8_t& byte = expected_mask[static_cast<size_t>(j) * (aux_ld / 8) + i / 8];
                const auto bit = static_cast<uint8_t>(1 << (i % 8));
                if (stores_mask)
                    byte = static_cast<uint8_t>(value >= 0 ? byte | bit : byte & ~bit);
                if (applies_mask && (byte & bit) == 0)
                    value = 0;
                if (relu && !(value > 0))
                    value = 0;
                expected[d.at(i, j)] = Type::rounded(value);
                if (epilogue == CUBLASLT_EPILOGUE_DRELU_BGRAD)
                    expected_vector[i] += value;
            }
        if (epilogue == CUBLASLT_EPILOGUE_BGRADA)
            for (int i = 0; i < s.m; ++i)
                for (int p = 0; p < s.k; ++p)
                    expected_vector[i] += a.op(transa, i, p);
        if (epilogue == CUBLASLT_EPILOGUE_BGRADB)
            for (int j = 0; j < s.n; ++j)
                for (int p = 0; p < s.k; ++p)
                    expected_vector[j] += b.op(transb, p, j);
        for (auto& value : expected_vector)
            value = Type::rounded(value);

        const device_array<T> a_array(a.elements), b_array(b.elements), c_array(c.elements), d_array(d.elements);
        const device_array<T> vector_array(vector);
        const device_array<uint8_t> mask_array(mask);
        this->set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
        this->set(CUBLASLT_MATMUL_DESC_TRANSA, transa);
        this->set(CUBLASLT_MATMUL_DESC_TRANSB, transb);
        this->set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, pointer(vector_array));
        this->set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, pointer(mask_array));
        this->set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, aux_ld);
        NIN_CUBLAS_CHECK(cublasLtMatmul(this->handle_, this->desc_, &alpha, pointer(a_array), this->layout(a),
                                        pointer(b_array), this->layout(b), &beta, pointer(c_array), this->layout(c),
                                        pointer(d_array), this->layout(d), nullptr, nullptr, 0, nullptr));
        SCOPED_TRACE(testing::Message() << "epilogue " << epilogue << " m " << s.m << " n " << s.n << " k " << s.k
                                        << " transa " << transa << " transb " << transb << " alpha " << alpha
                                        << " beta " << beta);
        ASSERT_NO_FATAL_FAILURE(expect_elements<Type>(d_array.download(), expected));
        ASSERT_NO_FATAL_FAILURE(expect_elements<Type>(vector_array.download(), expected_vector));
        ASSERT_EQ(expected_mask, mask_array.download());
        EXPECT_EQ(c.elements, c_array.download());
    }
};
TYPED_TEST_SUITE(cublaslt_matmul, element_types);

TYPED_TEST(cublaslt_matmul, EveryEpilogue_EqualsPlainLoops)
{
    using shape = typename cublaslt_matmul<TypeParam>::shape;
    // The last shapes are longer than one block of rows of the epilogue pass, and sum over more than they hold.
    for (const auto& s : {shape{5, 3, 7, 0},
                          {1, 1, 1, 0},
                          {19, 40, 12, 3},
                          {96, 33, 16, 0},
                          {3, 5000, 8, 2},
                          {10, 4100, 10, 0},
                          {6, 9, 700, 0}})
        for (const auto epilogue :
             {CUBLASLT_EPILOGUE_DEFAULT, CUBLASLT_EPILOGUE_RELU, CUBLASLT_EPILOGUE_BIAS, CUBLASLT_EPILOGUE_RELU_BIAS,
              CUBLASLT_EPILOGUE_RELU_AUX, CUBLASLT_EPILOGUE_RELU_AUX_BIAS, CUBLASLT_EPILOGUE_DRELU,
              CUBLASLT_EPILOGUE_DRELU_BGRAD, CUBLASLT_EPILOGUE_BGRADA, CUBLASLT_EPILOGUE_BGRADB})
            for (const auto transa : {CUBLAS_OP_N, CUBLAS_OP_T})
                for (const auto transb : {CUBLAS_OP_N, CUBLAS_OP_T})
                    for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {2.0f, 1.0f}}) {
                        if ((epilogue == CUBLASLT_EPILOGUE_BGRADA && transa == CUBLAS_OP_T) ||
                            (epilogue == CUBLASLT_EPILOGUE_BGRADB && transb == CUBLAS_OP_N))
                            continue; // refused, see below
                        ASSERT_NO_FATAL_FAILURE(this->expect_epilogue(s, epilogue, transa, transb, alpha, beta));
                    }
}

TYPED_TEST(cublaslt_matmul, RowMajorLayouts_EqualTheirTransposes)
{
    using T = typename TypeParam::storage;
    constexpr int m = 7, n = 5, k = 11;
    for (const auto a_order : {CUBLASLT_ORDER_COL, CUBLASLT_ORDER_ROW})
        for (const auto b_order : {CUBLASLT_ORDER_COL, CUBLASLT_ORDER_ROW})
            for (const auto d_order : {CUBLASLT_ORDER_COL, CUBLASLT_ORDER_ROW}) {
                const auto a = small_integers<TypeParam>(m * k, 3, 1), b = small_integers<TypeParam>(k * n, 3, 2);
                const auto at = [](cublasLtOrder_t order, int rows, int columns, int i, int j) {
                    return order == CUBLASLT_ORDER_COL ? j * rows + i : i * columns + j;
                };
                std::vector<double> expected(m * n);
                for (int i = 0; i < m; ++i)
                    for (int j = 0; j < n; ++j) {
                        double& value = expected[at(d_order, m, n, i, j)];
                        for (int p = 0; p < k; ++p)
                            value += TypeParam::value(a[at(a_order, m, k, i, p)]) *
                                     TypeParam::value(b[at(b_order, k, n, p, j)]);
                        value = TypeParam::rounded(std::max(value, 0.0));
                    }
                const auto ordered = [&](cublasLtOrder_t order, int rows, int columns) {
                    const auto layout = this->layout(cuda_type_of<TypeParam>(), rows, columns,
                                                     order == CUBLASLT_ORDER_COL ? rows : columns);
                    EXPECT_EQ(CUBLAS_STATUS_SUCCESS,
                              cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_ORDER, &order, 4));
                    return layout;
                };
                const device_array<T> a_array(a), b_array(b), d(m * n);
                const float one = 1, zero = 0;
                this->set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU);
                const auto d_layout = ordered(d_order, m, n);
                NIN_CUBLAS_CHECK(cublasLtMatmul(this->handle_, this->desc_, &one, pointer(a_array),
                                                ordered(a_order, m, k), pointer(b_array), ordered(b_order, k, n), &zero,
                                                pointer(d), d_layout, pointer(d), d_layout, nullptr, nullptr, 0,
                                                nullptr));
                ASSERT_NO_FATAL_FAILURE(expect_elements<TypeParam>(d.download(), expected));
            }
}

class cublaslt_rules : public cublaslt_test
{
  protected:
    // D (4 x 6) = A (4 x 8) * B (8 x 6) in float, with what the descriptor says.
    cublasStatus_t run(const cublasLtMatmulAlgo_t* algo = nullptr)
    {
        const auto a = layout(CUDA_R_32F, 4, 8, 4), b = layout(CUDA_R_32F, 8, 6, 8), d = layout(CUDA_R_32F, 4, 6, 4);
        const float one = 1, zero = 0;
        return cublasLtMatmul(handle_, desc_, &one, pointer(x_), a, pointer(x_), b, &zero, pointer(y_), d, pointer(y_),
                              d, algo, nullptr, 0, nullptr);
    }

    const device_array<float>& x() const { return x_; }

  private:
    struct context_first : kernel_test {
        // Members are made before SetUp runs, and device memory needs a context.
        context_first() { kernel_test::SetUp(); }
        ~context_first() override { kernel_test::TearDown(); }
        void TestBody() override {}
    } context_;
    device_array<float> x_{64}, y_{64};
};

TEST_F(cublaslt_rules, Attributes_NeedTheirExactSize)
{
    const int64_t wide = 0;
    const uint32_t epilogue = CUBLASLT_EPILOGUE_RELU;
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE,
              cublasLtMatmulDescSetAttribute(desc_, CUBLASLT_MATMUL_DESC_EPILOGUE, &wide, 8));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE,
              cublasLtMatmulDescSetAttribute(desc_, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &wide, 4));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE,
              cublasLtMatmulDescSetAttribute(desc_, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &wide, 4));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE,
              cublasLtMatmulDescSetAttribute(desc_, static_cast<cublasLtMatmulDescAttributes_t>(99), &wide, 8));
    NIN_CUBLAS_CHECK(cublasLtMatmulDescSetAttribute(desc_, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, 4));
    uint32_t read = 0;
    size_t written = 0;
    NIN_CUBLAS_CHECK(cublasLtMatmulDescGetAttribute(desc_, CUBLASLT_MATMUL_DESC_EPILOGUE, &read, 4, &written));
    EXPECT_EQ(epilogue, read);
    EXPECT_EQ(4u, written);
    NIN_CUBLAS_CHECK(cublasLtMatmulDescGetAttribute(desc_, CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, nullptr, 0, &written));
    EXPECT_EQ(8u, written);
}

TEST_F(cublaslt_rules, Preference_DefaultsToNoWorkspace)
{
    cublasLtMatmulPreference_t preference = nullptr;
    NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceCreate(&preference));
    uint64_t bytes = 1;
    size_t written = 0;
    NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceGetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                                                          8, &written));
    EXPECT_EQ(0u, bytes);
    NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceDestroy(preference));
}

TEST_F(cublaslt_rules, Heuristic_GivesAnAlgorithmThatRuns)
{
    cublasLtMatmulPreference_t preference = nullptr;
    NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceCreate(&preference));
    const auto a = layout(CUDA_R_32F, 4, 8, 4), b = layout(CUDA_R_32F, 8, 6, 8), d = layout(CUDA_R_32F, 4, 6, 4);
    cublasLtMatmulHeuristicResult_t results[3];
    int count = -1;
    NIN_CUBLAS_CHECK(cublasLtMatmulAlgoGetHeuristic(handle_, desc_, a, b, d, d, preference, 3, results, &count));
    ASSERT_EQ(1, count);
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, results[0].state);
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run(&results[0].algo));
    const cublasLtMatmulAlgo_t foreign{};
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run(&foreign));
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_GELU);
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED,
              cublasLtMatmulAlgoGetHeuristic(handle_, desc_, a, b, d, d, preference, 3, results, &count));
    EXPECT_EQ(0, count);
    NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceDestroy(preference));
}

TEST_F(cublaslt_rules, Epilogue_MissingPointers_AreRefused)
{
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, int64_t{128});
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run());
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU_AUX);
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DRELU);
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run());
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BGRADA);
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run());
}

TEST_F(cublaslt_rules, AuxLeadingDimension_IsAMultipleOf128AndCoversTheRows)
{
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU_AUX);
    set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, pointer(x()));
    for (const auto& [ld, status] : {std::pair{int64_t{0}, CUBLAS_STATUS_INVALID_VALUE},
                                     {64, CUBLAS_STATUS_INVALID_VALUE},
                                     {130, CUBLAS_STATUS_INVALID_VALUE},
                                     {128, CUBLAS_STATUS_SUCCESS}}) {
        set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, ld);
        EXPECT_EQ(status, run()) << ld;
    }
}

TEST_F(cublaslt_rules, BiasGradients_NeedTheRightTransposition)
{
    set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, pointer(x()));
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BGRADB);
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BGRADA);
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run());
}

TEST_F(cublaslt_rules, DimensionsThatDoNotFit_AreRefused)
{
    const auto a = layout(CUDA_R_32F, 4, 8, 4), b = layout(CUDA_R_32F, 7, 6, 7), d = layout(CUDA_R_32F, 4, 6, 4);
    const auto narrow = layout(CUDA_R_32F, 4, 8, 3);
    const float one = 1, zero = 0;
    const auto multiply = [&](cublasLtMatrixLayout_t a_layout, cublasLtMatrixLayout_t b_layout) {
        return cublasLtMatmul(handle_, desc_, &one, pointer(x()), a_layout, pointer(x()), b_layout, &zero,
                              pointer(x(), 32), d, pointer(x(), 32), d, nullptr, nullptr, 0, nullptr);
    };
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, multiply(a, b));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, multiply(narrow, layout(CUDA_R_32F, 8, 6, 8)));
}

} // namespace
} // namespace nin::tests
