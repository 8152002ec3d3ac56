// cuDNN: pooling descriptors, 2-D pooling forward and backward.
#include "host/cudnn_objects.h"
#include "host/pooling.h"

using namespace nin::host;
using namespace nin::host::cudnn;

namespace
{

pooling_window checked_window(cudnnPoolingDescriptor_t descriptor)
{
    const cudnnPoolingStruct& pooling = checked_set(descriptor, "poolingDesc");
    const pooling_mode mode = pooling.mode == CUDNN_POOLING_MAX                 ? pooling_mode::max
                              : pooling.mode == CUDNN_POOLING_MAX_DETERMINISTIC ? pooling_mode::max_equal_to_output
                              : pooling.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING
                                  ? pooling_mode::average_including_padding
                                  : pooling_mode::average_excluding_padding;
    return {mode,
            pooling.nan == CUDNN_PROPAGATE_NAN,
            pooling.window_h,
            pooling.window_w,
            pooling.pad_h,
            pooling.pad_w,
            pooling.stride_h,
            pooling.stride_w};
}

// The dimensions that pooling a tensor of these dimensions gives.
std::array<int64_t, 4> output_dims(const pooling_window& p, const std::array<int64_t, 4>& in)
{
    const int64_t room_h = in[2] + 2 * p.pad_h - p.window_h, room_w = in[3] + 2 * p.pad_w - p.window_w;
    require(room_h >= 0 && room_w >= 0, "a window of ", p.window_h, "x", p.window_w, " doesn't fit an image of ", in[2],
            "x", in[3], " with padding ", p.pad_h, ", ", p.pad_w);
    return {in[0], in[1], 1 + room_h / p.stride_h, 1 + room_w / p.stride_w};
}

void check_output(const pooling_window& window, const tensor_view& x, const tensor_view& y)
{
    check_layout(x, "x");
    check_layout(y, "y");
    const auto expected = output_dims(window, x.dims);
    require(y.dims == expected, "x, ", describe(x), ", is pooled to N,C,H,W (", expected[0], ", ", expected[1], ", ",
            expected[2], ", ", expected[3], "), but y is ", describe(y));
    require(x.type == y.type, "x is ", describe(x), ", y is ", describe(y), ": types differ");
}

} // namespace

NIN_API cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* poolingDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return create_object(poolingDesc, "poolingDesc"); });
}

NIN_API cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t poolingDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return destroy_object(poolingDesc, "poolingDesc"); });
}

NIN_API cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t poolingDesc, cudnnPoolingMode_t mode,
                                                  cudnnNanPropagation_t maxpoolingNanOpt, int windowHeight,
                                                  int windowWidth, int verticalPadding, int horizontalPadding,
                                                  int verticalStride, int horizontalStride)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnPoolingStruct& pooling = checked(poolingDesc, "poolingDesc");
        require(mode >= CUDNN_POOLING_MAX && mode <= CUDNN_POOLING_MAX_DETERMINISTIC, "mode ", static_cast<int>(mode),
                " is not a pooling mode");
        require(maxpoolingNanOpt == CUDNN_NOT_PROPAGATE_NAN || maxpoolingNanOpt == CUDNN_PROPAGATE_NAN,
                "maxpoolingNanOpt is ", static_cast<int>(maxpoolingNanOpt));
        require(windowHeight > 0 && windowWidth > 0, "window ", windowHeight, "x", windowWidth, " must be positive");
        require(verticalStride > 0 && horizontalStride > 0, "stride ", verticalStride, ", ", horizontalStride,
                " must be positive");
        require(verticalPadding >= 0 && horizontalPadding >= 0, "padding ", verticalPadding, ", ", horizontalPadding,
                " must not be negative");
        // Otherwise a window could lie in the padding entirely, and its maximum would be of nothing.
        require(verticalPadding < windowHeight && horizontalPadding < windowWidth, "padding ", verticalPadding, ", ",
                horizontalPadding, " must be smaller than the window, ", windowHeight, "x", windowWidth);
        pooling = {true,
                   mode,
                   maxpoolingNanOpt,
                   windowHeight,
                   windowWidth,
                   verticalPadding,
                   horizontalPadding,
                   verticalStride,
                   horizontalStride};
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetPooling2dDescriptor(const cudnnPoolingDescriptor_t poolingDesc, cudnnPoolingMode_t* mode,
                                                  cudnnNanPropagation_t* maxpoolingNanOpt, int* windowHeight,
                                                  int* windowWidth, int* verticalPadding, int* horizontalPadding,
                                                  int* verticalStride, int* horizontalStride)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnPoolingStruct& pooling = checked_set(poolingDesc, "poolingDesc");
        store_if(mode, pooling.mode);
        store_if(maxpoolingNanOpt, pooling.nan);
        store_if(windowHeight, pooling.window_h);
        store_if(windowWidth, pooling.window_w);
        store_if(verticalPadding, pooling.pad_h);
        store_if(horizontalPadding, pooling.pad_w);
        store_if(verticalStride, pooling.stride_h);
        store_if(horizontalStride, pooling.stride_w);
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetPooling2dForwardOutputDim(const cudnnPoolingDescriptor_t poolingDesc,
                                                        const cudnnTensorDescriptor_t inputTensorDesc, int* n, int* c,
                                                        int* h, int* w)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const pooling_window window = checked_window(poolingDesc);
        const cudnnTensorStruct& input = checked_set(inputTensorDesc, "inputTensorDesc");
        const auto dims = output_dims(window, {input.dims[0], input.dims[1], input.dims[2], input.dims[3]});
        store_if(n, static_cast<int>(dims[0]));
        store_if(c, static_cast<int>(dims[1]));
        store_if(h, static_cast<int>(dims[2]));
        store_if(w, static_cast<int>(dims[3]));
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnPoolingForward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t poolingDesc,
                                          const void* alpha, const cudnnTensorDescriptor_t xDesc, const void* x,
                                          const void* beta, const cudnnTensorDescriptor_t yDesc, void* y)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const pooling_window window = checked_window(poolingDesc);
        const blend_factors factors = checked_factors(alpha, beta);
        const tensor_view xv = checked_tensor(xDesc, "xDesc"), yv = checked_tensor(yDesc, "yDesc");
        check_output(window, xv, yv);
        return enqueue(context,
                       {"cudnnPoolingForward", {reads(xv, x, "x"), blends(yv, y, factors, "y")}, [=](void* const* p) {
                            pool_forward(window, {xv, p[0]}, factors, {yv, p[1]});
                        }});
    });
}

NIN_API cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t handle, const cudnnPoolingDescriptor_t poolingDesc,
                                           const void* alpha, const cudnnTensorDescriptor_t yDesc, const void* y,
                                           const cudnnTensorDescriptor_t dyDesc, const void* dy,
                                           const cudnnTensorDescriptor_t xDesc, const void* x, const void* beta,
                                           const cudnnTensorDescriptor_t dxDesc, void* dx)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnContext& context = checked(handle, "handle");
        const pooling_window window = checked_window(poolingDesc);
        const blend_factors factors = checked_factors(alpha, beta);
        const tensor_view yv = checked_tensor(yDesc, "yDesc"), dyv = checked_tensor(dyDesc, "dyDesc");
        const tensor_view xv = checked_tensor(xDesc, "xDesc"), dxv = checked_tensor(dxDesc, "dxDesc");
        check_output(window, xv, yv);
        require(dyv.dims == yv.dims && dyv.type == yv.type, "y is ", describe(yv), ", dy is ", describe(dyv),
                ": type and dimensions must be the same");
        require(dxv.dims == xv.dims && dxv.type == xv.type, "x is ", describe(xv), ", dx is ", describe(dxv),
                ": type and dimensions must be the same");
        require_supported(yv.strides == dyv.strides && xv.strides == dxv.strides,
                          "strides of y and dy, and of x and dx, must be the same in pairs");
        return enqueue(context,
                       {"cudnnPoolingBackward",
                        {reads(yv, y, "y"), reads(dyv, dy, "dy"), reads(xv, x, "x"), blends(dxv, dx, factors, "dx")},
                        [=](void* const* p) {
                            pool_backward(window, {yv, p[0]}, {dyv, p[1]}, {xv, p[2]}, factors, {dxv, p[3]});
                        }});
    });
}
