// kernels/optimizer.cu against the update written out with one rounding per operation.
#include "kernel_launch.h"

#include <algorithm>

namespace nin::tests
{
namespace
{

// Rounded to float before it is used further, whatever the compiler would fuse.
float product(float a, float b)
{
    volatile float result = a * b;
    return result;
}

struct sgd_options {
    float learning_rate, loss_scale, momentum, weight_decay;
    bool has_buffer, is_nesterov;
    float gradient_factor = 1.0f;
    float average_decay = -1.0f; // no average where negative
};

void sgd_reference(const std::vector<double>& gradient, std::vector<float>& parameter, std::vector<float>& buffer,
                   std::vector<float>& average, unsigned step, const sgd_options& options)
{
    const float decay = std::min(options.average_decay, static_cast<float>(1 + step) / static_cast<float>(10 + step));
    for (size_t i = 0; i < parameter.size(); ++i) {
        float g = product(static_cast<float>(gradient[i]), product(1.0f / options.loss_scale, options.gradient_factor));
        if (options.weight_decay != 0)
            g += product(options.weight_decay, parameter[i]);
        float direction = g;
        if (options.has_buffer) {
            buffer[i] = product(options.momentum, buffer[i]) + g;
            direction = options.is_nesterov ? g + product(options.momentum, buffer[i]) : buffer[i];
        }
        parameter[i] -= product(options.learning_rate, direction);
        if (options.average_decay >= 0)
            average[i] += product(1.0f - decay, parameter[i] - average[i]);
    }
}

template <typename Type> class kernel_optimizer : public kernel_test
{
  protected:
    using storage = typename Type::storage;

    static void launch_step(const device_array<storage>& gradient, const device_array<kernels::step_state>& state,
                            const device_array<float>& parameter, CUdeviceptr buffer,
                            const device_array<storage>& compute_parameter, CUdeviceptr average,
                            const device_array<storage>& compute_average, int64_t count, const sgd_options& options)
    {
        const std::string entry = std::string("sgd_step_") + Type::name;
        const int32_t nesterov = options.is_nesterov;
        const device_array<float> factor(std::vector<float>{options.gradient_factor});
        const CUdeviceptr gradient_factor = options.gradient_factor == 1.0f ? k_null : factor.address();
        if constexpr (std::is_same_v<Type, f32_type>)
            launch("optimizer", entry, 5, 256, gradient.address(), state.address(), gradient_factor,
                   parameter.address(), buffer, average, count, options.momentum, options.weight_decay, nesterov,
                   options.average_decay);
        else
            launch("optimizer", entry, 5, 256, gradient.address(), state.address(), gradient_factor,
                   parameter.address(), buffer, compute_parameter.address(), average,
                   average == k_null ? k_null : compute_average.address(), count, options.momentum,
                   options.weight_decay, nesterov, options.average_decay);
    }
};
TYPED_TEST_SUITE(kernel_optimizer, element_types);

TYPED_TEST(kernel_optimizer, three_steps_equal_the_reference)
{
    using storage = typename TypeParam::storage;
    const sgd_options cases[] = {
        {0.1f, 1.0f, 0.0f, 0.0f, false, false},
        {0.1f, 1024.0f, 0.0f, 5e-4f, false, false},
        {0.05f, 8.0f, 0.9f, 0.0f, true, false},
        {0.05f, 1.0f, 0.9f, 1e-3f, true, false},
        {0.02f, 4.0f, 0.9f, 1e-3f, true, true},
        {0.02f, 4.0f, 0.9f, 1e-3f, true, true, 0.3f},
        {0.1f, 1.0f, 0.0f, 0.0f, false, false, 1.0f, 0.99f},
        {0.1f, 2.0f, 0.9f, 0.0f, true, false, 1.0f, 0.15f},
    };
    for (const sgd_options& options : cases)
        for (const size_t count : {1u, 17u, 100003u}) {
            std::vector<float> parameter = random_elements<f32_type>(count, 1.0, 4), buffer(count, 0.0f);
            std::vector<float> average = parameter;
            const device_array<float> device_parameter(parameter), device_buffer(buffer), device_average(average);
            const device_array<storage> compute_parameter(count), compute_average(count);
            for (unsigned step = 0; step < 3; ++step) {
                const device_array<kernels::step_state> state({{options.learning_rate, options.loss_scale, step, 0}});
                const std::vector<storage> gradient = random_elements<TypeParam>(count, 0.5, 10 + step);
                const device_array<storage> device_gradient(gradient);
                this->launch_step(device_gradient, state, device_parameter,
                                  options.has_buffer ? device_buffer.address() : k_null, compute_parameter,
                                  options.average_decay >= 0 ? device_average.address() : k_null, compute_average,
                                  static_cast<int64_t>(count), options);
                std::vector<double> values;
                for (const storage g : gradient)
                    values.push_back(TypeParam::value(g));
                sgd_reference(values, parameter, buffer, average, step, options);
            }
            expect_elements<f32_type>(device_parameter.download(), {parameter.begin(), parameter.end()});
            expect_elements<f32_type>(device_buffer.download(), {buffer.begin(), buffer.end()});
            expect_elements<f32_type>(device_average.download(), {average.begin(), average.end()});
            if (std::is_same_v<TypeParam, f32_type>)
                continue;
            std::vector<double> rounded;
            for (const float p : parameter)
                rounded.push_back(TypeParam::rounded(p));
            expect_elements<TypeParam>(compute_parameter.download(), rounded);
            if (options.average_decay < 0)
                continue;
            rounded.clear();
            for (const float a : average)
                rounded.push_back(TypeParam::rounded(a));
            expect_elements<TypeParam>(compute_average.download(), rounded);
        }
}

template <typename Type> class kernel_mixed_precision_optimizer : public kernel_optimizer<Type>
{
};
TYPED_TEST_SUITE(kernel_mixed_precision_optimizer, sixteen_bit_types);

// With a zero gradient the parameter stays, and its copy shows the conversion for every kind of float.
TYPED_TEST(kernel_mixed_precision_optimizer, compute_parameter_is_rounded_to_nearest_even)
{
    using storage = typename TypeParam::storage;
    std::vector<float> parameter = {
        0.0f,         -0.0f,    INFINITY,        -INFINITY, NAN,        65504.0f,        65519.996f,   65520.0f,
        -65520.0f,    65536.0f, 0x1p-24f,        0x1p-25f,  0x1.8p-24f, 0x1.000002p-25f, 0x1.ffcp-15f, 0x1.ffep-15f,
        0x1.fffp-15f, 0x1p-14f, 0x1.fffffep127f, 0x1p-149f, 0x1p-126f};
    // Patterns around every rounding border: the bits that are cut off are none, half, half and a little more.
    for (uint32_t upper = 0; upper < 0x10000; ++upper)
        for (const uint32_t lower : {0x0000u, 0x0001u, 0x1000u, 0x1001u, 0x7fffu, 0x8000u, 0x8001u, 0xf000u, 0xffffu}) {
            const uint32_t bits = upper << 16 | lower;
            float value;
            std::memcpy(&value, &bits, sizeof value);
            parameter.push_back(value);
        }
    std::vector<double> expected;
    for (const float p : parameter)
        expected.push_back(TypeParam::rounded(p));
    const size_t count = parameter.size();
    const device_array<float> device_parameter(parameter);
    const device_array<storage> gradient(std::vector<storage>(count, storage{0})), compute_parameter(count);
    const device_array<kernels::step_state> state({{0.0f, 1.0f, 0, 0}});
    this->launch_step(gradient, state, device_parameter, k_null, compute_parameter, k_null, compute_parameter,
                      static_cast<int64_t>(count), {0.0f, 1.0f, 0.0f, 0.0f, false, false});
    expect_elements<TypeParam>(compute_parameter.download(), expected);
}

} // namespace
} // namespace nin::tests
