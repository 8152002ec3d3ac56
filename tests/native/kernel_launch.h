// Launches a kernel as the managed layer does, through the driver's functions: loads the PTX that the build made, keeps
// arrays in device memory, passes the arguments by address. Also the 16-bit types, decoded and rounded the obvious way.
#pragma once

#include "host/abi/cuda.h"
#include "kernels/step_state.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

extern "C" {
CUresult cuInit(unsigned int flags);
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice device);
CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device);
CUresult cuCtxSetCurrent(CUcontext context);
CUresult cuCtxSynchronize();
CUresult cuMemAlloc_v2(CUdeviceptr* pointer, size_t bytes);
CUresult cuMemFree_v2(CUdeviceptr pointer);
CUresult cuMemcpyHtoD_v2(CUdeviceptr destination, const void* source, size_t bytes);
CUresult cuMemcpyDtoH_v2(void* destination, CUdeviceptr source, size_t bytes);
CUresult cuModuleLoadData(CUmodule* module, const void* image);
CUresult cuModuleUnload(CUmodule module);
CUresult cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name);
CUresult cuLaunchKernel(CUfunction function, unsigned int gridDimX, unsigned int gridDimY, unsigned int gridDimZ,
                        unsigned int blockDimX, unsigned int blockDimY, unsigned int blockDimZ,
                        unsigned int sharedMemBytes, CUstream stream, void** kernelParams, void** extra);
}

namespace nin::tests
{

inline void check(CUresult status, const char* what)
{
    if (status != CUDA_SUCCESS)
        throw std::runtime_error(std::string(what) + " returned " + std::to_string(static_cast<int>(status)));
}
#define NIN_CHECK(call) ::nin::tests::check(call, #call)

// The primary context of device 0 is current during each test.
class kernel_test : public testing::Test
{
  protected:
    void SetUp() override
    {
        NIN_CHECK(cuInit(0));
        CUcontext context = nullptr;
        NIN_CHECK(cuDevicePrimaryCtxRetain(&context, 0));
        NIN_CHECK(cuCtxSetCurrent(context));
    }

    void TearDown() override
    {
        NIN_CHECK(cuCtxSetCurrent(nullptr));
        NIN_CHECK(cuDevicePrimaryCtxRelease_v2(0));
    }
};

// An array in device memory between two guard zones, which are checked with every download. It starts as 0xa5 bytes.
template <typename T> class device_array
{
  public:
    explicit device_array(size_t count) : count_(count)
    {
        NIN_CHECK(cuMemAlloc_v2(&allocation_, bytes()));
        const std::vector<uint8_t> poison(bytes(), k_poison);
        NIN_CHECK(cuMemcpyHtoD_v2(allocation_, poison.data(), poison.size()));
    }

    explicit device_array(const std::vector<T>& values) : device_array(values.size())
    {
        if (!values.empty())
            NIN_CHECK(cuMemcpyHtoD_v2(address(), values.data(), values.size() * sizeof(T)));
    }

    device_array(const device_array&) = delete;
    device_array& operator=(const device_array&) = delete;
    ~device_array() { cuMemFree_v2(allocation_); }

    CUdeviceptr address() const { return allocation_ + k_guard_bytes; }

    std::vector<T> download() const
    {
        std::vector<uint8_t> all(bytes());
        NIN_CHECK(cuCtxSynchronize());
        NIN_CHECK(cuMemcpyDtoH_v2(all.data(), allocation_, all.size()));
        for (size_t i = 0; i < k_guard_bytes; ++i)
            if (all[i] != k_poison || all[all.size() - 1 - i] != k_poison)
                throw std::runtime_error("the kernel wrote outside its array");
        std::vector<T> values(count_);
        if (count_ > 0)
            std::memcpy(values.data(), all.data() + k_guard_bytes, count_ * sizeof(T));
        return values;
    }

  private:
    static constexpr size_t k_guard_bytes = 256;
    static constexpr uint8_t k_poison = 0xa5;
    size_t bytes() const { return count_ * sizeof(T) + 2 * k_guard_bytes; }

    size_t count_;
    CUdeviceptr allocation_ = 0;
};

constexpr CUdeviceptr k_null = 0;

// Launches entry of <family>.ptx with one-dimensional grid and block. The arguments must have the parameters' types.
template <typename... Arguments>
void launch(const std::string& family, const std::string& entry, unsigned grid, unsigned block, Arguments... arguments)
{
    const std::string path = std::string(NIN_PTX_DIRECTORY) + "/" + family + ".ptx";
    std::ifstream file(path, std::ios::binary);
    if (!file)
        throw std::runtime_error("cannot open " + path);
    const std::string ptx((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());

    CUmodule module = nullptr;
    CUfunction function = nullptr;
    void* addresses[] = {&arguments...};
    NIN_CHECK(cuModuleLoadData(&module, ptx.c_str()));
    NIN_CHECK(cuModuleGetFunction(&function, module, entry.c_str()));
    NIN_CHECK(cuLaunchKernel(function, grid, 1, 1, block, 1, 1, 0, nullptr, addresses, nullptr));
    NIN_CHECK(cuCtxSynchronize());
    NIN_CHECK(cuModuleUnload(module));
}

// The element types as the tests see them: stored bits, their exact value, and rounding a value that a float holds.
struct f32_type {
    using storage = float;
    static constexpr const char* name = "f32";
    static double value(float stored) { return stored; }
    static double rounded(double value) { return static_cast<float>(value); }
    static float encoded(double value) { return static_cast<float>(value); }
};

template <int mantissa_bits, int exponent_bits> struct float16_type {
    using storage = uint16_t;
    static constexpr int bias = (1 << (exponent_bits - 1)) - 1;
    static constexpr int top_exponent = (1 << exponent_bits) - 1;

    static double value(uint16_t stored)
    {
        const int mantissa = stored & ((1 << mantissa_bits) - 1), exponent = (stored >> mantissa_bits) & top_exponent;
        double magnitude;
        if (exponent == top_exponent)
            magnitude = mantissa == 0 ? std::numeric_limits<double>::infinity() : std::nan("");
        else if (exponent == 0)
            magnitude = std::ldexp(mantissa, 1 - bias - mantissa_bits);
        else
            magnitude = std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
        return stored & 0x8000 ? -magnitude : magnitude;
    }

    // The nearest multiple of the spacing at that magnitude; nearbyint takes ties to even.
    static double rounded(double value)
    {
        if (!std::isfinite(value) || value == 0)
            return value;
        const int exponent = std::max(std::ilogb(value), 1 - bias);
        const double spacing = std::ldexp(1.0, exponent - mantissa_bits);
        const double result = std::nearbyint(value / spacing) * spacing;
        return std::abs(result) < std::ldexp(1.0, bias + 1)
                   ? result
                   : std::copysign(std::numeric_limits<double>::infinity(), result);
    }

    static uint16_t encoded(double value)
    {
        const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
        if (std::isnan(value))
            return static_cast<uint16_t>(sign | 0x7fff);
        const double magnitude = std::abs(rounded(value));
        if (std::isinf(magnitude))
            return static_cast<uint16_t>(sign | top_exponent << mantissa_bits);
        const int exponent = magnitude == 0 ? 1 - bias : std::max(std::ilogb(magnitude), 1 - bias);
        const int scaled = static_cast<int>(std::ldexp(magnitude, mantissa_bits - exponent));
        // A subnormal's mantissa has no leading one, which the addition then leaves out of the exponent.
        return static_cast<uint16_t>(sign + ((exponent + bias - 1) << mantissa_bits) + scaled);
    }
};

struct f16_type : float16_type<10, 5> {
    static constexpr const char* name = "f16";
};
struct bf16_type : float16_type<7, 8> {
    static constexpr const char* name = "bf16";
};

using sixteen_bit_types = testing::Types<f16_type, bf16_type>;
using element_types = testing::Types<f32_type, f16_type, bf16_type>;

// Equal bits in effect: NaN equals NaN; the sign of a zero counts.
inline bool is_same(double a, double b)
{
    return std::isnan(a) || std::isnan(b) ? std::isnan(a) && std::isnan(b)
                                          : a == b && std::signbit(a) == std::signbit(b);
}

template <typename Type> std::vector<typename Type::storage> random_elements(size_t count, double scale, unsigned seed)
{
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal(0.0, scale);
    std::vector<typename Type::storage> elements(count);
    for (auto& element : elements)
        element = Type::encoded(normal(generator));
    return elements;
}

// Compares element by element, exactly; reports the first difference. expected holds values, not storage.
template <typename Type>
void expect_elements(const std::vector<typename Type::storage>& actual, const std::vector<double>& expected)
{
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i)
        ASSERT_TRUE(is_same(Type::value(actual[i]), expected[i]))
            << "element " << i << " is " << Type::value(actual[i]) << ", expected " << expected[i];
}

// Within absolute + relative * |expected|; written so that NaN fails.
inline void expect_near(double actual, double expected, double absolute, double relative, size_t index)
{
    ASSERT_TRUE(std::abs(actual - expected) <= absolute + relative * std::abs(expected))
        << "element " << index << " is " << actual << ", expected " << expected << " within " << absolute << " + "
        << relative << " relative";
}

} // namespace nin::tests
