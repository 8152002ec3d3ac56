// What cuBLAS and cuBLASLt forbid, rule by rule, beyond what cublas_test.cpp and cublaslt_test.cpp check beside their
// results. docs/host-provider.md lists the rules with these tests.
#include "cublas_test.h"
#include "driver_test.h"
#include "host/abi/cublaslt.h"

namespace nin::tests
{
namespace
{

class cublas_strictness : public cublas_test
{
  protected:
    // C (4 x 6) = A (4 x 8) * B (8 x 6), packed.
    cublasStatus_t gemm(const void* a, const void* b, void* c, int lda = 4)
    {
        const float one = 1, zero = 0;
        return cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 4, 6, 8, &one, a, CUDA_R_32F, lda, b, CUDA_R_32F, 8,
                            &zero, c, CUDA_R_32F, 4, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    }

    static float* allocate(size_t count)
    {
        CUdeviceptr address = 0;
        EXPECT_OK(cuMemAlloc_v2(&address, count * sizeof(float)));
        return reinterpret_cast<float*>(address);
    }

    static void release(const void* pointer) { EXPECT_OK(cuMemFree_v2(reinterpret_cast<CUdeviceptr>(pointer))); }
};

TEST_F(cublas_strictness, Gemm_NullOrMisalignedPointers_AreRefused)
{
    const device_array<float> a(32), b(48), c(24);
    const auto shifted = [](const device_array<float>& array) { return reinterpret_cast<char*>(pointer(array)) + 2; };
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, gemm(nullptr, pointer(b), pointer(c)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, gemm(pointer(a), nullptr, pointer(c)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, gemm(pointer(a), pointer(b), nullptr));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, gemm(shifted(a), pointer(b), pointer(c)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, gemm(pointer(a), pointer(b), shifted(c)));
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm(pointer(a), pointer(b), pointer(c)));
}

TEST_F(cublas_strictness, Gemm_UnknownAlgorithmsAndModes_AreRefused)
{
    const device_array<float> x(64);
    const float one = 1, zero = 0;
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE,
              cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, pointer(x), CUDA_R_32F, 2, pointer(x),
                           CUDA_R_32F, 2, &zero, pointer(x, 32), CUDA_R_32F, 2, CUBLAS_COMPUTE_32F,
                           static_cast<cublasGemmAlgo_t>(50)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, cublasSetMathMode(handle_, static_cast<cublasMath_t>(7)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, cublasSetPointerMode_v2(handle_, static_cast<cublasPointerMode_t>(2)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, cublasCreate_v2(nullptr));
}

TEST_F(cublas_strictness, Handle_Destroyed_IsNotInitialized)
{
    const device_array<float> a(32), b(48), c(24);
    NIN_CUBLAS_CHECK(cublasDestroy_v2(handle_));
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, gemm(pointer(a), pointer(b), pointer(c)));
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, cublasSetStream_v2(handle_, nullptr));
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, cublasDestroy_v2(handle_));
    NIN_CUBLAS_CHECK(cublasCreate_v2(&handle_));
}

TEST_F(cublas_strictness, Call_WithoutCurrentContext_IsRefused)
{
    const device_array<float> a(32), b(48), c(24);
    CUcontext context = nullptr;
    cublasHandle_t handle = nullptr;
    cublasLtHandle_t light = nullptr;
    NIN_CHECK(cuCtxGetCurrent(&context));
    NIN_CHECK(cuCtxSetCurrent(nullptr));
    EXPECT_EQ(CUBLAS_STATUS_EXECUTION_FAILED, gemm(pointer(a), pointer(b), pointer(c)));
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, cublasCreate_v2(&handle));
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, cublasLtCreate(&light));
    NIN_CHECK(cuCtxSetCurrent(context));
}

TEST_F(cublas_strictness, Capture_RecordsProducts_RefusesHandles)
{
    const device_array<float> a(std::vector<float>(32, 1)), b(std::vector<float>(48, 2)), c(24);
    CUstream stream = nullptr;
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    NIN_CHECK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    NIN_CUBLAS_CHECK(cublasSetStream_v2(handle_, stream));
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    NIN_CUBLAS_CHECK(gemm(pointer(a), pointer(b), pointer(c)));
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    expect_elements<f32_type>(c.download(), std::vector<double>(24, 16));

    cublasHandle_t handle = nullptr;
    cublasLtHandle_t light = nullptr;
    for (const bool is_light : {false, true}) {
        ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
        EXPECT_EQ(CUBLAS_STATUS_ALLOC_FAILED, is_light ? cublasLtCreate(&light) : cublasCreate_v2(&handle));
        EXPECT_EQ(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, cuStreamEndCapture(stream, &graph));
    }
}

TEST_F(cublas_strictness, LeadingDimension_BeyondTheAllocation_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        float* const a = allocate(32);
        const device_array<float> b(48), c(24);
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm(a, pointer(b), pointer(c), 5)); // the last column ends at element 39
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
        EXPECT_EQ(CUBLAS_STATUS_EXECUTION_FAILED, gemm(a, pointer(b), pointer(c)));
    });
}

TEST_F(cublas_strictness, Operand_Freed_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const device_array<float> a(32), b(48);
        float* const c = allocate(24);
        release(c);
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm(pointer(a), pointer(b), c));
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
    });
}

TEST_F(cublas_strictness, Workspace_FreedWhileSet_IsIllegalAddress)
{
    EXPECT_IN_OWN_PROCESS({
        const device_array<float> a(32), b(48), c(24);
        float* const workspace = allocate(1 << 14);
        NIN_CUBLAS_CHECK(cublasSetWorkspace_v2(handle_, workspace, 1 << 16));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm(pointer(a), pointer(b), pointer(c)));
        EXPECT_OK(cuCtxSynchronize());
        release(workspace);
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm(pointer(a), pointer(b), pointer(c)));
        EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
    });
}

TEST_F(cublas_strictness, Workspace_IsResetBySetStream)
{
    const device_array<float> a(32), b(48), c(24);
    float* const workspace = allocate(1 << 14);
    NIN_CUBLAS_CHECK(cublasSetWorkspace_v2(handle_, workspace, 1 << 16));
    NIN_CUBLAS_CHECK(cublasSetStream_v2(handle_, nullptr));
    release(workspace); // no longer the handle's, so products run on without it
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm(pointer(a), pointer(b), pointer(c)));
    EXPECT_OK(cuCtxSynchronize());
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, cublasSetWorkspace_v2(handle_, nullptr, 256));
}

// ---- cuBLASLt

class cublaslt_strictness : public kernel_test
{
  protected:
    void SetUp() override
    {
        kernel_test::SetUp();
        NIN_CUBLAS_CHECK(cublasLtCreate(&handle_));
        NIN_CUBLAS_CHECK(cublasLtMatmulDescCreate(&desc_, CUBLAS_COMPUTE_32F, CUDA_R_32F));
        NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceCreate(&preference_));
        use(CUDA_R_32F);
        memory_ = allocate(1 << 12);
    }

    void TearDown() override
    {
        NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceDestroy(preference_));
        NIN_CUBLAS_CHECK(cublasLtMatmulDescDestroy(desc_));
        NIN_CUBLAS_CHECK(cublasLtDestroy(handle_));
        kernel_test::TearDown();
    }

    static char* allocate(size_t bytes)
    {
        CUdeviceptr address = 0;
        NIN_CHECK(cuMemAlloc_v2(&address, bytes));
        return reinterpret_cast<char*>(address);
    }

    static cublasLtMatrixLayout_t layout(cudaDataType_t type, uint64_t rows, uint64_t columns, int64_t ld)
    {
        cublasLtMatrixLayout_t result = nullptr;
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasLtMatrixLayoutCreate(&result, type, rows, columns, ld));
        return result;
    }

    // D (4 x 6) = A (4 x 8) * B (8 x 6) of that type, packed.
    void use(cudaDataType_t type)
    {
        a_ = layout(type, 4, 8, 4);
        b_ = layout(type, 8, 6, 8);
        c_ = d_ = layout(type, 4, 6, 4);
    }

    template <typename T> cublasStatus_t set(cublasLtMatmulDescAttributes_t attr, T value)
    {
        return cublasLtMatmulDescSetAttribute(desc_, attr, &value, sizeof(value));
    }

    template <typename T> static void set(cublasLtMatrixLayout_t layout, cublasLtMatrixLayoutAttribute_t attr, T value)
    {
        NIN_CUBLAS_CHECK(cublasLtMatrixLayoutSetAttribute(layout, attr, &value, sizeof(value)));
    }

    cublasStatus_t run(const cublasLtMatmulAlgo_t* algo = nullptr, size_t a_offset = 0, void* workspace = nullptr,
                       size_t workspace_bytes = 0)
    {
        const float one = 1, zero = 0;
        return cublasLtMatmul(handle_, desc_, &one, memory_ + a_offset, a_, memory_ + 1024, b_, &zero, memory_ + 2048,
                              c_, memory_ + 2048, d_, algo, workspace, workspace_bytes, nullptr);
    }

    cublasStatus_t ask(cublasLtMatmulHeuristicResult_t* result, int requested = 1)
    {
        int count = 0;
        return cublasLtMatmulAlgoGetHeuristic(handle_, desc_, a_, b_, c_, d_, preference_, requested, result, &count);
    }

    cublasLtHandle_t handle_ = nullptr;
    cublasLtMatmulDesc_t desc_ = nullptr;
    cublasLtMatmulPreference_t preference_ = nullptr;
    cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr, d_ = nullptr;
    char* memory_ = nullptr; // A at 0, B at 1024, D at 2048
};

TEST_F(cublaslt_strictness, Layouts_OrdersBatchesAndSizes)
{
    ASSERT_EQ(CUBLAS_STATUS_SUCCESS, run());
    const auto with = [&](cublasLtMatrixLayout_t layout) {
        a_ = layout;
        return run();
    };
    auto other = layout(CUDA_R_32F, 4, 8, 4);
    set(other, CUBLASLT_MATRIX_LAYOUT_ORDER, CUBLASLT_ORDER_COL32);
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, with(other));
    other = layout(CUDA_R_32F, 4, 8, 4);
    set(other, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, int32_t{2});
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, with(other));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, with(layout(CUDA_R_32F, 4, 8, 3)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, with(layout(CUDA_R_32F, 4, 9, 4)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, with(nullptr));
    // 2^31 x 2^31 floats are 0 bytes in 64 bits.
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, with(layout(CUDA_R_32F, uint64_t{1} << 31, 8, int64_t{1} << 31)));
    other = layout(CUDA_R_32F, 4, 8, 4);
    NIN_CUBLAS_CHECK(cublasLtMatrixLayoutDestroy(other));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, with(other));
}

TEST_F(cublaslt_strictness, Types_OfOperandsScaleAndAccumulation)
{
    a_ = layout(CUDA_R_16F, 4, 8, 4);
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run()); // A half, B float
    use(CUDA_R_64F);
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    use(CUDA_R_32F);
    d_ = layout(CUDA_R_16F, 4, 6, 4);
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run()); // C float, D half
    use(CUDA_R_32F);
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, CUBLAS_COMPUTE_16F));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_COMPUTE_TYPE, CUBLAS_COMPUTE_32F));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_SCALE_TYPE, CUDA_R_16F));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
}

TEST_F(cublaslt_strictness, Description_TransposedCAndEightBitAttributes_AreNotSupported)
{
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_TRANSC, CUBLAS_OP_T));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_TRANSC, CUBLAS_OP_N));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, memory_));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    NIN_CUBLAS_CHECK(set<void*>(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, nullptr));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_FILL_MODE, int32_t{0}));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_FILL_MODE, int32_t{2}));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_POINTER_MODE, CUBLASLT_POINTER_MODE_DEVICE));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
}

TEST_F(cublaslt_strictness, Bias_OtherTypeOrMisaligned_IsRefused)
{
    use(CUDA_R_16BF);
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU_BIAS));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, memory_ + 3072));
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run());
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_32F));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE, CUDA_R_16BF));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, memory_ + 3073));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run());
}

TEST_F(cublaslt_strictness, Epilogue_WithRowMajorResult_IsNotSupported)
{
    set(c_, CUBLASLT_MATRIX_LAYOUT_ORDER, CUBLASLT_ORDER_ROW);
    set(c_, CUBLASLT_MATRIX_LAYOUT_LD, int64_t{6});
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run());
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, memory_));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, run());
}

TEST_F(cublaslt_strictness, AuxOfDrelu_LeadingDimension_IsChecked)
{
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DRELU));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, memory_ + 3072));
    for (const auto& [ld, status] : {std::pair{int64_t{4}, CUBLAS_STATUS_INVALID_VALUE},
                                     {-128, CUBLAS_STATUS_INVALID_VALUE},
                                     {128, CUBLAS_STATUS_SUCCESS}}) {
        NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, ld));
        EXPECT_EQ(status, run()) << ld;
    }
}

TEST_F(cublaslt_strictness, Alignment_LessThanThePreferencePromised_IsRefused)
{
    cublasLtMatmulHeuristicResult_t result;
    use(CUDA_R_16F);
    NIN_CUBLAS_CHECK(ask(&result)); // 256 bytes by default
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run(&result.algo));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run(&result.algo, 16));
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run(nullptr, 16)); // the library looks at the pointers itself
    const uint32_t alignment = 16, no_power = 24;
    NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceSetAttribute(preference_, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                                                          &alignment, sizeof(alignment)));
    NIN_CUBLAS_CHECK(ask(&result));
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run(&result.algo, 16));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run(&result.algo, 2));
    NIN_CUBLAS_CHECK(cublasLtMatmulPreferenceSetAttribute(preference_, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES,
                                                          &no_power, sizeof(no_power)));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, ask(&result));
}

TEST_F(cublaslt_strictness, Heuristic_RefusesBadRequests)
{
    cublasLtMatmulHeuristicResult_t result;
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, ask(&result, 0));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, ask(nullptr));
    NIN_CUBLAS_CHECK(set(CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<cublasLtEpilogue_t>(3)));
    EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, ask(&result));
}

TEST_F(cublaslt_strictness, Workspace_NullOrMisaligned_IsRefused)
{
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run(nullptr, 0, nullptr, 16));
    EXPECT_EQ(CUBLAS_STATUS_INVALID_VALUE, run(nullptr, 0, memory_ + 3080, 256));
    EXPECT_EQ(CUBLAS_STATUS_SUCCESS, run(nullptr, 0, memory_ + 3072, 256));
}

TEST_F(cublaslt_strictness, Handle_Destroyed_IsNotInitialized)
{
    cublasLtHandle_t other = nullptr;
    NIN_CUBLAS_CHECK(cublasLtCreate(&other));
    NIN_CUBLAS_CHECK(cublasLtDestroy(other));
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, cublasLtDestroy(other));
    std::swap(other, handle_);
    EXPECT_EQ(CUBLAS_STATUS_NOT_INITIALIZED, run());
    std::swap(other, handle_);
}

TEST_F(cublaslt_strictness, VectorsMasksAndWorkspaces_TooShort_AreIllegalAddress)
{
    const auto expect_illegal = [&](const std::function<cublasStatus_t()>& call) {
        EXPECT_IN_OWN_PROCESS({
            EXPECT_EQ(CUBLAS_STATUS_SUCCESS, call());
            EXPECT_EQ(CUDA_ERROR_ILLEGAL_ADDRESS, cuCtxSynchronize());
        });
    };
    expect_illegal([&] {
        set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_BIAS);
        set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, allocate(12)); // four floats
        return run();
    });
    expect_illegal([&] {
        set(CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_RELU_AUX);
        set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, int64_t{128});
        set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, allocate(80)); // the sixth column's bits are byte 80
        return run();
    });
    expect_illegal([&] { return run(nullptr, 0, allocate(255), 256); });
}

} // namespace
} // namespace nin::tests
