// Convolution of floats by oneDNN's direct primitives.
#pragma once

#include "host/convolution_plan.h"

namespace nin::host
{

std::unique_ptr<const convolution_plan> make_direct_convolution(const convolution_problem& problem);

} // namespace nin::host
