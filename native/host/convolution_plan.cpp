#include "host/convolution_plan.h"

#include "host/direct_convolution.h"
#include "host/driver.h"
#include "host/plan_cache.h"

namespace nin::host
{

std::shared_ptr<const convolution_plan> find_convolution_plan(const convolution_problem& problem)
{
    return immortal<plan_cache<convolution_problem, convolution_plan>>().find(problem, [](const convolution_problem& p) { return make_direct_convolution(p); });
}

} // namespace nin::host
