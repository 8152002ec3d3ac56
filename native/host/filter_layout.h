// Filters in other arrangements.
#pragma once

#include "host/numeric_types.h"

#include <cstdint>

namespace nin::host
{

// A packed filter of `outer` x `inner` planes of r x s taps: KCRS (outer = K, inner = C), or KRSC where channels_last.
struct filter_shape {
    int64_t outer, inner, r, s;
    bool channels_last;
};

enum class filter_arrangement {
    rotated,            // both spatial axes reversed
    transposed,         // outer and inner exchanged
    rotated_transposed, // both
};

// dst = src, rearranged; dst has the shape with outer and inner exchanged where it is transposed. dst is not src.
void arrange_filter(element_type type, const void* src, const filter_shape& shape, filter_arrangement arrangement,
                    void* dst);

} // namespace nin::host
