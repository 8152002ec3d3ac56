// The trace line of an API call and the text of the calling thread's last refusal.
#include "host/api.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace nin::host
{
namespace
{

const bool trace_enabled = [] {
    const char* value = std::getenv("NIN_HOST_TRACE");
    return value != nullptr && std::strcmp(value, "1") == 0;
}();

std::string& error_text() noexcept
{
    thread_local std::string text;
    return text;
}

} // namespace

void trace_call(const char* function, int status, const char* text) noexcept
{
    if (!trace_enabled) [[likely]]
        return;
    std::fprintf(stderr, "nin_host: %s -> %d%s%s\n", function, status, *text != '\0' ? ": " : "", text);
}

void set_last_error_text(const char* text) noexcept
{
    try {
        error_text() = text;
    } catch (...) {
        error_text().clear(); // no memory for the text: better none than an old one
    }
}

const std::string& last_error_text() noexcept
{
    return error_text();
}

} // namespace nin::host
