// Owners of cuDNN's descriptors. A descriptor is host memory that says what a call works on; it needs no device context
// and is immutable once made, so operators make theirs once and borrow the raw handle afterwards.
using System.Runtime.InteropServices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

internal abstract class CudnnDescriptor() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    /// <summary>The handle for a call made by this descriptor's owner, which keeps it alive.</summary>
    protected nint Borrow()
    {
        ObjectDisposedException.ThrowIf(IsClosed, this);
        return handle;
    }
}

/// <summary>A packed activation tensor.</summary>
internal sealed class TensorDescriptor : CudnnDescriptor
{
    /// <summary>In NHWC order.</summary>
    public TensorDescriptor(TensorShape shape, DataType type)
        : this(shape, TensorForm.Native(type))
    {
    }

    public TensorDescriptor(TensorShape shape, TensorForm form)
    {
        Cudnn.cudnnCreateTensorDescriptor(out cudnnTensorDescriptor_t descriptor).ThrowIfFailed();
        SetHandle(descriptor.Value);
        Cudnn.cudnnSetTensor4dDescriptor(descriptor, form.Layout, form.Type.ToCudnn(), shape.N, shape.C, shape.H, shape.W).ThrowIfFailed();
    }

    public cudnnTensorDescriptor_t Handle => new(Borrow());

    protected override bool ReleaseHandle() =>
        Cudnn.cudnnDestroyTensorDescriptor(new cudnnTensorDescriptor_t(handle)) == cudnnStatus_t.CUDNN_STATUS_SUCCESS;
}

/// <summary>A packed filter: KRSC in the layout NHWC, KCRS in NCHW.</summary>
internal sealed class FilterDescriptor : CudnnDescriptor
{
    public FilterDescriptor(ConvolutionShape shape, TensorForm form)
    {
        Cudnn.cudnnCreateFilterDescriptor(out cudnnFilterDescriptor_t descriptor).ThrowIfFailed();
        SetHandle(descriptor.Value);
        Cudnn.cudnnSetFilter4dDescriptor(descriptor, form.Type.ToCudnn(), form.Layout, shape.K, shape.Input.C, shape.R, shape.S).ThrowIfFailed();
    }

    public cudnnFilterDescriptor_t Handle => new(Borrow());

    protected override bool ReleaseHandle() =>
        Cudnn.cudnnDestroyFilterDescriptor(new cudnnFilterDescriptor_t(handle)) == cudnnStatus_t.CUDNN_STATUS_SUCCESS;
}

/// <summary>Stride, padding and arithmetic of a convolution; accumulates in float32.</summary>
internal sealed class ConvolutionDescriptor : CudnnDescriptor
{
    public ConvolutionDescriptor(ConvolutionShape shape, cudnnMathType_t mathType)
    {
        Cudnn.cudnnCreateConvolutionDescriptor(out cudnnConvolutionDescriptor_t descriptor).ThrowIfFailed();
        SetHandle(descriptor.Value);
        Cudnn.cudnnSetConvolution2dDescriptor(
            descriptor, shape.PadH, shape.PadW, shape.StrideH, shape.StrideW, 1, 1,
            cudnnConvolutionMode_t.CUDNN_CROSS_CORRELATION, cudnnDataType_t.CUDNN_DATA_FLOAT).ThrowIfFailed();
        SetMathType(mathType);
    }

    public cudnnConvolutionDescriptor_t Handle => new(Borrow());

    public void SetMathType(cudnnMathType_t mathType) => Cudnn.cudnnSetConvolutionMathType(Handle, mathType).ThrowIfFailed();

    protected override bool ReleaseHandle() =>
        Cudnn.cudnnDestroyConvolutionDescriptor(new cudnnConvolutionDescriptor_t(handle)) == cudnnStatus_t.CUDNN_STATUS_SUCCESS;
}

/// <summary>Window, stride, padding and mode of a pooling.</summary>
internal sealed class PoolingDescriptor : CudnnDescriptor
{
    public PoolingDescriptor(PoolingShape shape)
    {
        Cudnn.cudnnCreatePoolingDescriptor(out cudnnPoolingDescriptor_t descriptor).ThrowIfFailed();
        SetHandle(descriptor.Value);
        // The deterministic maximum: plain MAX adds its gradients with atomics.
        cudnnPoolingMode_t mode = shape.Mode == PoolingMode.Max
            ? cudnnPoolingMode_t.CUDNN_POOLING_MAX_DETERMINISTIC
            : cudnnPoolingMode_t.CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING;
        Cudnn.cudnnSetPooling2dDescriptor(
            descriptor, mode, cudnnNanPropagation_t.CUDNN_PROPAGATE_NAN,
            shape.WindowH, shape.WindowW, shape.Pad, shape.Pad, shape.Stride, shape.Stride).ThrowIfFailed();
    }

    public cudnnPoolingDescriptor_t Handle => new(Borrow());

    protected override bool ReleaseHandle() =>
        Cudnn.cudnnDestroyPoolingDescriptor(new cudnnPoolingDescriptor_t(handle)) == cudnnStatus_t.CUDNN_STATUS_SUCCESS;
}

/// <summary>The rectifier max(x, 0).</summary>
internal sealed class ReluDescriptor : CudnnDescriptor
{
    public ReluDescriptor(cudnnNanPropagation_t nanPropagation)
    {
        Cudnn.cudnnCreateActivationDescriptor(out cudnnActivationDescriptor_t descriptor).ThrowIfFailed();
        SetHandle(descriptor.Value);
        Cudnn.cudnnSetActivationDescriptor(descriptor, cudnnActivationMode_t.CUDNN_ACTIVATION_RELU, nanPropagation, 0).ThrowIfFailed();
    }

    public cudnnActivationDescriptor_t Handle => new(Borrow());

    protected override bool ReleaseHandle() =>
        Cudnn.cudnnDestroyActivationDescriptor(new cudnnActivationDescriptor_t(handle)) == cudnnStatus_t.CUDNN_STATUS_SUCCESS;
}
