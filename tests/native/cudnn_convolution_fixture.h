// A convolution's descriptors, operands and plain-loop results, for the tests of cuDNN's convolutions.
#pragma once

#include "cudnn_test.h"

namespace nin::tests
{

struct convolution_case {
    int n, c, h, w;
    int k, r, s;
    int pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w;
};

enum class direction { forward, backward_data, backward_filter };

// Described and filled on both sides: x, w, y as their descriptors say.
template <typename Type> struct convolution_fixture {
    using T = typename Type::storage;

    convolution_case p;
    cudnnTensorFormat_t format;
    tensor_shape x, w, y;
    tensor_descriptor x_desc, y_desc;
    filter_descriptor w_desc;
    convolution_descriptor conv_desc;
    std::vector<T> x_data, w_data, y_data;

    convolution_fixture(const convolution_case& c, cudnnTensorFormat_t format,
                        cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION)
        : p(c), format(format)
    {
        const int out_h = 1 + (p.h + 2 * p.pad_h - ((p.r - 1) * p.dilation_h + 1)) / p.stride_h;
        const int out_w = 1 + (p.w + 2 * p.pad_w - ((p.s - 1) * p.dilation_w + 1)) / p.stride_w;
        x = tensor_shape::packed(format, {p.n, p.c, p.h, p.w});
        w = tensor_shape::packed(format, {p.k, p.c, p.r, p.s});
        y = tensor_shape::packed(format, {p.n, p.k, out_h, out_w});
        set(x_desc, data_type_of<Type>(), x);
        set(y_desc, data_type_of<Type>(), y);
        set(w_desc, data_type_of<Type>(), format, w.dims);
        if (cudnnSetConvolution2dDescriptor(conv_desc, p.pad_h, p.pad_w, p.stride_h, p.stride_w, p.dilation_h,
                                            p.dilation_w, mode, CUDNN_DATA_FLOAT) != CUDNN_STATUS_SUCCESS)
            throw std::runtime_error("the convolution descriptor could not be set");
        x_data = small_integers<Type>(x.count(), 3, 1);
        w_data = small_integers<Type>(w.count(), 3, 2);
        y_data = small_integers<Type>(y.count(), 3, 3);
    }

    // body(x index, w index, y index) for every product of the convolution.
    void for_each_product(bool rotated, const std::function<void(size_t, size_t, size_t)>& body) const
    {
        y.for_each([&](int n, int k, int oh, int ow) {
            for (int c = 0; c < p.c; ++c)
                for (int r = 0; r < p.r; ++r)
                    for (int s = 0; s < p.s; ++s) {
                        const int h = oh * p.stride_h - p.pad_h + r * p.dilation_h;
                        const int v = ow * p.stride_w - p.pad_w + s * p.dilation_w;
                        if (h >= 0 && h < p.h && v >= 0 && v < p.w)
                            body(x.at(n, c, h, v), rotated ? w.at(k, c, p.r - 1 - r, p.s - 1 - s) : w.at(k, c, r, s),
                                 y.at(n, k, oh, ow));
                    }
        });
    }

    std::vector<double> expected(direction d, bool rotated = false) const
    {
        const auto xv = values_of<Type>(x_data), wv = values_of<Type>(w_data), yv = values_of<Type>(y_data);
        std::vector<double> result((d == direction::forward ? y : d == direction::backward_data ? x : w).count());
        for_each_product(rotated, [&](size_t xi, size_t wi, size_t yi) {
            if (d == direction::forward)
                result[yi] += xv[xi] * wv[wi];
            else if (d == direction::backward_data)
                result[xi] += yv[yi] * wv[wi];
            else
                result[wi] += yv[yi] * xv[xi];
        });
        return result;
    }

    cudnnStatus_t workspace_size(cudnnHandle_t handle, direction d, int algo, size_t* bytes) const
    {
        switch (d) {
        case direction::forward:
            return cudnnGetConvolutionForwardWorkspaceSize(handle, x_desc, w_desc, conv_desc, y_desc,
                                                           static_cast<cudnnConvolutionFwdAlgo_t>(algo), bytes);
        case direction::backward_data:
            return cudnnGetConvolutionBackwardDataWorkspaceSize(
                handle, w_desc, y_desc, conv_desc, x_desc, static_cast<cudnnConvolutionBwdDataAlgo_t>(algo), bytes);
        default:
            return cudnnGetConvolutionBackwardFilterWorkspaceSize(
                handle, x_desc, y_desc, conv_desc, w_desc, static_cast<cudnnConvolutionBwdFilterAlgo_t>(algo), bytes);
        }
    }

    cudnnStatus_t run(cudnnHandle_t handle, direction d, int algo, float alpha, float beta, const T* first,
                      const T* second, T* result, void* workspace, size_t bytes) const
    {
        switch (d) {
        case direction::forward:
            return cudnnConvolutionForward(handle, &alpha, x_desc, first, w_desc, second, conv_desc,
                                           static_cast<cudnnConvolutionFwdAlgo_t>(algo), workspace, bytes, &beta,
                                           y_desc, result);
        case direction::backward_data:
            return cudnnConvolutionBackwardData(handle, &alpha, w_desc, second, y_desc, first, conv_desc,
                                                static_cast<cudnnConvolutionBwdDataAlgo_t>(algo), workspace, bytes,
                                                &beta, x_desc, result);
        default:
            return cudnnConvolutionBackwardFilter(handle, &alpha, x_desc, first, y_desc, second, conv_desc,
                                                  static_cast<cudnnConvolutionBwdFilterAlgo_t>(algo), workspace, bytes,
                                                  &beta, w_desc, result);
        }
    }

    const std::vector<T>& first(direction d) const { return d == direction::backward_data ? y_data : x_data; }
    const std::vector<T>& second(direction d) const { return d == direction::backward_filter ? y_data : w_data; }
};

} // namespace nin::tests
