// cuDNN: activation descriptors, ReLU forward and backward.
#include "host/cudnn_objects.h"

using namespace nin::host;
using namespace nin::host::cudnn;

namespace
{

// Refuses everything but ReLU, which is what can be run on its own here.
const cudnnActivationStruct& checked_relu(cudnnActivationDescriptor_t descriptor)
{
    const cudnnActivationStruct& activation = checked_set(descriptor, "activationDesc");
    require(activation.mode != CUDNN_ACTIVATION_IDENTITY,
            "CUDNN_ACTIVATION_IDENTITY is for the fused convolution only");
    require_supported(activation.mode == CUDNN_ACTIVATION_RELU, "activation mode ", static_cast<int>(activation.mode),
                      ": the host provider has RELU (1) only");
    return activation;
}

} // namespace

NIN_API cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* activationDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return create_object(activationDesc, "activationDesc"); });
}

NIN_API cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activationDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return destroy_object(activationDesc, "activationDesc"); });
}

NIN_API cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activationDesc,
                                                   cudnnActivationMode_t mode, cudnnNanPropagation_t reluNanOpt,
                                                   double coef)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnActivationStruct& activation = checked(activationDesc, "activationDesc");
        require(mode >= CUDNN_ACTIVATION_SIGMOID && mode <= CUDNN_ACTIVATION_SWISH, "mode ", static_cast<int>(mode),
                " is not an activation mode");
        require(reluNanOpt == CUDNN_NOT_PROPAGATE_NAN || reluNanOpt == CUDNN_PROPAGATE_NAN, "reluNanOpt is ",
                static_cast<int>(reluNanOpt));
        activation = {true, mode, reluNanOpt, coef};
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetActivationDescriptor(const cudnnActivationDescriptor_t activationDesc,
                                                   cudnnActivationMode_t* mode, cudnnNanPropagation_t* reluNanOpt,
                                                   double* coef)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnActivationStruct& activation = checked_set(activationDesc, "activationDesc");
        store_if(mode, activation.mode);
        store_if(reluNanOpt, activation.nan);
        store_if(coef, activation.coef);
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle, cudnnActivationDescriptor_t activationDesc,
                                             const void* alpha, const cudnnTensorDescriptor_t xDesc, const void* x,
                                             const void* beta, const cudnnTensorDescriptor_t yDesc, void* y)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const bool propagate_nan = checked_relu(activationDesc).nan == CUDNN_PROPAGATE_NAN;
        const tensor_view from = checked_tensor(xDesc, "xDesc"), to = checked_tensor(yDesc, "yDesc");
        check_layout(from, "x");
        check_layout(to, "y");
        const blend_factors factors = checked_factors(alpha, beta);
        require(from.dims == to.dims && from.type == to.type, "x is ", describe(from), ", y is ", describe(to),
                ": type and dimensions must be the same");
        require(x != y || from == to, "x and y are the same memory, but described as ", describe(from), " and ",
                describe(to));
        return enqueue(
            context,
            {"cudnnActivationForward", {reads(from, x, "x"), blends(to, y, factors, "y")}, [=](void* const* p) {
                 relu_forward({from, p[0]}, propagate_nan, factors, {to, p[1]});
             }});
    });
}

NIN_API cudnnStatus_t cudnnActivationBackward(cudnnHandle_t handle, cudnnActivationDescriptor_t activationDesc,
                                              const void* alpha, const cudnnTensorDescriptor_t yDesc, const void* y,
                                              const cudnnTensorDescriptor_t dyDesc, const void* dy,
                                              const cudnnTensorDescriptor_t xDesc, const void* x, const void* beta,
                                              const cudnnTensorDescriptor_t dxDesc, void* dx)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        checked_relu(activationDesc);
        const tensor_view yv = checked_tensor(yDesc, "yDesc"), dyv = checked_tensor(dyDesc, "dyDesc");
        const tensor_view xv = checked_tensor(xDesc, "xDesc"), dxv = checked_tensor(dxDesc, "dxDesc");
        const blend_factors factors = checked_factors(alpha, beta);
        for (const auto& [view, name] : {std::pair{&yv, "y"}, {&dyv, "dy"}, {&xv, "x"}, {&dxv, "dx"}})
            check_layout(*view, name);
        for (const tensor_view* other : {&yv, &dyv, &xv})
            require(other->dims == dxv.dims && other->type == dxv.type, "dx is ", describe(dxv), " beside ",
                    describe(*other), ": type and dimensions must be the same");
        require_supported(yv.strides == dyv.strides && xv.strides == dxv.strides,
                          "strides of y and dy, and of x and dx, must be the same in pairs");
        require(dy != dx || dyv == dxv, "dy and dx are the same memory, but described as ", describe(dyv), " and ",
                describe(dxv));
        // The mask is x > 0. y isn't needed for it, but must be there, as cuDNN may read it.
        return enqueue(context,
                       {"cudnnActivationBackward",
                        {reads(xv, x, "x"), reads(dyv, dy, "dy"), reads(yv, y, "y"), blends(dxv, dx, factors, "dx")},
                        [=](void* const* p) {
                            relu_backward({xv, p[0]}, {dyv, p[1]}, factors, {dxv, p[3]});
                        }});
    });
}
