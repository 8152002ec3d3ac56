// cuDNN: convolution descriptors and output dimensions.
#include "host/cudnn_convolution.h"

using namespace nin::host;
using namespace nin::host::cudnn;

namespace nin::host::cudnn
{

std::array<int64_t, 4> convolution_output_dims(const cudnnConvolutionStruct& conv, const std::array<int64_t, 4>& x,
                                               const std::array<int64_t, 4>& w)
{
    require(x[1] == w[1], "x has C=", x[1], ", the filter expects C=", w[1]);
    const int64_t room_h = x[2] + 2 * conv.pad_h - ((w[2] - 1) * conv.dilation_h + 1);
    const int64_t room_w = x[3] + 2 * conv.pad_w - ((w[3] - 1) * conv.dilation_w + 1);
    require(room_h >= 0 && room_w >= 0, "a filter of ", w[2], "x", w[3], " with dilation ", conv.dilation_h, ", ",
            conv.dilation_w, " doesn't fit an image of ", x[2], "x", x[3], " with padding ", conv.pad_h, ", ",
            conv.pad_w);
    return {x[0], w[0], 1 + room_h / conv.stride_h, 1 + room_w / conv.stride_w};
}

} // namespace nin::host::cudnn

NIN_API cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* convDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return create_object(convDesc, "convDesc"); });
}

NIN_API cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convDesc)
{
    return guarded<cudnnStatus_t>(__func__, [&] { return destroy_object(convDesc, "convDesc"); });
}

NIN_API cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t convDesc, int pad_h, int pad_w,
                                                      int u, int v, int dilation_h, int dilation_w,
                                                      cudnnConvolutionMode_t mode, cudnnDataType_t computeType)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnConvolutionStruct& conv = checked(convDesc, "convDesc");
        require(pad_h >= 0 && pad_w >= 0, "padding ", pad_h, ", ", pad_w, " must not be negative");
        require(u > 0 && v > 0, "stride ", u, ", ", v, " must be positive");
        require(dilation_h > 0 && dilation_w > 0, "dilation ", dilation_h, ", ", dilation_w,
                " must be positive; 1 is dense");
        require(mode == CUDNN_CONVOLUTION || mode == CUDNN_CROSS_CORRELATION, "mode ", static_cast<int>(mode),
                " is not a convolution mode");
        require(computeType == CUDNN_DATA_FLOAT || computeType == CUDNN_DATA_DOUBLE || computeType == CUDNN_DATA_HALF ||
                    computeType == CUDNN_DATA_INT32,
                "computeType ", static_cast<int>(computeType), " is not an accumulation type");
        conv.is_set = true;
        conv.pad_h = pad_h;
        conv.pad_w = pad_w;
        conv.stride_h = u;
        conv.stride_w = v;
        conv.dilation_h = dilation_h;
        conv.dilation_w = dilation_w;
        conv.mode = mode;
        conv.compute_type = computeType;
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetConvolution2dDescriptor(const cudnnConvolutionDescriptor_t convDesc, int* pad_h,
                                                      int* pad_w, int* u, int* v, int* dilation_h, int* dilation_w,
                                                      cudnnConvolutionMode_t* mode, cudnnDataType_t* computeType)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const cudnnConvolutionStruct& conv = checked_set(convDesc, "convDesc");
        store_if(pad_h, conv.pad_h);
        store_if(pad_w, conv.pad_w);
        store_if(u, conv.stride_h);
        store_if(v, conv.stride_w);
        store_if(dilation_h, conv.dilation_h);
        store_if(dilation_w, conv.dilation_w);
        store_if(mode, conv.mode);
        store_if(computeType, conv.compute_type);
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convDesc, cudnnMathType_t mathType)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnConvolutionStruct& conv = checked(convDesc, "convDesc");
        require(mathType >= CUDNN_DEFAULT_MATH && mathType <= CUDNN_FMA_MATH, "mathType ", static_cast<int>(mathType),
                " is not a math type");
        conv.math_type = mathType;
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetConvolutionMathType(cudnnConvolutionDescriptor_t convDesc, cudnnMathType_t* mathType)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        require(mathType != nullptr, "mathType is null");
        *mathType = checked(convDesc, "convDesc").math_type;
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t convDesc, int groupCount)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        cudnnConvolutionStruct& conv = checked(convDesc, "convDesc");
        require(groupCount > 0, "groupCount ", groupCount, " must be positive");
        require_supported(groupCount == 1, "groupCount ", groupCount, ": the host provider has no grouped convolution");
        conv.group_count = groupCount;
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetConvolutionGroupCount(cudnnConvolutionDescriptor_t convDesc, int* groupCount)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        require(groupCount != nullptr, "groupCount is null");
        *groupCount = checked(convDesc, "convDesc").group_count;
        return CUDNN_STATUS_SUCCESS;
    });
}

NIN_API cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(const cudnnConvolutionDescriptor_t convDesc,
                                                            const cudnnTensorDescriptor_t inputTensorDesc,
                                                            const cudnnFilterDescriptor_t filterDesc, int* n, int* c,
                                                            int* h, int* w)
{
    return guarded<cudnnStatus_t>(__func__, [&] {
        const auto widen = [](const std::array<int, 4>& d) { return std::array<int64_t, 4>{d[0], d[1], d[2], d[3]}; };
        const auto dims = convolution_output_dims(checked_set(convDesc, "convDesc"),
                                                  widen(checked_set(inputTensorDesc, "inputTensorDesc").dims),
                                                  widen(checked_set(filterDesc, "filterDesc").dims));
        store_if(n, static_cast<int>(dims[0]));
        store_if(c, static_cast<int>(dims[1]));
        store_if(h, static_cast<int>(dims[2]));
        store_if(w, static_cast<int>(dims[3]));
        return CUDNN_STATUS_SUCCESS;
    });
}
