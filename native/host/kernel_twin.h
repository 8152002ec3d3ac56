// Makes kernel_twin entries out of kernels compiled for the CPU: the parameter list comes from the function's
// signature, what it touches from a function with the same parameters, and the launch is spread over the threads.
#pragma once

#include "host/kernel_registry.h"
#include "kernels/device.h"

#include <array>
#include <cstring>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

namespace nin::host
{

// The accesses to an array of count elements; a null pointer or an empty array is not touched. A launch's arguments
// come unchecked from outside: a count too large for memory becomes a size that no allocation has.
template <typename T>
memory_access array_access(const T* pointer, access_kind kind, std::initializer_list<int64_t> shape)
{
    size_t bytes = sizeof(T);
    for (const int64_t extent : shape) {
        if (pointer == nullptr || extent <= 0)
            return {0, 0, kind};
        if (__builtin_mul_overflow(bytes, static_cast<size_t>(extent), &bytes))
            bytes = SIZE_MAX;
    }
    return {reinterpret_cast<CUdeviceptr>(pointer), bytes, kind};
}
template <typename T> memory_access reads_array(const T* pointer, std::initializer_list<int64_t> shape)
{
    return array_access(pointer, access_kind::read, shape);
}
template <typename T> memory_access writes_array(const T* pointer, std::initializer_list<int64_t> shape)
{
    return array_access(pointer, access_kind::write, shape);
}
template <typename T> memory_access updates_array(const T* pointer, std::initializer_list<int64_t> shape)
{
    return array_access(pointer, access_kind::read_write, shape);
}

// Calls launch once on each of the threads that the operation may use, with kernels::current_host_thread set; on this
// thread alone where the bytes touched are too few to be worth waking the others. Rethrows what a launch throws.
void run_on_threads(size_t bytes_touched, void (*launch)(const void* context), const void* context);

namespace detail
{

template <typename Signature> struct twin_signature;

template <typename... Parameters> struct twin_signature<void (*)(Parameters...)> {
    static constexpr size_t pointer_count = (0 + ... + (std::is_pointer_v<Parameters> ? 1 : 0));

    static std::vector<kernel_parameter> parameters()
    {
        return {kernel_parameter{sizeof(Parameters), std::is_pointer_v<Parameters>}...};
    }

    template <typename Function> static auto apply(Function function, kernel_arguments arguments)
    {
        std::tuple<Parameters...> values;
        [&]<size_t... I>(std::index_sequence<I...>)
        {
            (std::memcpy(&std::get<I>(values), arguments[I], sizeof(Parameters)), ...);
        }
        (std::index_sequence_for<Parameters...>());
        return std::apply(function, values);
    }
};

} // namespace detail

// Kernel: the entry, compiled for the CPU. Accesses: takes the same parameters and returns a std::array with one access
// per pointer parameter, in parameter order.
template <auto Kernel, auto Accesses> kernel_twin make_kernel_twin(std::string_view name)
{
    using signature = detail::twin_signature<decltype(Kernel)>;
    using access_array = decltype(signature::apply(Accesses, kernel_arguments{}));
    static_assert(std::tuple_size_v<access_array> == signature::pointer_count, "one access per pointer parameter");

    return {name, signature::parameters(),
            [](kernel_arguments arguments) {
                const access_array accesses = signature::apply(Accesses, arguments);
                return std::vector<memory_access>(accesses.begin(), accesses.end());
            },
            [](kernel_arguments arguments) {
                size_t bytes_touched = 0;
                for (const memory_access& access : signature::apply(Accesses, arguments))
                    bytes_touched += access.bytes;
                run_on_threads(
                    bytes_touched,
                    [](const void* context) { signature::apply(Kernel, static_cast<kernel_arguments>(context)); },
                    static_cast<const void*>(arguments));
            }};
}

// The twins of each kernel family, as kernels/<family>.cu has them.
std::vector<kernel_twin> augmentation_twins();
std::vector<kernel_twin> input_twins();
std::vector<kernel_twin> dropout_twins();
std::vector<kernel_twin> loss_twins();
std::vector<kernel_twin> loss_scaling_twins();
std::vector<kernel_twin> gradient_clipping_twins();
std::vector<kernel_twin> optimizer_twins();
std::vector<kernel_twin> activation_twins();

} // namespace nin::host
