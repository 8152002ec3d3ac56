// NIN_HOST_LESSER: each word takes away what it says, in queries and calls alike, and nothing else.
#include "cublas_test.h"
#include "cudnn_convolution_fixture.h"
#include "driver_test.h"
#include "host/abi/cublaslt.h"

#include <dlfcn.h>
#include <functional>

namespace nin::tests
{
namespace
{

constexpr convolution_case k_case{2, 8, 6, 5, 12, 3, 3, 1, 1, 1, 1, 1, 1};

// Runs the statements in a process of its own, on the lesser device.
#define EXPECT_ON_LESSER_DEVICE(words, ...)                                                                            \
    do {                                                                                                               \
        const environment_variable lesser("NIN_HOST_LESSER", words);                                                   \
        EXPECT_IN_OWN_PROCESS(__VA_ARGS__);                                                                            \
    } while (false)

// "01/1/01": the algorithms of each direction that have a workspace size.
template <typename Type> std::string supported_algorithms(cudnnHandle_t handle, cudnnTensorFormat_t format)
{
    const convolution_fixture<Type> f(k_case, format);
    std::string list;
    for (const auto d : {direction::forward, direction::backward_data, direction::backward_filter}) {
        for (int algo = 0; algo < 8; ++algo) {
            size_t bytes = 0;
            const auto status = f.workspace_size(handle, d, algo, &bytes);
            if (status == CUDNN_STATUS_SUCCESS)
                list += std::to_string(algo);
        }
        list += d == direction::backward_filter ? "" : "/";
    }
    return list;
}

class lesser_device_test : public cudnn_test
{
  protected:
    template <typename Type> cudnnStatus_t convolve(cudnnTensorFormat_t format, int algo)
    {
        const convolution_fixture<Type> f(k_case, format);
        const device_array<typename Type::storage> x(f.x_data), w(f.w_data), y(f.y_data);
        const device_array<uint8_t> workspace(1 << 20);
        return f.run(handle_, direction::forward, algo, 1, 0, pointer(x), pointer(w), pointer(y), pointer(workspace),
                     1 << 20);
    }

    template <typename Type> cudnnStatus_t rectify(cudnnTensorFormat_t format)
    {
        const auto shape = tensor_shape::packed(format, {2, 4, 6, 6});
        tensor_descriptor desc;
        set(desc, data_type_of<Type>(), shape);
        const activation_descriptor relu;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS,
                  cudnnSetActivationDescriptor(relu, CUDNN_ACTIVATION_RELU, CUDNN_NOT_PROPAGATE_NAN, 0));
        const device_array<typename Type::storage> x(shape.count()), y(shape.count());
        const float one = 1, zero = 0;
        return cudnnActivationForward(handle_, relu, &one, desc, pointer(x), &zero, desc, pointer(y));
    }

    template <typename Type> cudnnStatus_t pool(cudnnTensorFormat_t format)
    {
        tensor_descriptor x_desc, y_desc;
        set(x_desc, data_type_of<Type>(), tensor_shape::packed(format, {2, 4, 6, 6}));
        set(y_desc, data_type_of<Type>(), tensor_shape::packed(format, {2, 4, 3, 3}));
        const pooling_descriptor window;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS,
                  cudnnSetPooling2dDescriptor(window, CUDNN_POOLING_MAX, CUDNN_NOT_PROPAGATE_NAN, 2, 2, 0, 0, 2, 2));
        const device_array<typename Type::storage> x(288), y(72);
        const float one = 1, zero = 0;
        return cudnnPoolingForward(handle_, window, &one, x_desc, pointer(x), &zero, y_desc, pointer(y));
    }

    // 2 x 2 = 2 x 2 * 2 x 2 of that type.
    template <typename Type> static cublasStatus_t gemm()
    {
        cublasHandle_t handle = nullptr;
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasCreate_v2(&handle));
        const device_array<typename Type::storage> x(16);
        const float one = 1, zero = 0;
        constexpr auto type = cuda_type_of<Type>();
        const auto status =
            cublasGemmEx(handle, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, pointer(x), type, 2, pointer(x), type, 2,
                         &zero, pointer(x, 8), type, 2, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasDestroy_v2(handle));
        return status;
    }

    static cublasStatus_t heuristic(cublasLtEpilogue_t epilogue, cudaDataType_t type = CUDA_R_32F)
    {
        cublasLtHandle_t handle = nullptr;
        cublasLtMatmulDesc_t desc = nullptr;
        cublasLtMatrixLayout_t layout = nullptr;
        cublasLtMatmulPreference_t preference = nullptr;
        cublasLtMatmulHeuristicResult_t result;
        int count = -1;
        const void* bias = reinterpret_cast<const void*>(256); // looked at, not read
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasLtCreate(&handle));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasLtMatmulDescCreate(&desc, CUBLAS_COMPUTE_32F, CUDA_R_32F));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasLtMatrixLayoutCreate(&layout, type, 2, 2, 2));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, cublasLtMatmulPreferenceCreate(&preference));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS,
                  cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_EPILOGUE, &epilogue, sizeof(epilogue)));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS,
                  cublasLtMatmulDescSetAttribute(desc, CUBLASLT_MATMUL_DESC_BIAS_POINTER, &bias, sizeof(bias)));
        const auto status = cublasLtMatmulAlgoGetHeuristic(handle, desc, layout, layout, layout, layout, preference, 1,
                                                           &result, &count);
        EXPECT_EQ(status == CUBLAS_STATUS_SUCCESS ? 1 : 0, count);
        return status;
    }
};

TEST_F(lesser_device_test, WholeDevice_HasEverything)
{
    EXPECT_ON_LESSER_DEVICE("", {
        EXPECT_EQ("01/1/01", supported_algorithms<f32_type>(handle_, CUDNN_TENSOR_NHWC));
        EXPECT_EQ("01267/0145/0135", supported_algorithms<bf16_type>(handle_, CUDNN_TENSOR_NCHW));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, convolve<f16_type>(CUDNN_TENSOR_NHWC, 1));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, heuristic(CUBLASLT_EPILOGUE_RELU_BIAS, CUDA_R_16BF));
    });
}

TEST_F(lesser_device_test, NoNhwc_OfOneType_LeavesTheOthersAndNchw)
{
    EXPECT_ON_LESSER_DEVICE("no-nhwc-bf16,no-nhwc-f16", {
        EXPECT_EQ("//", supported_algorithms<bf16_type>(handle_, CUDNN_TENSOR_NHWC));
        EXPECT_EQ("//", supported_algorithms<f16_type>(handle_, CUDNN_TENSOR_NHWC));
        EXPECT_EQ("01/1/01", supported_algorithms<f32_type>(handle_, CUDNN_TENSOR_NHWC));
        EXPECT_EQ("01267/0145/0135", supported_algorithms<bf16_type>(handle_, CUDNN_TENSOR_NCHW));
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, convolve<bf16_type>(CUDNN_TENSOR_NHWC, 1));
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, rectify<bf16_type>(CUDNN_TENSOR_NHWC));
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, pool<bf16_type>(CUDNN_TENSOR_NHWC));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, convolve<bf16_type>(CUDNN_TENSOR_NCHW, 1));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, rectify<bf16_type>(CUDNN_TENSOR_NCHW));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, pool<f32_type>(CUDNN_TENSOR_NHWC));
    });
    EXPECT_ON_LESSER_DEVICE("no-nhwc-f32", {
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, convolve<f32_type>(CUDNN_TENSOR_NHWC, 0));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, convolve<f16_type>(CUDNN_TENSOR_NHWC, 0));
    });
}

TEST_F(lesser_device_test, NoType_IsRefusedByEveryLibrary)
{
    EXPECT_ON_LESSER_DEVICE("no-bf16", {
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, convolve<bf16_type>(CUDNN_TENSOR_NCHW, 1));
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, rectify<bf16_type>(CUDNN_TENSOR_NCHW));
        EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, gemm<bf16_type>());
        EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, heuristic(CUBLASLT_EPILOGUE_DEFAULT, CUDA_R_16BF));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm<f16_type>());
    });
    EXPECT_ON_LESSER_DEVICE("no-f16", {
        EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, gemm<f16_type>());
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, pool<f16_type>(CUDNN_TENSOR_NHWC));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, gemm<bf16_type>());
    });
}

TEST_F(lesser_device_test, OnlyAlgorithm0_InQueriesListsAndCalls)
{
    EXPECT_ON_LESSER_DEVICE("only-algo0", {
        EXPECT_EQ("0//0", supported_algorithms<f32_type>(handle_, CUDNN_TENSOR_NHWC));
        EXPECT_EQ("0/0/0", supported_algorithms<f32_type>(handle_, CUDNN_TENSOR_NCHW));
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, convolve<f32_type>(CUDNN_TENSOR_NHWC, 1));
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, convolve<f32_type>(CUDNN_TENSOR_NHWC, 0));
        const convolution_fixture<f32_type> f(k_case, CUDNN_TENSOR_NHWC);
        cudnnConvolutionFwdAlgoPerf_t results[8];
        int returned = 0;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnGetConvolutionForwardAlgorithm_v7(handle_, f.x_desc, f.w_desc, f.conv_desc,
                                                                               f.y_desc, 8, &returned, results));
        for (int i = 0; i < returned; ++i)
            EXPECT_EQ(results[i].algo == 0 ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED, results[i].status);
    });
}

TEST_F(lesser_device_test, WorkspaceLimit_TakesAlgorithmsAway)
{
    // Half operands are widened in the workspace, whatever the algorithm.
    EXPECT_ON_LESSER_DEVICE("workspace=1K", {
        EXPECT_EQ("//", supported_algorithms<f16_type>(handle_, CUDNN_TENSOR_NHWC));
        EXPECT_EQ(CUDNN_STATUS_NOT_SUPPORTED, convolve<f16_type>(CUDNN_TENSOR_NHWC, 0));
    });
    EXPECT_ON_LESSER_DEVICE("workspace=1M",
                            EXPECT_EQ("01/1/01", supported_algorithms<f16_type>(handle_, CUDNN_TENSOR_NHWC)));
}

TEST_F(lesser_device_test, NoLtEpilogue_LeavesThePlainProduct)
{
    EXPECT_ON_LESSER_DEVICE("no-lt-epilogue", {
        for (const auto epilogue : {CUBLASLT_EPILOGUE_RELU, CUBLASLT_EPILOGUE_RELU_BIAS, CUBLASLT_EPILOGUE_BGRADA})
            EXPECT_EQ(CUBLAS_STATUS_NOT_SUPPORTED, heuristic(epilogue));
        EXPECT_EQ(CUBLAS_STATUS_SUCCESS, heuristic(CUBLASLT_EPILOGUE_DEFAULT));
    });
}

#ifdef NIN_SANITIZED
#define NIN_NEEDS_VARYING_EXPORTS() GTEST_SKIP() << "in builds with sanitizers every export is there (lesser_device.h)"
#else
#define NIN_NEEDS_VARYING_EXPORTS()
#endif

// What a program that loads the library finds under the name.
void* find_export(const char* name)
{
    Dl_info info{};
    EXPECT_NE(0, dladdr(reinterpret_cast<const void*>(&cudnnGetVersion), &info));
    return dlsym(dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD), name);
}

TEST_F(lesser_device_test, Cudnn8_HasItsVersionAndStatuses)
{
    NIN_NEEDS_VARYING_EXPORTS();
    EXPECT_ON_LESSER_DEVICE("", EXPECT_NE(nullptr, find_export("cudnnGetLastErrorString")));
    EXPECT_ON_LESSER_DEVICE("cudnn8", {
        EXPECT_EQ(8907u, cudnnGetVersion());
        EXPECT_EQ(nullptr, find_export("cudnnGetLastErrorString"));
        EXPECT_EQ(3, cudnnCreate(nullptr));                     // BAD_PARAM
        EXPECT_EQ(9, convolve<f32_type>(CUDNN_TENSOR_NHWC, 2)); // NOT_SUPPORTED
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, convolve<f32_type>(CUDNN_TENSOR_NHWC, 1));
        EXPECT_STREQ("CUDNN_STATUS_NOT_SUPPORTED", cudnnGetErrorString(static_cast<cudnnStatus_t>(9)));
        EXPECT_STREQ("CUDNN_STATUS_MAPPING_ERROR", cudnnGetErrorString(static_cast<cudnnStatus_t>(7)));
        EXPECT_STREQ("CUDNN_STATUS_SUCCESS", cudnnGetErrorString(CUDNN_STATUS_SUCCESS));
        const convolution_fixture<f32_type> f(k_case, CUDNN_TENSOR_NHWC);
        cudnnConvolutionFwdAlgoPerf_t results[8];
        int returned = 0;
        EXPECT_EQ(CUDNN_STATUS_SUCCESS, cudnnGetConvolutionForwardAlgorithm_v7(handle_, f.x_desc, f.w_desc, f.conv_desc,
                                                                               f.y_desc, 8, &returned, results));
        EXPECT_EQ(0, results[0].status);
        EXPECT_EQ(9, results[7].status);
        EXPECT_OK(cuCtxSetCurrent(nullptr));
        cudnnHandle_t other = nullptr;
        EXPECT_EQ(1, cudnnCreate(&other)); // NOT_INITIALIZED
    });
}

TEST_F(lesser_device_test, Driver_OfAnotherVersion_ExportsWhatThatVersionHas)
{
    NIN_NEEDS_VARYING_EXPORTS();
    const auto version = [] {
        int number = 0;
        EXPECT_OK(cuDriverGetVersion(&number));
        return number;
    };
    const auto present = [](const char* name) { return find_export(name) != nullptr; };
    EXPECT_ON_LESSER_DEVICE("", {
        EXPECT_EQ(12040, version());
        EXPECT_TRUE(present("cuEventElapsedTime"));
        EXPECT_FALSE(present("cuEventElapsedTime_v2"));
        EXPECT_TRUE(present("cuGraphInstantiateWithFlags"));
    });
    EXPECT_ON_LESSER_DEVICE("driver=11030", {
        EXPECT_EQ(11030, version());
        EXPECT_FALSE(present("cuGraphInstantiateWithFlags"));
        EXPECT_FALSE(present("cuDeviceGetUuid_v2"));
    });
    EXPECT_ON_LESSER_DEVICE("driver=11040", {
        EXPECT_EQ(11040, version());
        EXPECT_TRUE(present("cuGraphInstantiateWithFlags"));
        EXPECT_TRUE(present("cuDeviceGetUuid_v2"));
    });
    EXPECT_ON_LESSER_DEVICE("driver=12080", {
        EXPECT_TRUE(present("cuEventElapsedTime"));
        EXPECT_TRUE(present("cuEventElapsedTime_v2"));
    });
    EXPECT_ON_LESSER_DEVICE("cuda13", {
        EXPECT_EQ(13000, version());
        EXPECT_FALSE(present("cuEventElapsedTime"));
        ASSERT_TRUE(present("cuEventElapsedTime_v2"));
        const auto elapsed_time = reinterpret_cast<decltype(&cuEventElapsedTime)>(find_export("cuEventElapsedTime_v2"));
        CUevent start = nullptr, end = nullptr;
        EXPECT_OK(cuEventCreate(&start, CU_EVENT_DEFAULT));
        EXPECT_OK(cuEventCreate(&end, CU_EVENT_DEFAULT));
        EXPECT_OK(cuEventRecord(start, nullptr));
        EXPECT_OK(cuEventRecord(end, nullptr));
        EXPECT_OK(cuCtxSynchronize());
        float milliseconds = -1;
        EXPECT_OK(elapsed_time(&milliseconds, start, end));
        EXPECT_GE(milliseconds, 0);
    });
}

TEST_F(lesser_device_test, Driver_ReadsThePtxOfItsVersion)
{
    const auto load = [](const char* ptx_version) {
        std::string ptx = k_reduce_ptx;
        ptx.replace(ptx.find(".version 6.3"), 12, std::string(".version ") + ptx_version);
        CUmodule module = nullptr;
        return cuModuleLoadData(&module, ptx.c_str());
    };
    EXPECT_ON_LESSER_DEVICE("driver=11040", {
        EXPECT_OK(load("7.4"));
        EXPECT_EQ(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load("7.5"));
    });
    EXPECT_ON_LESSER_DEVICE("driver=12000", {
        EXPECT_OK(load("8.0"));
        EXPECT_EQ(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load("8.1"));
    });
    EXPECT_ON_LESSER_DEVICE("driver=12060", {
        EXPECT_OK(load("8.5"));
        EXPECT_EQ(CUDA_ERROR_UNSUPPORTED_PTX_VERSION, load("8.6"));
    });
}

TEST(lesser_device_words, Unknown_AreRefusedByInit)
{
    for (const char* words : {"no-nhwc", "no-bf16,only-algo1", "workspace=much", "driver=twelve", "driver=9000", ","}) {
        const environment_variable lesser("NIN_HOST_LESSER", words);
        EXPECT_IN_OWN_PROCESS({
            EXPECT_EQ(CUDA_ERROR_INVALID_VALUE, cuInit(0)) << words;
            EXPECT_NE(std::string::npos, last_error().find("NIN_HOST_LESSER=")) << last_error();
            EXPECT_NE(std::string::npos, last_error().find("expected")) << last_error();
        });
    }
}

} // namespace
} // namespace nin::tests
