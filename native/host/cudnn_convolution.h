// Shared by the cuDNN convolution files: from descriptors to a checked convolution problem.
#pragma once

#include "host/convolution_plan.h"
#include "host/cudnn_objects.h"

namespace nin::host::cudnn
{

// The tensors of a convolution, whatever the direction: dx is described as x, dy as y, dw as w.
struct convolution_tensors {
    tensor_view x, w, y; // w: K, C, R, S as N, C, H, W
    convolution_problem problem;
};

// Dimensions of y for x (N, C, H, W) and a filter (K, C, R, S). BAD_PARAM where they don't fit.
std::array<int64_t, 4> convolution_output_dims(const cudnnConvolutionStruct& convolution,
                                               const std::array<int64_t, 4>& x, const std::array<int64_t, 4>& w);

// Checks types, layouts and dimensions against each other. The problem has method direct and no epilogue.
convolution_tensors checked_convolution(convolution_direction direction, cudnnTensorDescriptor_t xDesc,
                                        cudnnFilterDescriptor_t wDesc, cudnnConvolutionDescriptor_t convDesc,
                                        cudnnTensorDescriptor_t yDesc);

// The method behind an algorithm number of the direction; NOT_SUPPORTED where the algorithm doesn't do this problem.
// The tables are those of the cuDNN guide, 2-D; an algorithm without an entry there is refused.
convolution_method checked_method(const convolution_problem& problem, int algorithm);

// The workspace for the problem, whose method is set. Forward: enough for the fused call too, which has no query of its
// own.
size_t workspace_bytes_for(convolution_problem problem);

// The plan for the problem under an algorithm, with the workspace that the caller gave checked against its needs.
std::shared_ptr<const convolution_plan> checked_plan(convolution_problem problem, int algorithm, const void* workspace,
                                                     size_t workspace_bytes);

// The caller's workspace: all of it must be memory, however much of it is used.
memory_access workspace_access(void* workspace, size_t bytes);

// The operation that runs the plan: result = alpha * plan(first, second) + beta * result.
operation convolution_operation(const char* name, std::shared_ptr<const convolution_plan> plan,
                                const convolution_problem& problem, const memory_access& first,
                                const memory_access& second, const memory_access& workspace, blend_factors factors,
                                const tensor_view& result_view, void* result);

} // namespace nin::host::cudnn
