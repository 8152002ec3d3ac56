// cuDNN: convolution forward, backward data, backward filter, backward bias, and the fused forward.
#include "host/cudnn_convolution.h"

#include "host/workspace.h"

#include <algorithm>

using namespace nin::host;
using namespace nin::host::cudnn;

namespace nin::host::cudnn
{

convolution_tensors checked_convolution(convolution_direction direction, cudnnTensorDescriptor_t xDesc,
                                        cudnnFilterDescriptor_t wDesc, cudnnConvolutionDescriptor_t convDesc,
                                        cudnnTensorDescriptor_t yDesc)
{
    const cudnnConvolutionStruct& conv = checked_set(convDesc, "convDesc");
    const cudnnFilterStruct& filter = checked_set(wDesc, "wDesc");
    const bool nhwc = filter.format == CUDNN_TENSOR_NHWC;
    const element_type filter_type = checked_element_type(filter.type, "wDesc");
    const std::array<int64_t, 4> w_dims{filter.dims[0], filter.dims[1], filter.dims[2], filter.dims[3]};
    const tensor_view x = checked_tensor(xDesc, "xDesc"), y = checked_tensor(yDesc, "yDesc");
    const tensor_view w = nhwc ? packed_nhwc(filter_type, w_dims) : packed_nchw(filter_type, w_dims);

    require(x.type == w.type && y.type == w.type, "x is ", describe(x), ", the filter ", describe(w), ", y ",
            describe(y), ": all three must have one type");
    require_supported(conv.compute_type == CUDNN_DATA_FLOAT, "compute type ", static_cast<int>(conv.compute_type),
                      ": the host provider accumulates in float (0) only");
    const auto expected = convolution_output_dims(conv, x.dims, w.dims);
    require(y.dims == expected, "the convolution of ", describe(x), " gives N,C,H,W (", expected[0], ", ", expected[1],
            ", ", expected[2], ", ", expected[3], "), but y is ", describe(y));
    const auto fits = nhwc ? is_packed_nhwc : is_packed_nchw;
    require_supported(fits(x) && fits(y), "the filter is ", nhwc ? "NHWC" : "NCHW",
                      ", so x and y must be packed in that layout, but x is ", describe(x), ", y ", describe(y));

    return {x,
            w,
            y,
            {direction,
             convolution_method::direct,
             convolution_epilogue::none,
             x.type,
             x.type,
             nhwc,
             conv.mode == CUDNN_CONVOLUTION,
             x.dims[0],
             x.dims[1],
             x.dims[2],
             x.dims[3],
             w.dims[0],
             w.dims[2],
             w.dims[3],
             y.dims[2],
             y.dims[3],
             conv.pad_h,
             conv.pad_w,
             conv.stride_h,
             conv.stride_w,
             conv.dilation_h,
             conv.dilation_w,
             thread_count()}};
}

size_t workspace_bytes_for(convolution_problem problem)
{
    if (problem.direction != convolution_direction::forward)
        return find_convolution_plan(problem)->workspace_bytes();
    size_t bytes = 0;
    for (const auto epilogue :
         {convolution_epilogue::none, convolution_epilogue::bias, convolution_epilogue::bias_relu}) {
        problem.epilogue = epilogue;
        bytes = std::max(bytes, find_convolution_plan(problem)->workspace_bytes());
    }
    return bytes;
}

std::shared_ptr<const convolution_plan> checked_plan(convolution_problem problem, int algorithm, const void* workspace,
                                                     size_t workspace_bytes)
{
    problem.method = checked_method(problem, algorithm);
    const size_t needed = workspace_bytes_for(problem);
    require(workspace_bytes >= needed, "algorithm ", algorithm, " needs a workspace of ", needed, " bytes, ",
            workspace_bytes, " were given");
    require(needed == 0 || workspace != nullptr, "algorithm ", algorithm, " needs a workspace of ", needed,
            " bytes, but workSpace is null");
    return find_convolution_plan(problem);
}

memory_access workspace_access(void* workspace, size_t bytes)
{
    return writes(workspace, workspace == nullptr ? 0 : bytes);
}

operation convolution_operation(const char* name, std::shared_ptr<const convolution_plan> plan,
                                const convolution_problem& problem, const memory_access& first,
                                const memory_access& second, const memory_access& workspace, blend_factors factors,
                                const tensor_view& result_view, void* result)
{
    operation op{name, {first, second, workspace, blends(result_view, result, factors, "the result")}, {}};
    if (factors.is_plain_store()) {
        op.body = [plan = std::move(plan)](void* const* p) { plan->run(p[0], p[1], nullptr, p[3], p[2]); };
        return op;
    }
    // Blending takes the result in float before it is rounded to its type; both live in memory of this thread.
    convolution_problem exact = problem;
    exact.result_type = element_type::f32;
    tensor_view exact_view = result_view;
    exact_view.type = element_type::f32;
    op.body = [plan = find_convolution_plan(exact), factors, result_view, exact_view](void* const* p) {
        workspace_layout parts;
        const size_t exact_result = parts.add(span_bytes(exact_view));
        const size_t exact_workspace = parts.add(plan->workspace_bytes());
        std::byte* const scratch = aligned_start(thread_scratch(parts.bytes()));
        plan->run(p[0], p[1], nullptr, scratch + exact_result, scratch + exact_workspace);
        blend({exact_view, scratch + exact_result}, factors, {result_view, p[3]});
    };
    return op;
}

} // namespace nin::host::cudnn

NIN_API cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t handle, const void* alpha,
                                              const cudnnTensorDescriptor_t xDesc, const void* x,
                                              const cudnnFilterDescriptor_t wDesc, const void* w,
                                              const cudnnConvolutionDescriptor_t convDesc,
                                              cudnnConvolutionFwdAlgo_t algo, void* workSpace,
                                              size_t workSpaceSizeInBytes, const void* beta,
                                              const cudnnTensorDescriptor_t yDesc, void* y)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const auto t = checked_convolution(convolution_direction::forward, xDesc, wDesc, convDesc, yDesc);
        const blend_factors factors = checked_factors(alpha, beta);
        return enqueue(context,
                       convolution_operation("cudnnConvolutionForward",
                                             checked_plan(t.problem, algo, workSpace, workSpaceSizeInBytes), t.problem,
                                             reads(t.x, x, "x"), reads(t.w, w, "w"),
                                             workspace_access(workSpace, workSpaceSizeInBytes), factors, t.y, y));
    });
}

NIN_API cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t handle, const void* alpha,
                                                   const cudnnFilterDescriptor_t wDesc, const void* w,
                                                   const cudnnTensorDescriptor_t dyDesc, const void* dy,
                                                   const cudnnConvolutionDescriptor_t convDesc,
                                                   cudnnConvolutionBwdDataAlgo_t algo, void* workSpace,
                                                   size_t workSpaceSizeInBytes, const void* beta,
                                                   const cudnnTensorDescriptor_t dxDesc, void* dx)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const auto t = checked_convolution(convolution_direction::backward_data, dxDesc, wDesc, convDesc, dyDesc);
        const blend_factors factors = checked_factors(alpha, beta);
        return enqueue(context,
                       convolution_operation("cudnnConvolutionBackwardData",
                                             checked_plan(t.problem, algo, workSpace, workSpaceSizeInBytes), t.problem,
                                             reads(t.y, dy, "dy"), reads(t.w, w, "w"),
                                             workspace_access(workSpace, workSpaceSizeInBytes), factors, t.x, dx));
    });
}

NIN_API cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t handle, const void* alpha,
                                                     const cudnnTensorDescriptor_t xDesc, const void* x,
                                                     const cudnnTensorDescriptor_t dyDesc, const void* dy,
                                                     const cudnnConvolutionDescriptor_t convDesc,
                                                     cudnnConvolutionBwdFilterAlgo_t algo, void* workSpace,
                                                     size_t workSpaceSizeInBytes, const void* beta,
                                                     const cudnnFilterDescriptor_t dwDesc, void* dw)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const auto t = checked_convolution(convolution_direction::backward_filter, xDesc, dwDesc, convDesc, dyDesc);
        const blend_factors factors = checked_factors(alpha, beta);
        return enqueue(context,
                       convolution_operation("cudnnConvolutionBackwardFilter",
                                             checked_plan(t.problem, algo, workSpace, workSpaceSizeInBytes), t.problem,
                                             reads(t.x, x, "x"), reads(t.y, dy, "dy"),
                                             workspace_access(workSpace, workSpaceSizeInBytes), factors, t.w, dw));
    });
}

NIN_API cudnnStatus_t cudnnConvolutionBackwardBias(cudnnHandle_t handle, const void* alpha,
                                                   const cudnnTensorDescriptor_t dyDesc, const void* dy,
                                                   const void* beta, const cudnnTensorDescriptor_t dbDesc, void* db)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const tensor_view dyv = checked_tensor(dyDesc, "dyDesc"), dbv = checked_tensor(dbDesc, "dbDesc");
        const blend_factors factors = checked_factors(alpha, beta);
        require(dbv.dims == std::array<int64_t, 4>{1, dyv.dims[1], 1, 1} && dbv.type == dyv.type, "dy is ",
                describe(dyv), ", so db must be of its type with N,C,H,W (1, ", dyv.dims[1], ", 1, 1), but is ",
                describe(dbv));
        check_layout(dyv, "dy");
        require_supported(is_packed(dbv), "db must be packed, but is ", describe(dbv));
        require_supported(is_packed_nhwc(dyv) || is_packed_nchw(dyv), "dy must be packed NHWC or NCHW, but is ",
                          describe(dyv));
        return enqueue(context, {"cudnnConvolutionBackwardBias",
                                 {reads(dyv, dy, "dy"), blends(dbv, db, factors, "db")},
                                 [=](void* const* p) {
                                     sum_to_channels({dyv, p[0]}, factors, p[1]);
                                 }});
    });
}

NIN_API cudnnStatus_t cudnnConvolutionBiasActivationForward(
    cudnnHandle_t handle, const void* alpha1, const cudnnTensorDescriptor_t xDesc, const void* x,
    const cudnnFilterDescriptor_t wDesc, const void* w, const cudnnConvolutionDescriptor_t convDesc,
    cudnnConvolutionFwdAlgo_t algo, void* workSpace, size_t workSpaceSizeInBytes, const void* alpha2,
    const cudnnTensorDescriptor_t zDesc, const void* z, const cudnnTensorDescriptor_t biasDesc, const void* bias,
    const cudnnActivationDescriptor_t activationDesc, const cudnnTensorDescriptor_t yDesc, void* y)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        auto t = checked_convolution(convolution_direction::forward, xDesc, wDesc, convDesc, yDesc);
        const tensor_view zv = checked_tensor(zDesc, "zDesc"), bv = checked_tensor(biasDesc, "biasDesc");
        const cudnnActivationStruct& activation = checked_set(activationDesc, "activationDesc");
        const blend_factors factors = checked_factors(alpha1, alpha2); // alpha is alpha1, beta is z's factor
        require_supported(activation.mode == CUDNN_ACTIVATION_RELU || activation.mode == CUDNN_ACTIVATION_IDENTITY,
                          "activation mode ", static_cast<int>(activation.mode),
                          " is neither RELU (1) nor IDENTITY (5)");
        require_supported(
            activation.mode != CUDNN_ACTIVATION_IDENTITY || algo == CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM,
            "CUDNN_ACTIVATION_IDENTITY needs algorithm IMPLICIT_PRECOMP_GEMM (1), not ", static_cast<int>(algo));
        require_supported(activation.nan == CUDNN_NOT_PROPAGATE_NAN, "the activation must not propagate NaN");
        require(zv == t.y, "z is ", describe(zv), ", y is ", describe(t.y), ": they must be described alike");
        require(bv.dims == std::array<int64_t, 4>{1, t.y.dims[1], 1, 1} && bv.type == t.y.type && bv.strides[1] == 1,
                "y is ", describe(t.y), ", so the bias must be of its type with N,C,H,W (1, ", t.y.dims[1],
                ", 1, 1) and C stride 1, but is ", describe(bv));
        const bool relu = activation.mode == CUDNN_ACTIVATION_RELU;

        auto fused = t.problem;
        fused.epilogue = relu ? convolution_epilogue::bias_relu : convolution_epilogue::bias;
        const auto plan = checked_plan(fused, algo, workSpace, workSpaceSizeInBytes);
        check_pointer(z, zv.type, "z");
        operation op{"cudnnConvolutionBiasActivationForward",
                     {reads(t.x, x, "x"), reads(t.w, w, "w"), reads(bv, bias, "bias"),
                      workspace_access(workSpace, workSpaceSizeInBytes), writes(t.y, y, "y")},
                     {}};
        if (factors.is_plain_store()) {
            op.body = [plan](void* const* p) { plan->run(p[0], p[1], p[2], p[4], p[3]); };
            return enqueue(context, std::move(op));
        }
        auto exact = t.problem;
        exact.method = checked_method(exact, algo);
        exact.result_type = element_type::f32;
        tensor_view exact_view = t.y;
        exact_view.type = element_type::f32;
        op.accesses.push_back(factors.beta != 0 ? reads(zv, z, "z") : memory_access{0, 0, access_kind::read});
        op.body = [plan = find_convolution_plan(exact), factors, exact_view, zv, bv, relu](void* const* p) {
            workspace_layout parts;
            const size_t exact_result = parts.add(span_bytes(exact_view));
            const size_t exact_workspace = parts.add(plan->workspace_bytes());
            std::byte* const scratch = aligned_start(thread_scratch(parts.bytes()));
            plan->run(p[0], p[1], nullptr, scratch + exact_result, scratch + exact_workspace);
            bias_activation({exact_view, scratch + exact_result}, factors.alpha, {zv, p[5]}, factors.beta, {bv, p[2]},
                            relu, {zv, p[4]});
        };
        return enqueue(context, std::move(op));
    });
}
