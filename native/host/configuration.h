// The environment variables that shape the host provider, read once.
//   NIN_HOST_STREAMS       worker (default), sync or deferred: when an operation runs
//   NIN_HOST_POISON        1: fresh memory holds NaNs and lies between guard pages
//   NIN_HOST_MEMORY_LIMIT  bytes of memory per device (suffix K, M or G); default: the machine's, shared by the devices
//   NIN_HOST_DEVICES       number of devices (default 1)
//   NIN_HOST_LESSER        what the device lacks (lesser_device.h)
//   NIN_NUM_THREADS        threads an operation may use; default: the cores this process may run on
//   NIN_HOST_FAIL          calls that return an error (failure_injection.h)
//   NIN_HOST_REPORT_LEAKS  1: a line on stderr at exit with what was never released (leak_report.h)
//   NIN_HOST_SKIP_WORK     1, for benchmarks: operations are queued, ordered and checked, but do nothing
//   NIN_HOST_TRACE         1: one line per API call on stderr (read in api.cpp)
#pragma once

#include <cstddef>
#include <string_view>

namespace nin::host
{

enum class stream_mode {
    worker,   // one in-order thread per stream
    sync,     // in the call that submits it
    deferred, // when something waits for it
};

struct configuration {
    stream_mode streams;
    bool poison;
    bool skips_work;
    bool reports_leaks;
    int devices;
    size_t device_memory_bytes;
};

// Refuses with CUDA_ERROR_INVALID_VALUE when a variable holds something else than described above.
const configuration& settings();

// For the readers of variables: the refusal of a value, and a number of bytes with an optional suffix K, M or G.
[[noreturn]] void refuse_variable(const char* name, std::string_view value, const char* expected);
size_t parse_bytes(const char* name, std::string_view value);

} // namespace nin::host
