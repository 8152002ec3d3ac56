// What the cuDNN tests share: a handle, owners of descriptors, tensors described by strides, exact test data.
#pragma once

#include "host/abi/cudnn.h"
#include "kernel_launch.h"

#include <array>
#include <cstdlib>
#include <functional>

namespace nin::tests
{

#define NIN_CUDNN_CHECK(call) ASSERT_EQ(CUDNN_STATUS_SUCCESS, call)

class cudnn_test : public kernel_test
{
  protected:
    void SetUp() override
    {
        kernel_test::SetUp();
        NIN_CUDNN_CHECK(cudnnCreate(&handle_));
    }

    void TearDown() override
    {
        NIN_CUDNN_CHECK(cudnnDestroy(handle_));
        kernel_test::TearDown();
    }

    cudnnHandle_t handle_ = nullptr;
};

template <typename Descriptor, cudnnStatus_t (*create)(Descriptor*), cudnnStatus_t (*destroy)(Descriptor)>
class descriptor_owner
{
  public:
    descriptor_owner()
    {
        if (create(&descriptor_) != CUDNN_STATUS_SUCCESS)
            throw std::runtime_error("a descriptor could not be created");
    }
    ~descriptor_owner() { destroy(descriptor_); }
    descriptor_owner(const descriptor_owner&) = delete;
    descriptor_owner& operator=(const descriptor_owner&) = delete;
    operator Descriptor() const { return descriptor_; }

  private:
    Descriptor descriptor_ = nullptr;
};

using tensor_descriptor =
    descriptor_owner<cudnnTensorDescriptor_t, cudnnCreateTensorDescriptor, cudnnDestroyTensorDescriptor>;
using filter_descriptor =
    descriptor_owner<cudnnFilterDescriptor_t, cudnnCreateFilterDescriptor, cudnnDestroyFilterDescriptor>;
using convolution_descriptor =
    descriptor_owner<cudnnConvolutionDescriptor_t, cudnnCreateConvolutionDescriptor, cudnnDestroyConvolutionDescriptor>;
using pooling_descriptor =
    descriptor_owner<cudnnPoolingDescriptor_t, cudnnCreatePoolingDescriptor, cudnnDestroyPoolingDescriptor>;
using activation_descriptor =
    descriptor_owner<cudnnActivationDescriptor_t, cudnnCreateActivationDescriptor, cudnnDestroyActivationDescriptor>;

template <typename Type> constexpr cudnnDataType_t data_type_of();
template <> constexpr cudnnDataType_t data_type_of<f32_type>()
{
    return CUDNN_DATA_FLOAT;
}
template <> constexpr cudnnDataType_t data_type_of<f16_type>()
{
    return CUDNN_DATA_HALF;
}
template <> constexpr cudnnDataType_t data_type_of<bf16_type>()
{
    return CUDNN_DATA_BFLOAT16;
}

// N, C, H, W (or K, C, R, S) and the strides of their packed memory.
struct tensor_shape {
    std::array<int, 4> dims;
    std::array<int, 4> strides;

    static tensor_shape packed(cudnnTensorFormat_t format, const std::array<int, 4>& d)
    {
        if (format == CUDNN_TENSOR_NHWC)
            return {d, {d[1] * d[2] * d[3], 1, d[3] * d[1], d[1]}};
        return {d, {d[1] * d[2] * d[3], d[2] * d[3], d[3], 1}};
    }

    size_t count() const { return static_cast<size_t>(dims[0]) * dims[1] * dims[2] * dims[3]; }

    // Elements from the first to past the last.
    size_t span() const
    {
        size_t last = 0;
        for (size_t i = 0; i < 4; ++i)
            last += static_cast<size_t>(dims[i] - 1) * strides[i];
        return last + 1;
    }

    size_t at(int n, int c, int h, int w) const
    {
        return static_cast<size_t>(n) * strides[0] + static_cast<size_t>(c) * strides[1] +
               static_cast<size_t>(h) * strides[2] + static_cast<size_t>(w) * strides[3];
    }

    void for_each(const std::function<void(int, int, int, int)>& body) const
    {
        for (int n = 0; n < dims[0]; ++n)
            for (int c = 0; c < dims[1]; ++c)
                for (int h = 0; h < dims[2]; ++h)
                    for (int w = 0; w < dims[3]; ++w)
                        body(n, c, h, w);
    }
};

inline void set(const tensor_descriptor& descriptor, cudnnDataType_t type, const tensor_shape& shape)
{
    const auto& [d, s] = shape;
    if (cudnnSetTensor4dDescriptorEx(descriptor, type, d[0], d[1], d[2], d[3], s[0], s[1], s[2], s[3]) !=
        CUDNN_STATUS_SUCCESS)
        throw std::runtime_error("a tensor descriptor could not be set");
}

inline void set(const filter_descriptor& descriptor, cudnnDataType_t type, cudnnTensorFormat_t format,
                const std::array<int, 4>& d)
{
    if (cudnnSetFilter4dDescriptor(descriptor, type, format, d[0], d[1], d[2], d[3]) != CUDNN_STATUS_SUCCESS)
        throw std::runtime_error("a filter descriptor could not be set");
}

template <typename T> T* pointer(const device_array<T>& array, size_t offset = 0)
{
    return reinterpret_cast<T*>(array.address()) + offset;
}

// Whole numbers in [-limit, limit]: sums of their products are exact in float, in any order, below 2^24.
template <typename Type> std::vector<typename Type::storage> small_integers(size_t count, int limit, unsigned seed)
{
    std::mt19937 generator(seed);
    std::uniform_int_distribution<int> uniform(-limit, limit);
    std::vector<typename Type::storage> elements(count);
    for (auto& element : elements)
        element = Type::encoded(uniform(generator));
    return elements;
}

template <typename Type> std::vector<double> values_of(const std::vector<typename Type::storage>& elements)
{
    std::vector<double> values;
    values.reserve(elements.size());
    for (const auto element : elements)
        values.push_back(Type::value(element));
    return values;
}

inline std::string last_error()
{
    char text[512];
    cudnnGetLastErrorString(text, sizeof(text));
    return text;
}

} // namespace nin::tests
