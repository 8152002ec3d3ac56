using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// A method in another form than the operands': converts what it reads before and what it writes after, layout and type, by
/// cudnnTransformTensor. For devices whose cuDNN supports a convolution in no better way.
/// </summary>
internal sealed class ConvertedMethod : ConvolutionMethod
{
    private readonly ConvolutionMethod _inner;
    private readonly Operand _first;
    private readonly Operand _second;
    private readonly Operand? _bias;
    private readonly Operand _result;
    private readonly DeviceStream _stream;

    public ConvertedMethod(CudnnConvolution convolution, ConvolutionDirection direction, ConvolutionMethod inner, TensorForm form)
        : this(convolution, inner, Operands(convolution, direction, form))
    {
    }

    private ConvertedMethod(CudnnConvolution convolution, ConvolutionMethod inner, (Operand First, Operand Second, Operand? Bias, Operand Result) operands)
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

    private static (Operand First, Operand Second, Operand? Bias, Operand Result) Operands(
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
        var a = new Operand(first, form, convolution.Form, 0);
        var b = new Operand(second, form, convolution.Form, a.End);
        Operand? bias = direction == ConvolutionDirection.Forward && form.Type != convolution.Form.Type
            ? new Operand(new TensorShape(1, shape.K, 1, 1), form, convolution.Form, b.End)
            : null;
        return (a, b, bias, new Operand(result, form, convolution.Form, (bias ?? b).End));
    }

    private static long End(Operand last, long workspaceBytes) => last.End + workspaceBytes;

    /// <summary>A tensor in both forms, and the place of its converted copy in the workspace.</summary>
    private sealed unsafe class Operand : IDisposable
    {
        private const long Alignment = 256;

        private readonly TensorDescriptor _outer;
        private readonly TensorDescriptor _inner;
        private readonly long _offset;
        private readonly long _bytes;

        public Operand(TensorShape shape, TensorForm outer, TensorForm inner, long offset)
        {
            _outer = new TensorDescriptor(shape, outer);
            _inner = new TensorDescriptor(shape, inner);
            _offset = offset;
            _bytes = shape.Count * inner.Type.Bytes();
            End = offset + (_bytes + Alignment - 1) / Alignment * Alignment;
        }

        public long End { get; }

        public DeviceMemory Place(DeviceMemory workspace) => workspace.Slice(_offset, _bytes);

        public Enum? Read(DeviceStream stream, DeviceMemory source, DeviceMemory copy) => Convert(stream, _outer, source, _inner, copy);

        public Enum? Write(DeviceStream stream, DeviceMemory copy, DeviceMemory destination) => Convert(stream, _inner, copy, _outer, destination);

        public void Dispose()
        {
            _outer.Dispose();
            _inner.Dispose();
        }

        private static Enum? Convert(DeviceStream stream, TensorDescriptor from, DeviceMemory source, TensorDescriptor to, DeviceMemory destination)
        {
            float one = 1, zero = 0;
            cudnnStatus_t status = Cudnn.cudnnTransformTensor(
                stream.Cudnn, &one, from.Handle, source.Address.Pointer, &zero, to.Handle, destination.Address.Pointer);
            if (CudnnStatus.IsNotSupported(status))
                return CudnnStatus.ToVersion9(status);
            status.ThrowIfFailed(nameof(Cudnn.cudnnTransformTensor));
            return null;
        }
    }
}
