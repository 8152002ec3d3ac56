// Convolution by oneDNN's direct primitives, in the operands' own type.
#pragma once

#include "host/convolution_plan.h"

namespace nin::host
{

// Null where oneDNN has no optimised primitive for a 16-bit problem; floats always have one.
std::unique_ptr<const convolution_plan> make_direct_convolution(const convolution_problem& problem);

} // namespace nin::host
