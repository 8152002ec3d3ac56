#include "host/failure_injection.h"

#include "host/api.h"
#include "host/configuration.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <dlfcn.h>

namespace nin::host
{
namespace
{

constexpr const char* k_name = "NIN_HOST_FAIL";

bool is_exported(const std::string& function)
{
    Dl_info self{};
    if (dladdr(reinterpret_cast<const void*>(&is_exported), &self) == 0)
        return false;
    void* const library = dlopen(self.dli_fname, RTLD_NOW | RTLD_NOLOAD);
    const bool found = library != nullptr && dlsym(library, function.c_str()) != nullptr;
    if (library != nullptr)
        dlclose(library);
    return found;
}

template <typename Number> bool parse(std::string_view text, Number& value)
{
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && stop == text.data() + text.size();
}

injected_failure parse_failure(std::string_view entry)
{
    const size_t first = entry.find(':'), second = entry.find(':', first + 1);
    injected_failure failure{};
    if (first == std::string_view::npos || second == std::string_view::npos ||
        !parse(entry.substr(first + 1, second - first - 1), failure.call) || failure.call == 0 ||
        !parse(entry.substr(second + 1), failure.status) || failure.status == 0)
        refuse_variable(k_name, entry, "<function or *>:<call, from 1>:<status other than 0>, separated by commas");
    failure.function = entry.substr(0, first);
    if (failure.function != "*" && !is_exported(failure.function))
        refuse_variable(k_name, entry, "a function that the library exports");
    return failure;
}

// The failures and how often each one's function was called.
class injector
{
  public:
    injector() : failures_(read()), calls_(failures_.size()) {}

    std::optional<int> next(std::string_view function) noexcept
    {
        std::optional<int> status;
        for (size_t i = 0; i < failures_.size(); ++i)
            if ((failures_[i].function == "*" || failures_[i].function == function) && ++calls_[i] == failures_[i].call)
                status = failures_[i].status;
        return status;
    }

  private:
    static std::vector<injected_failure> read()
    {
        try {
            return parse_failures(std::getenv(k_name));
        } catch (...) {
            return {}; // cuInit refuses
        }
    }

    const std::vector<injected_failure> failures_;
    std::vector<std::atomic<uint64_t>> calls_;
};

} // namespace

std::vector<injected_failure> parse_failures(std::string_view list)
{
    std::vector<injected_failure> failures;
    for (size_t begin = 0; begin < list.size();) {
        const size_t end = std::min(list.find(',', begin), list.size());
        failures.push_back(parse_failure(list.substr(begin, end - begin)));
        begin = end + 1;
    }
    return failures;
}

const bool failures_are_injected = [] {
    const char* const list = std::getenv(k_name);
    return list != nullptr && *list != '\0';
}();

std::optional<int> next_injected_status(const char* function) noexcept
{
    static injector& all = *new injector; // never deleted: calls may still come while the process ends
    return all.next(function);
}

} // namespace nin::host
