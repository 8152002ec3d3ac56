using NinCudnn.Devices;
using NinCudnn.Interop;

namespace NinCudnn.Operators;

/// <summary>
/// Maximum or mean over windows, forward and backward, on NHWC activations. Every call only queues work on the operator's
/// stream. Owns native things; one thread at a time may use it.
/// </summary>
public sealed unsafe class Pooling : IDisposable
{
    private readonly DeviceStream _stream;
    private readonly TensorDescriptor _x;
    private readonly TensorDescriptor _y;
    private readonly PoolingDescriptor _pooling;
    private readonly long _inputBytes;
    private readonly long _outputBytes;

    /// <summary>Makes the operator.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="shape">Input, window, stride and padding.</param>
    /// <param name="type">Element type of all operands.</param>
    /// <exception cref="ArgumentException">No pooling has that shape.</exception>
    public Pooling(DeviceStream stream, PoolingShape shape, DataType type = DataType.Float32)
    {
        ArgumentNullException.ThrowIfNull(stream);
        shape.Validate();
        _stream = stream;
        Shape = shape;
        _x = new TensorDescriptor(shape.Input, type);
        _y = new TensorDescriptor(shape.Output, type);
        _pooling = new PoolingDescriptor(shape);
        _inputBytes = shape.Input.Count * type.Bytes();
        _outputBytes = shape.Output.Count * type.Bytes();
    }

    /// <summary>What it computes on.</summary>
    public PoolingShape Shape { get; }

    /// <summary>y[n,c,p,q] = maximum or mean of x over the window whose first element is (p·stride − pad, q·stride − pad).</summary>
    /// <param name="x">Input (N, H, W, C).</param>
    /// <param name="y">Output (N, P, Q, C).</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Forward(DeviceMemory x, DeviceMemory y)
    {
        _stream.Device.MakeCurrent();
        float one = 1, zero = 0;
        Cudnn.cudnnPoolingForward(
            _stream.Cudnn, _pooling.Handle, &one, _x.Handle, x.Require(_inputBytes), &zero, _y.Handle, y.Require(_outputBytes)).ThrowIfFailed();
    }

    /// <summary>dx: for the maximum, dy goes to the window's first maximum; for the mean, in equal parts to the whole window.</summary>
    /// <param name="x">The forward pass's input (N, H, W, C).</param>
    /// <param name="y">The forward pass's output (N, P, Q, C).</param>
    /// <param name="dy">Gradient of the output (N, P, Q, C).</param>
    /// <param name="dx">Gradient of the input (N, H, W, C), overwritten.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public void Backward(DeviceMemory x, DeviceMemory y, DeviceMemory dy, DeviceMemory dx)
    {
        _stream.Device.MakeCurrent();
        float one = 1, zero = 0;
        Cudnn.cudnnPoolingBackward(
            _stream.Cudnn, _pooling.Handle, &one, _y.Handle, y.Require(_outputBytes), _y.Handle, dy.Require(_outputBytes),
            _x.Handle, x.Require(_inputBytes), &zero, _x.Handle, dx.Require(_inputBytes)).ThrowIfFailed();
    }

    /// <summary>Releases descriptors; queued work is not affected.</summary>
    public void Dispose()
    {
        _x.Dispose();
        _y.Dispose();
        _pooling.Dispose();
    }
}
