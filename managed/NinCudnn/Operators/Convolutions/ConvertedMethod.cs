using NinCudnn.Devices;

namespace NinCudnn.Operators;

/// <summary>
/// A method in another form than the operands': converts what it reads before and what it writes after, layout and type, by
/// cudnnTransformTensor. For devices whose cuDNN supports a convolution in no better way.
/// </summary>
internal sealed class ConvertedMethod : ConvolutionMethod
{
    private readonly ConvolutionMethod _inner;
    private readonly ConvertedOperand _first;
    private readonly ConvertedOperand _second;
    private readonly ConvertedOperand? _bias;
    private readonly ConvertedOperand _result;
    private readonly DeviceStream _stream;

    public ConvertedMethod(CudnnConvolution convolution, ConvolutionDirection direction, ConvolutionMethod inner, TensorForm form)
        : this(convolution, inner, Operands(convolution, direction, form))
    {
    }

    private ConvertedMethod(CudnnConvolution convolution, ConvolutionMethod inner, (ConvertedOperand First, ConvertedOperand Second, ConvertedOperand? Bias, ConvertedOperand Result) operands)
        : base(inner.Name, End(operands.Result, inner.WorkspaceBytes))
    {
        _inner = inner;
        _stream = convolution.Stream;
        (_first, _second, _bias, _result) = operands;
    }

    public override Enum? Run(in ConvolutionOperands operands, DeviceMemory workspace)
    {
        _stream.Device.MakeCurrent();
        var converted = new ConvolutionOperands(
            _first.Place(workspace), _second.Place(workspace), _bias?.Place(workspace) ?? operands.Bias, _result.Place(workspace));
        Enum? refusal = _first.Read(_stream, operands.First, converted.First)
            ?? _second.Read(_stream, operands.Second, converted.Second)
            ?? _bias?.Read(_stream, operands.Bias, converted.Bias)
            ?? _inner.Run(converted, workspace.Slice(_result.End, _inner.WorkspaceBytes));
        return refusal ?? _result.Write(_stream, converted.Result, operands.Result);
    }

    public override void Dispose()
    {
        _inner.Dispose();
        _first.Dispose();
        _second.Dispose();
        _bias?.Dispose();
        _result.Dispose();
    }

    private static (ConvertedOperand First, ConvertedOperand Second, ConvertedOperand? Bias, ConvertedOperand Result) Operands(
        CudnnConvolution convolution, ConvolutionDirection direction, TensorForm form)
    {
        ConvolutionShape shape = convolution.Shape;
        // As elements go, a filter is a tensor of K samples.
        TensorShape x = shape.Input, y = shape.Output, w = new(shape.K, shape.Input.C, shape.R, shape.S);
        var (first, second, result) = direction switch
        {
            ConvolutionDirection.Forward => (x, w, y),
            ConvolutionDirection.BackwardData => (w, y, x),
            _ => (x, y, w),
        };
        var a = new ConvertedOperand(first, form, convolution.Form, 0);
        var b = new ConvertedOperand(second, form, convolution.Form, a.End);
        ConvertedOperand? bias = direction == ConvolutionDirection.Forward && form.Type != convolution.Form.Type
            ? new ConvertedOperand(new TensorShape(1, shape.K, 1, 1), form, convolution.Form, b.End)
            : null;
        return (a, b, bias, new ConvertedOperand(result, form, convolution.Form, (bias ?? b).End));
    }

    private static long End(ConvertedOperand last, long workspaceBytes) => last.End + workspaceBytes;
}
