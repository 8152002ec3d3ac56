// The environment variables that shape the host provider, read once.
//   NIN_HOST_STREAMS       worker (default), sync or deferred: when an operation runs
//   NIN_HOST_POISON        1: fresh memory holds NaNs and lies between guard pages
//   NIN_HOST_MEMORY_LIMIT  bytes of memory per device (suffix K, M or G); default: the machine's, shared by the devices
//   NIN_HOST_DEVICES       number of devices (default 1)
//   NIN_NUM_THREADS        threads an operation may use; default: the cores this process may run on
//   NIN_HOST_TRACE         1: one line per API call on stderr (read in api.cpp)
#pragma once

#include <cstddef>

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
    int devices;
    size_t device_memory_bytes;
};

// Refuses with CUDA_ERROR_INVALID_VALUE when a variable holds something else than described above.
const configuration& settings();

} // namespace nin::host
