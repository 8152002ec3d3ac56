// NIN_HOST_REPORT_LEAKS=1: one line on stderr when the process ends, with what was created and never released. Objects
// that went with their context count too: only its end released them. After a sticky error there is no line, as nothing
// can be released then.
#pragma once

#include <atomic>
#include <cstddef>

namespace nin::host
{

// What contexts still held when they were destroyed.
struct unreleased_objects {
    std::atomic<size_t> device_allocations{0}, host_allocations{0}, streams{0}, events{0}, modules{0}, graphs{0},
        executable_graphs{0};
};
unreleased_objects& unreleased() noexcept;

} // namespace nin::host
