#include "host/lesser_device.h"

#include "host/configuration.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string>

namespace nin::host
{
namespace
{

constexpr const char* k_name = "NIN_HOST_LESSER";

[[noreturn]] void refuse_word(std::string_view word)
{
    refuse_variable(k_name, word,
                    "no-nhwc-f32, no-nhwc-f16, no-nhwc-bf16, no-f16, no-bf16, only-algo0, workspace=<bytes>, "
                    "no-lt-epilogue, cudnn8, driver=<number such as 11040> or cuda13, separated by commas");
}

int parse_driver_version(std::string_view word, std::string_view number)
{
    int version = 0;
    const auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), version);
    if (error != std::errc() || stop != number.data() + number.size() || version < 11010 || version >= 14000)
        refuse_word(word);
    return version;
}

void apply(lesser_device& device, std::string_view word)
{
    constexpr auto index = [](element_type type) { return static_cast<size_t>(type); };
    if (word == "no-nhwc-f32")
        device.has_nhwc[index(element_type::f32)] = false;
    else if (word == "no-nhwc-f16")
        device.has_nhwc[index(element_type::f16)] = false;
    else if (word == "no-nhwc-bf16")
        device.has_nhwc[index(element_type::bf16)] = false;
    else if (word == "no-f16")
        device.has_type[index(element_type::f16)] = false;
    else if (word == "no-bf16")
        device.has_type[index(element_type::bf16)] = false;
    else if (word == "only-algo0")
        device.only_algorithm_0 = true;
    else if (word == "no-lt-epilogue")
        device.has_lt_epilogues = false;
    else if (word == "cudnn8")
        device.is_cudnn8 = true;
    else if (word == "cuda13")
        device.driver_version = 13000;
    else if (word.starts_with("workspace="))
        device.workspace_bytes = parse_bytes(k_name, word.substr(word.find('=') + 1));
    else if (word.starts_with("driver="))
        device.driver_version = parse_driver_version(word, word.substr(word.find('=') + 1));
    else
        refuse_word(word);
}

} // namespace

int lesser_device::newest_ptx_version() const
{
    // PTX 7.x came with CUDA 11.x and 8.x with 12.x, in step up to 12.5; 12.6 brought none.
    const int major = driver_version / 1000, minor = driver_version % 1000 / 10;
    return (major - 4) * 10 + (major == 12 && minor > 5 ? minor - 1 : minor);
}

lesser_device parse_lesser_device(std::string_view words)
{
    lesser_device device;
    for (size_t begin = 0; begin < words.size();) {
        const size_t end = std::min(words.find(',', begin), words.size());
        apply(device, words.substr(begin, end - begin));
        begin = end + 1;
    }
    return device;
}

lesser_device current_lesser_device() noexcept
{
    try {
        const char* const words = std::getenv(k_name);
        return parse_lesser_device(words == nullptr ? "" : words);
    } catch (...) {
        return {};
    }
}

const lesser_device& lesser() noexcept
{
    static const lesser_device device = current_lesser_device();
    return device;
}

} // namespace nin::host
