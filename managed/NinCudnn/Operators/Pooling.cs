using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// Maximum or mean over windows, forward and backward, on NHWC activations. Every call only queues work on the operator's
/// stream. Owns native things; one thread at a time may use it.
/// </summary>
public sealed unsafe class Pooling : IDisposable
{
    // cuDNN can't be asked what it supports, so it is tried once per device and type.
    private static readonly ConditionalWeakTable<Device, ConcurrentDictionary<DataType, TensorForm>> _forms = [];

    private readonly DeviceStream _stream;
    private readonly TensorDescriptor _x;
    private readonly TensorDescriptor _y;
    private readonly PoolingDescriptor _pooling;
    private readonly long _inputBytes;
    private readonly long _outputBytes;

    // Where cuDNN does not take the operands as they are: x, dx and y, dy in the order of the workspace.
    private readonly ConvertedOperand[] _converted = [];

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="shape">Input, window, stride and padding.</param>
    /// <param name="type">Element type of all operands.</param>
    /// <exception cref="ArgumentException">No pooling has that shape.</exception>
    /// <exception cref="NotSupportedException">The device supports pooling of that type in no way.</exception>
    public Pooling(DeviceStream stream, PoolingShape shape, DataType type = DataType.Float32)
        : this(stream, shape, type, SupportedForm(stream, type))
    {
    }

    internal Pooling(DeviceStream stream, PoolingShape shape, DataType type, TensorForm form)
    {
        shape.Validate();
        _stream = stream;
        Shape = shape;
        _x = new TensorDescriptor(shape.Input, form);
        _y = new TensorDescriptor(shape.Output, form);
        _pooling = new PoolingDescriptor(shape);
        _inputBytes = shape.Input.Count * type.Bytes();
        _outputBytes = shape.Output.Count * type.Bytes();
        TensorForm native = TensorForm.Native(type);
        if (form == native)
            return;
        var x = new ConvertedOperand(shape.Input, native, form, 0);
        var y = new ConvertedOperand(shape.Output, native, form, x.End);
        var dx = new ConvertedOperand(shape.Input, native, form, y.End);
        var dy = new ConvertedOperand(shape.Output, native, form, dx.End);
        _converted = [x, y, dx, dy];
    }

    /// <summary>What it computes on.</summary>
    public PoolingShape Shape { get; }

    /// <summary>Scratch memory that <see cref="Forward"/> needs, in bytes: none where cuDNN takes the operands as they are.</summary>
    public long ForwardWorkspaceBytes => _converted.Length == 0 ? 0 : _converted[1].End;

    /// <summary>Scratch memory that <see cref="Backward"/> needs, in bytes: none where cuDNN takes the operands as they are.</summary>
    public long BackwardWorkspaceBytes => _converted.Length == 0 ? 0 : _converted[3].End;

    /// <summary>y[n,c,p,q] = maximum or mean of x over the window whose first element is (p·stride − pad, q·stride − pad).</summary>
    /// <param name="x">Input (N, H, W, C).</param>
    /// <param name="y">Output (N, P, Q, C).</param>
    /// <param name="workspace">At least <see cref="ForwardWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Forward(DeviceMemory x, DeviceMemory y, DeviceMemory workspace = default)
    {
        x.Require(_inputBytes);
        y.Require(_outputBytes);
        workspace.Require(ForwardWorkspaceBytes);
        _stream.Device.MakeCurrent();
        float one = 1, zero = 0;
        DeviceMemory source = Read(0, x, workspace), destination = Place(1, y, workspace);
        Cudnn.cudnnPoolingForward(
            _stream.Cudnn, _pooling.Handle, &one, _x.Handle, source.Address.Pointer, &zero, _y.Handle, destination.Address.Pointer).ThrowIfFailed();
        Write(1, y, workspace);
    }

    /// <summary>dx: for the maximum, dy goes to the window's first maximum; for the mean, in equal parts to the whole window.</summary>
    /// <param name="x">The forward pass's input (N, H, W, C).</param>
    /// <param name="y">The forward pass's output (N, P, Q, C).</param>
    /// <param name="dy">Gradient of the output (N, P, Q, C).</param>
    /// <param name="dx">Gradient of the input (N, H, W, C), overwritten.</param>
    /// <param name="workspace">At least <see cref="BackwardWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Backward(DeviceMemory x, DeviceMemory y, DeviceMemory dy, DeviceMemory dx, DeviceMemory workspace = default)
    {
        x.Require(_inputBytes);
        y.Require(_outputBytes);
        dy.Require(_outputBytes);
        dx.Require(_inputBytes);
        workspace.Require(BackwardWorkspaceBytes);
        _stream.Device.MakeCurrent();
        float one = 1, zero = 0;
        void* input = Read(0, x, workspace).Address.Pointer, output = Read(1, y, workspace).Address.Pointer;
        void* outputGradient = Read(3, dy, workspace).Address.Pointer, inputGradient = Place(2, dx, workspace).Address.Pointer;
        Cudnn.cudnnPoolingBackward(
            _stream.Cudnn, _pooling.Handle, &one, _y.Handle, output, _y.Handle, outputGradient, _x.Handle, input, &zero, _x.Handle, inputGradient).ThrowIfFailed();
        Write(2, dx, workspace);
    }

    /// <summary>Releases descriptors; queued work is not affected.</summary>
    public void Dispose()
    {
        _x.Dispose();
        _y.Dispose();
        _pooling.Dispose();
        Array.ForEach(_converted, operand => operand.Dispose());
    }

    private static TensorForm SupportedForm(DeviceStream stream, DataType type)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return _forms.GetOrCreateValue(stream.Device).GetOrAdd(type, _ =>
        {
            TensorForm[] forms = [.. TensorForm.Candidates(type).Where(form => IsSupported(stream, type, form)).Take(1)];
            return forms.Length > 0 ? forms[0] : throw new NotSupportedException($"pooling in {type}: the device supports it in no way");
        });
    }

    /// <summary>Tries a small pooling, and the conversion that its form needs. With one channel the layouts would be the same.</summary>
    private static bool IsSupported(DeviceStream stream, DataType type, TensorForm form)
    {
        var shape = new PoolingShape(new TensorShape(1, 2, 3, 3), PoolingMode.Max, 2, 2, 1);
        using DeviceBuffer<byte> buffer = stream.AllocateZeros(1024);
        try
        {
            using TensorDescriptor x = new(shape.Input, form), y = new(shape.Output, form);
            using var pooling = new PoolingDescriptor(shape);
            using var operand = new ConvertedOperand(shape.Input, TensorForm.Native(type), form, 0);
            DeviceMemory input = buffer.Memory.Slice(0, 256), output = buffer.Memory.Slice(256, 256), gradient = buffer.Memory.Slice(512, 256);
            void* result = output.Address.Pointer;
            float one = 1, zero = 0;
            Cudnn.cudnnPoolingForward(stream.Cudnn, pooling.Handle, &one, x.Handle, input.Address.Pointer, &zero, y.Handle, result).ThrowIfFailed();
            Cudnn.cudnnPoolingBackward(
                stream.Cudnn, pooling.Handle, &one, y.Handle, result, y.Handle, result, x.Handle, input.Address.Pointer, &zero, x.Handle, gradient.Address.Pointer).ThrowIfFailed();
            return form == TensorForm.Native(type) || operand.Read(stream, input, gradient) is null;
        }
        catch (CudnnException e) when (CudnnStatus.IsNotSupported(e.Status))
        {
            return false;
        }
    }

    /// <summary>An operand that is read, as the call takes it.</summary>
    private DeviceMemory Read(int index, DeviceMemory operand, DeviceMemory workspace)
    {
        DeviceMemory place = Place(index, operand, workspace);
        if (_converted.Length > 0)
            ThrowIfRefused(_converted[index].Read(_stream, operand, place));
        return place;
    }

    /// <summary>An operand that is written, as the call takes it.</summary>
    private DeviceMemory Place(int index, DeviceMemory operand, DeviceMemory workspace) =>
        _converted.Length > 0 ? _converted[index].Place(workspace) : operand;

    /// <summary>Brings a written operand back.</summary>
    private void Write(int index, DeviceMemory operand, DeviceMemory workspace)
    {
        if (_converted.Length > 0)
            ThrowIfRefused(_converted[index].Write(_stream, _converted[index].Place(workspace), operand));
    }

    private static void ThrowIfRefused(Enum? refusal)
    {
        if (refusal is not null)
            throw new NotSupportedException($"the device refuses to convert a pooling's operand: {refusal}");
    }
}
