#include "host/configuration.h"

#include "host/driver.h"
#include "host/failure_injection.h"
#include "host/lesser_device.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sched.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace nin::host
{
namespace
{

// nullptr when the variable is unset or empty.
const char* variable(const char* name)
{
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
}

int positive_count(const char* name, int fallback)
{
    const char* value = variable(name);
    if (value == nullptr)
        return fallback;
    int count = 0;
    const char* end = value + std::strlen(value);
    auto [stop, error] = std::from_chars(value, end, count);
    if (error != std::errc() || stop != end || count < 1)
        refuse_variable(name, value, "a positive number");
    return count;
}

stream_mode read_stream_mode()
{
    const char* value = variable("NIN_HOST_STREAMS");
    if (value == nullptr || std::strcmp(value, "worker") == 0)
        return stream_mode::worker;
    if (std::strcmp(value, "sync") == 0)
        return stream_mode::sync;
    if (std::strcmp(value, "deferred") == 0)
        return stream_mode::deferred;
    refuse_variable("NIN_HOST_STREAMS", value, "worker, sync or deferred");
}

bool read_switch(const char* name)
{
    const char* value = variable(name);
    if (value == nullptr || std::strcmp(value, "0") == 0)
        return false;
    if (std::strcmp(value, "1") == 0)
        return true;
    refuse_variable(name, value, "0 or 1");
}

// Physical memory, or the limit of the control group where that is lower.
size_t machine_memory_bytes()
{
    size_t bytes = static_cast<size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<size_t>(sysconf(_SC_PAGESIZE));
    for (const char* path : {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
        size_t limit = 0;
        if (std::ifstream(path) >> limit) // "max" does not parse: no limit
            bytes = std::min(bytes, limit);
    }
    return bytes;
}

size_t read_memory_limit(int devices)
{
    const char* value = variable("NIN_HOST_MEMORY_LIMIT");
    if (value == nullptr)
        return machine_memory_bytes() / static_cast<size_t>(devices);
    const size_t bytes = parse_bytes("NIN_HOST_MEMORY_LIMIT", value);
    if (bytes == 0)
        refuse_variable("NIN_HOST_MEMORY_LIMIT", value, "more than no memory");
    return bytes;
}

int available_cores()
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof(cores), &cores) == 0)
        return std::max(1, CPU_COUNT(&cores));
    return std::max(1, static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)));
}

configuration read_settings()
{
    configuration result{};
    result.streams = read_stream_mode();
    result.poison = read_switch("NIN_HOST_POISON");
    result.skips_work = read_switch("NIN_HOST_SKIP_WORK");
    result.reports_leaks = read_switch("NIN_HOST_REPORT_LEAKS");
    result.devices = positive_count("NIN_HOST_DEVICES", 1);
    result.device_memory_bytes = read_memory_limit(result.devices);
    if (const char* words = variable("NIN_HOST_LESSER"))
        parse_lesser_device(words); // refuses; lesser() reads it for itself, and so do the injected failures
    if (const char* failures = variable("NIN_HOST_FAIL"))
        parse_failures(failures);
    return result;
}

} // namespace

void refuse_variable(const char* name, std::string_view value, const char* expected)
{
    refuse(CUDA_ERROR_INVALID_VALUE, std::string(name) + "=" + std::string(value) + ": expected " + expected);
}

size_t parse_bytes(const char* name, std::string_view value)
{
    size_t bytes = 0;
    const char* const end = value.data() + value.size();
    auto [stop, error] = std::from_chars(value.data(), end, bytes);
    unsigned shift = 0;
    if (stop != end) {
        shift = *stop == 'K' ? 10 : *stop == 'M' ? 20 : *stop == 'G' ? 30 : 64;
        ++stop;
    }
    if (error != std::errc() || stop != end || shift == 64 || bytes > (SIZE_MAX >> shift))
        refuse_variable(name, value, "bytes, with an optional suffix K, M or G");
    return bytes << shift;
}

const configuration& settings()
{
    static const configuration result = read_settings();
    return result;
}

int thread_count()
{
    static const int result = positive_count("NIN_NUM_THREADS", available_cores());
    return result;
}

} // namespace nin::host
