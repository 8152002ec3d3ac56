// PTX modules, functions, launches and occupancy.
#include "driver_test.h"

#include <cstdint>
#include <fstream>
#include <iterator>

using namespace nin::tests;

namespace
{

class module_test : public driver_test
{
  protected:
    struct load_result {
        CUresult status;
        std::string log;
        size_t reported_bytes;
    };

    static load_result load(const std::string& ptx)
    {
        char log[256];
        std::fill(std::begin(log), std::end(log), '#');
        CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
        void* values[] = {log, reinterpret_cast<void*>(sizeof(log))};
        CUmodule module = nullptr;
        const CUresult status = cuModuleLoadDataEx(&module, ptx.c_str(), 2, options, values);
        return {status, log, reinterpret_cast<size_t>(values[1])};
    }

    static CUresult find(const std::string& ptx, const char* name)
    {
        CUmodule module = nullptr;
        CUfunction function = nullptr;
        EXPECT_OK(cuModuleLoadData(&module, ptx.c_str()));
        return cuModuleGetFunction(&function, module, name);
    }

    static int attribute(CUfunction function, CUfunction_attribute which)
    {
        int value = -1;
        EXPECT_OK(cuFuncGetAttribute(&value, which, function));
        return value;
    }
};

const std::string k_header = ".version 6.3\n.target sm_70\n.address_size 64\n";

std::string replaced(std::string text, const std::string& from, const std::string& to)
{
    return text.replace(text.find(from), from.size(), to);
}

} // namespace

TEST_F(module_test, Launch_RunsTheKernel)
{
    const kernel reduce;
    const std::vector<float> partial{1, 2, 3, 10, 20, 30};
    const CUdeviceptr source = allocate(24);
    const CUdeviceptr sums = allocate(12);
    ASSERT_OK(cuMemcpyHtoD_v2(source, partial.data(), 24));
    ASSERT_OK(reduce.launch(source, sums, 2, 3, nullptr));
    std::vector<float> result(3);
    ASSERT_OK(cuMemcpyDtoH_v2(result.data(), sums, 12));
    EXPECT_EQ(result, (std::vector<float>{11, 22, 33}));
}

TEST_F(module_test, Launch_CopiesArgumentsInTheCall)
{
    const kernel reduce;
    const CUstream stream = create_stream();
    const std::vector<float> partial{5};
    CUdeviceptr source = allocate(4);
    CUdeviceptr sums = allocate(4);
    const CUdeviceptr kept = sums;
    ASSERT_OK(cuMemcpyHtoD_v2(source, partial.data(), 4));
    ASSERT_OK(cuCtxSynchronize()); // the copy may have been staged only
    int one = 1;
    void* arguments[] = {&source, &sums, &one, &one};
    gate closed;
    ASSERT_OK(closed.block_worker(stream));
    ASSERT_OK(cuLaunchKernel(reduce.function, 1, 1, 1, 128, 1, 1, 0, stream, arguments, nullptr));
    source = 0;
    sums = 0;
    one = 1000;
    closed.open();
    ASSERT_OK(cuStreamSynchronize(stream));
    float result = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&result, kept, 4));
    EXPECT_EQ(result, 5.0f);
}

TEST_F(module_test, Launch_WithPackedArguments)
{
    const kernel reduce;
    struct {
        CUdeviceptr partial;
        CUdeviceptr db;
        int tiles;
        int channels;
    } packed{allocate(4), allocate(4), 1, 1};
    const float value = 8;
    ASSERT_OK(cuMemcpyHtoD_v2(packed.partial, &value, 4));
    size_t bytes = sizeof(packed);
    void* extra[] = {reinterpret_cast<void*>(CU_LAUNCH_PARAM_BUFFER_POINTER), &packed,
                     reinterpret_cast<void*>(CU_LAUNCH_PARAM_BUFFER_SIZE), &bytes,
                     reinterpret_cast<void*>(CU_LAUNCH_PARAM_END)};
    ASSERT_OK(cuLaunchKernel(reduce.function, 1, 1, 1, 128, 1, 1, 0, nullptr, nullptr, extra));
    float result = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&result, packed.db, 4));
    EXPECT_EQ(result, 8.0f);
    bytes = 16;
    EXPECT_EQ(cuLaunchKernel(reduce.function, 1, 1, 1, 128, 1, 1, 0, nullptr, nullptr, extra),
              CUDA_ERROR_INVALID_VALUE);
}

TEST_F(module_test, Launch_BadShapesAndArguments_AreRefused)
{
    const kernel reduce;
    CUdeviceptr null = 0;
    int zero = 0;
    void* arguments[] = {&null, &null, &zero, &zero};
    void* missing[] = {&null, nullptr, &zero, &zero};
    void* extra[] = {reinterpret_cast<void*>(CU_LAUNCH_PARAM_END)};
    const auto launch = [&](unsigned grid_x, unsigned grid_y, unsigned block_x, unsigned block_z, unsigned shared) {
        return cuLaunchKernel(reduce.function, grid_x, grid_y, 1, block_x, 1, block_z, shared, nullptr, arguments,
                              nullptr);
    };
    EXPECT_OK(launch(1, 1, 128, 1, 0));
    EXPECT_EQ(launch(0, 1, 128, 1, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(1, 1, 0, 1, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(1, 65536, 128, 1, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(2147483648u, 1, 128, 1, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(1, 1, 1025, 1, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(1, 1, 32, 64, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(1, 1, 1, 65, 0), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch(1, 1, 128, 1, 49153), CUDA_ERROR_INVALID_VALUE);
    ASSERT_OK(cuFuncSetAttribute(reduce.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 65536));
    EXPECT_OK(launch(1, 1, 128, 1, 65536));
    const auto launch_arguments = [&](void** params, void** packed) {
        return cuLaunchKernel(reduce.function, 1, 1, 1, 128, 1, 1, 0, nullptr, params, packed);
    };
    EXPECT_EQ(launch_arguments(arguments, extra), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch_arguments(nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch_arguments(nullptr, extra), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(launch_arguments(missing, nullptr), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuLaunchKernel(nullptr, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_OK(cuCtxSynchronize());
}

TEST_F(module_test, Unload_WithQueuedLaunches_IsSafe)
{
    const kernel reduce;
    const CUstream stream = create_stream();
    const CUdeviceptr source = allocate(4096);
    for (int i = 0; i < 50; ++i)
        ASSERT_OK(reduce.launch(source, source, 1, 1024, stream));
    ASSERT_OK(cuModuleUnload(reduce.module));
    EXPECT_EQ(reduce.launch(source, source, 1, 1024, stream), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_EQ(cuModuleUnload(reduce.module), CUDA_ERROR_INVALID_HANDLE);
    EXPECT_OK(cuStreamSynchronize(stream));
}

TEST_F(module_test, GetFunction_OfAnotherName_IsNotFound)
{
    EXPECT_EQ(find(k_reduce_ptx, "bias_reduce"), CUDA_ERROR_NOT_FOUND);
    EXPECT_EQ(find(k_header + ".entry no_such_kernel() { ret; }", "no_such_kernel"), CUDA_ERROR_NO_BINARY_FOR_GPU);
}

TEST_F(module_test, GetFunction_WithOtherParameters_IsInvalidPtx)
{
    EXPECT_EQ(find(replaced(k_reduce_ptx, ".param .u32", ".param .u64"), "bias_reduce_f32"), CUDA_ERROR_INVALID_PTX);
    EXPECT_EQ(find(k_header + ".visible .entry bias_reduce_f32(.param .u64 a) { ret; }", "bias_reduce_f32"),
              CUDA_ERROR_INVALID_PTX);
}

TEST_F(module_test, Parameters_InEverySpelling_AreRead)
{
    // The same sizes as the kernel's, written with pointer annotations, arrays and other types.
    const char* const ptx = R"(.version 7.8
.target sm_80, debug
.address_size 64
.extern .func (.param .b32 result) helper (.param .b64 x);
.extern .shared .align 16 .b8 dynamic[];
.global .align 4 .b8 table[8] = {1, 2, 3, 4, 5, 6, 7, 8};
.visible .func other(.param .b64 x) { { ret; } }
.weak .entry bias_reduce_f32(
  .param .u64 .ptr .global .align 4 a, /* a comment
  over two lines */ .param .align 8 .b8 b[8],
  .param .f32 c,
  .param .align 2 .b16 d[2]
)
.maxntid 256, 1, 1
.minnctapersm 2
{
  .shared .align 16 .b8 tile[128];
  .shared .b32 one;
  ld.shared.v2.u32 {%r1, %r2}, [tile];
  ret;
}
.file 1 "kernels/x.cu", 1700000000, 12
.section .debug_str { .b8 1, 2, 3 }
)";
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, ptx));
    ASSERT_OK(cuModuleGetFunction(&function, module, "bias_reduce_f32"));
    EXPECT_EQ(attribute(function, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 132);
    EXPECT_EQ(attribute(function, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 256);
    EXPECT_EQ(attribute(function, CU_FUNC_ATTRIBUTE_PTX_VERSION), 80);
    EXPECT_EQ(attribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES), 49152 - 132);
    CUdeviceptr null = 0;
    int zero = 0;
    void* arguments[] = {&null, &null, &zero, &zero};
    EXPECT_EQ(cuLaunchKernel(function, 1, 1, 1, 257, 1, 1, 0, nullptr, arguments, nullptr),
              CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
    EXPECT_OK(cuLaunchKernel(function, 1, 1, 1, 256, 1, 1, 0, nullptr, arguments, nullptr));
}

TEST_F(module_test, Load_UnknownText_IsInvalidPtxWithALogLine)
{
    for (const std::string& bad : std::vector<std::string>{
             "hello", ".version six\n.target sm_70\n", k_header + ".visible .entry broken(",
             k_header + ".visible .entry broken(.param .u65 x) { }", k_header + ".entry broken() { {",
             k_header + "garbage", k_header + "/* open", ".version 6.3\n.target sm_70\n.address_size 32\n"}) {
        const load_result result = load(bad);
        EXPECT_EQ(result.status, CUDA_ERROR_INVALID_PTX) << bad;
        EXPECT_NE(result.log.find("line "), std::string::npos) << bad;
        EXPECT_EQ(result.reported_bytes, result.log.size()) << bad;
    }
    EXPECT_NE(load(k_header + "\n\ngarbage").log.find("line 6"), std::string::npos);
}

TEST_F(module_test, Load_OtherImages_AreRefused)
{
    EXPECT_EQ(load("").status, CUDA_ERROR_INVALID_IMAGE);
    EXPECT_EQ(load("\x7F"
                   "ELF")
                  .status,
              CUDA_ERROR_NO_BINARY_FOR_GPU);
    EXPECT_EQ(load("\x50\xED\x55\xBA").status, CUDA_ERROR_NO_BINARY_FOR_GPU);
    EXPECT_EQ(load(replaced(k_header, "6.3", "8.5")).status, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
    EXPECT_EQ(load(replaced(k_header, "sm_70", "sm_90")).status, CUDA_ERROR_INVALID_PTX);
    EXPECT_OK(load(replaced(k_header, "6.3", "8.4")).status);
    CUmodule module = nullptr;
    EXPECT_EQ(cuModuleLoadData(&module, nullptr), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuModuleLoadData(nullptr, k_reduce_ptx), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(module_test, JitLog_SizesAreInAndOut)
{
    char log[8] = "unset";
    char info[8] = "unset";
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_ERROR_LOG_BUFFER, CU_JIT_INFO_LOG_BUFFER,
                              CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES, CU_JIT_OPTIMIZATION_LEVEL};
    void* values[] = {reinterpret_cast<void*>(sizeof(log)), log, info, reinterpret_cast<void*>(sizeof(info)),
                      reinterpret_cast<void*>(4)};
    CUmodule module = nullptr;
    EXPECT_EQ(cuModuleLoadDataEx(&module, "garbage", 5, options, values), CUDA_ERROR_INVALID_PTX);
    EXPECT_EQ(std::string(log), "ptx lin"); // cut to the buffer, with a terminator
    EXPECT_EQ(reinterpret_cast<size_t>(values[0]), 7u);
    EXPECT_STREQ(info, "");
    EXPECT_EQ(values[3], nullptr);
    values[0] = reinterpret_cast<void*>(sizeof(log));
    ASSERT_OK(cuModuleLoadDataEx(&module, k_reduce_ptx, 2, options, values));
    EXPECT_STREQ(log, "");
    EXPECT_EQ(values[0], nullptr);
    EXPECT_EQ(cuModuleLoadDataEx(&module, k_reduce_ptx, 1, options, values), CUDA_ERROR_INVALID_VALUE); // size alone
    options[0] = static_cast<CUjit_option>(500);
    EXPECT_EQ(cuModuleLoadDataEx(&module, k_reduce_ptx, 2, options, values), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuModuleLoadDataEx(&module, k_reduce_ptx, 2, nullptr, nullptr), CUDA_ERROR_INVALID_VALUE);
}

TEST_F(module_test, FunctionAttributes)
{
    const kernel reduce;
    EXPECT_EQ(attribute(reduce.function, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK), 1024);
    EXPECT_EQ(attribute(reduce.function, CU_FUNC_ATTRIBUTE_PTX_VERSION), 70);
    EXPECT_EQ(attribute(reduce.function, CU_FUNC_ATTRIBUTE_BINARY_VERSION), 80);
    EXPECT_EQ(attribute(reduce.function, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES), 0);
    int value = 0;
    EXPECT_EQ(cuFuncGetAttribute(&value, static_cast<CUfunction_attribute>(99), reduce.function),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuFuncSetAttribute(reduce.function, CU_FUNC_ATTRIBUTE_NUM_REGS, 1), CUDA_ERROR_INVALID_VALUE);
    EXPECT_EQ(cuFuncSetAttribute(reduce.function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 1 << 20),
              CUDA_ERROR_INVALID_VALUE);
    EXPECT_OK(cuFuncSetAttribute(reduce.function, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT, 50));
    EXPECT_EQ(attribute(reduce.function, CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT), 50);
}

TEST_F(module_test, Occupancy_PrefersTheLargestFullBlock)
{
    const kernel reduce;
    int multiprocessors = 0;
    int grid = 0;
    int block = 0;
    ASSERT_OK(cuDeviceGetAttribute(&multiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0));
    ASSERT_OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, reduce.function, nullptr, 0, 0));
    EXPECT_EQ(block, 1024);
    EXPECT_EQ(grid, 2 * multiprocessors);
    ASSERT_OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, reduce.function, nullptr, 0, 300));
    EXPECT_EQ(block, 256); // 8 × 256 = 2048 resident threads; 300 and 288 leave some out
    // 1 KiB of shared memory per thread: the callback decides.
    ASSERT_OK(cuOccupancyMaxPotentialBlockSize(
        &grid, &block, reduce.function, [](int threads) { return static_cast<size_t>(threads) * 1024; }, 0, 0));
    EXPECT_EQ(block, 160); // 163 KiB, less the reserved one, hold 160 threads
    EXPECT_EQ(grid, multiprocessors);
    EXPECT_EQ(cuOccupancyMaxPotentialBlockSize(&grid, &block, reduce.function, nullptr, 0, -1),
              CUDA_ERROR_INVALID_VALUE);
}

// The PTX that the build makes of the real kernels.
TEST_F(module_test, Load_BuiltKernels)
{
    const std::string path = std::string(NIN_PTX_DIRECTORY) + "/activation.ptx";
    std::ifstream file(path, std::ios::binary);
    ASSERT_TRUE(file.is_open()) << path;
    const std::string ptx((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    EXPECT_OK(find(ptx, "bias_reduce_f32"));
}
