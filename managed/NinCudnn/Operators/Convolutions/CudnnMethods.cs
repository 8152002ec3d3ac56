// The calls behind cuDNN's methods, one class a call. Each owns a convolution descriptor with its arithmetic set and borrows
// the tensors' descriptors.
using System.Globalization;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

internal abstract class CudnnMethod(CudnnConvolution convolution, ConvolutionAlgorithm algorithm, string suffix = "")
    : ConvolutionMethod(Describe(convolution, algorithm) + suffix, algorithm.WorkspaceBytes)
{
    private readonly ConvolutionDescriptor _descriptor = new(convolution.Shape, algorithm.MathType);

    protected CudnnConvolution Convolution { get; } = convolution;

    protected int Algorithm { get; } = algorithm.Algorithm;

    protected cudnnConvolutionDescriptor_t Descriptor => _descriptor.Handle;

    public sealed override Enum? Run(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        Convolution.Stream.Device.MakeCurrent();
        cudnnStatus_t status = Call(operands, workspace);
        if (CudnnStatus.IsNotSupported(status))
            return CudnnStatus.ToVersion9(status);
        status.ThrowIfFailed(Function);
        return null;
    }

    public override void Dispose() => _descriptor.Dispose();

    /// <summary>The function that <see cref="Call"/> calls.</summary>
    protected abstract string Function { get; }

    protected abstract cudnnStatus_t Call(in ConvolutionOperands operands, DeviceMemory workspace);

    private static string Describe(CudnnConvolution convolution, ConvolutionAlgorithm algorithm) =>
        string.Create(CultureInfo.InvariantCulture, $"cuDNN {convolution.Form} {algorithm.Algorithm} {MathName(algorithm.MathType)}");

    private static string MathName(cudnnMathType_t mathType) => mathType switch
    {
        cudnnMathType_t.CUDNN_FMA_MATH => "fma",
        cudnnMathType_t.CUDNN_DEFAULT_MATH => "default",
        _ => "tensor-op",
    };
}

/// <summary>y = relu(conv(x, w) + b) in one call.</summary>
internal sealed unsafe class CudnnFusedForward(CudnnConvolution convolution, ConvolutionAlgorithm algorithm)
    : CudnnMethod(convolution, algorithm, " fused")
{
    private readonly ReluDescriptor _relu = new(cudnnNanPropagation_t.CUDNN_NOT_PROPAGATE_NAN); // the fused call accepts nothing else

    protected override string Function => nameof(Cudnn.cudnnConvolutionBiasActivationForward);

    public override void Dispose()
    {
        base.Dispose();
        _relu.Dispose();
    }

    protected override cudnnStatus_t Call(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        float one = 1, zero = 0;
        CudnnConvolution c = Convolution;
        void* y = operands.Result.Address.Pointer;
        // z and its descriptor must be valid even though alpha2 = 0 leaves z out: y stands in for it.
        return Cudnn.cudnnConvolutionBiasActivationForward(
            c.Stream.Cudnn, &one, c.X.Handle, operands.First.Address.Pointer, c.W.Handle, operands.Second.Address.Pointer, Descriptor,
            (cudnnConvolutionFwdAlgo_t)Algorithm, workspace.Address.Pointer, (nuint)WorkspaceBytes,
            &zero, c.Y.Handle, y, c.B.Handle, operands.Bias.Address.Pointer, _relu.Handle, c.Y.Handle, y);
    }
}

/// <summary>y = activation(conv(x, w) + b) in up to three calls.</summary>
internal sealed unsafe class CudnnForward(CudnnConvolution convolution, ConvolutionAlgorithm algorithm, Activation activation)
    : CudnnMethod(convolution, algorithm)
{
    private readonly ReluDescriptor? _relu = activation == Activation.Relu ? new(cudnnNanPropagation_t.CUDNN_PROPAGATE_NAN) : null;

    protected override string Function => nameof(Cudnn.cudnnConvolutionForward);

    public override void Dispose()
    {
        base.Dispose();
        _relu?.Dispose();
    }

    protected override cudnnStatus_t Call(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        float one = 1, zero = 0;
        CudnnConvolution c = Convolution;
        void* y = operands.Result.Address.Pointer;
        cudnnStatus_t status = Cudnn.cudnnConvolutionForward(
            c.Stream.Cudnn, &one, c.X.Handle, operands.First.Address.Pointer, c.W.Handle, operands.Second.Address.Pointer, Descriptor,
            (cudnnConvolutionFwdAlgo_t)Algorithm, workspace.Address.Pointer, (nuint)WorkspaceBytes, &zero, c.Y.Handle, y);
        if (status != cudnnStatus_t.CUDNN_STATUS_SUCCESS)
            return status;
        Cudnn.cudnnAddTensor(c.Stream.Cudnn, &one, c.B.Handle, operands.Bias.Address.Pointer, &one, c.Y.Handle, y).ThrowIfFailed();
        if (_relu is not null)
            Cudnn.cudnnActivationForward(c.Stream.Cudnn, _relu.Handle, &one, c.Y.Handle, y, &zero, c.Y.Handle, y).ThrowIfFailed();
        return cudnnStatus_t.CUDNN_STATUS_SUCCESS;
    }
}

/// <summary>dx from w and dz.</summary>
internal sealed unsafe class CudnnBackwardData(CudnnConvolution convolution, ConvolutionAlgorithm algorithm) : CudnnMethod(convolution, algorithm)
{
    protected override string Function => nameof(Cudnn.cudnnConvolutionBackwardData);

    protected override cudnnStatus_t Call(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        float one = 1, zero = 0;
        CudnnConvolution c = Convolution;
        return Cudnn.cudnnConvolutionBackwardData(
            c.Stream.Cudnn, &one, c.W.Handle, operands.First.Address.Pointer, c.Y.Handle, operands.Second.Address.Pointer, Descriptor,
            (cudnnConvolutionBwdDataAlgo_t)Algorithm, workspace.Address.Pointer, (nuint)WorkspaceBytes, &zero, c.X.Handle, operands.Result.Address.Pointer);
    }
}

/// <summary>dw from x and dz.</summary>
internal sealed unsafe class CudnnBackwardFilter(CudnnConvolution convolution, ConvolutionAlgorithm algorithm) : CudnnMethod(convolution, algorithm)
{
    protected override string Function => nameof(Cudnn.cudnnConvolutionBackwardFilter);

    protected override cudnnStatus_t Call(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        float one = 1, zero = 0;
        CudnnConvolution c = Convolution;
        return Cudnn.cudnnConvolutionBackwardFilter(
            c.Stream.Cudnn, &one, c.X.Handle, operands.First.Address.Pointer, c.Y.Handle, operands.Second.Address.Pointer, Descriptor,
            (cudnnConvolutionBwdFilterAlgo_t)Algorithm, workspace.Address.Pointer, (nuint)WorkspaceBytes, &zero, c.W.Handle, operands.Result.Address.Pointer);
    }
}
