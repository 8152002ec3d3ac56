// Convolution by Winograd's minimal filtering: fewer multiplications than the direct sum, at some cost in rounding.
#pragma once

#include "host/convolution_plan.h"

namespace nin::host
{

// Whether the method exists for the problem: float or bfloat16, NHWC, 3x3 or 5x5, stride 1, dense, padding smaller than
// the filter.
bool winograd_fits(const convolution_problem& problem);

// Whether it is faster than the direct method.
bool winograd_pays(const convolution_problem& problem);

std::unique_ptr<const convolution_plan> make_winograd_convolution(const convolution_problem& problem);

} // namespace nin::host
