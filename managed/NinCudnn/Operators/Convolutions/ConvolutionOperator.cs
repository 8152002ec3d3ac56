using NinCudnn.Devices;

namespace NinCudnn.Operators;

/// <summary>What follows a convolution's bias in the same call.</summary>
public enum Activation
{
    /// <summary>Nothing: y = conv(x, w) + b.</summary>
    None,

    /// <summary>The rectifier: y = max(conv(x, w) + b, 0).</summary>
    Relu,
}

/// <summary>
/// A convolution with bias and activation, forward and backward, on NHWC activations and KRSC filters. Every call only
/// queues work on the operator's stream. Owns native things; one thread at a time may use it.
/// </summary>
/// <remarks>
/// Each direction has a list of methods, best guess first: a cuBLASLt matrix product for a 1×1 convolution (in NHWC it is
/// one), cuDNN's algorithms, and cuDNN's algorithms on converted operands (NCHW, then float32) where the device supports
/// nothing better. A method that refuses a call is passed over from then on.
/// </remarks>
public sealed class ConvolutionOperator : IDisposable
{
    private readonly DeviceStream _stream;

    // Found at first use: a network's first layer has no gradient towards its input, and evaluation has none at all.
    private readonly ConvolutionMethods?[] _methods = new ConvolutionMethods?[Enum.GetValues<ConvolutionDirection>().Length];
    private bool _isDisposed;

    private ConvolutionOperator(DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options)
    {
        shape.Validate();
        _stream = stream;
        Shape = shape;
        Activation = activation;
        Options = options;
    }

    /// <summary>What it computes on.</summary>
    public ConvolutionShape Shape { get; }

    /// <summary>What follows the bias.</summary>
    public Activation Activation { get; }

    /// <summary>What it was made with.</summary>
    public OperatorOptions Options { get; }

    /// <summary>Scratch memory, in bytes, that <see cref="Forward"/> needs. Contents are garbage before and after a call.</summary>
    /// <exception cref="NotSupportedException">The device supports it in no way.</exception>
    public long ForwardWorkspaceBytes => Methods(ConvolutionDirection.Forward).Current.WorkspaceBytes;

    /// <summary>Scratch memory, in bytes, that <see cref="BackwardData"/> needs.</summary>
    /// <exception cref="NotSupportedException">The device supports it in no way.</exception>
    public long BackwardDataWorkspaceBytes => Methods(ConvolutionDirection.BackwardData).Current.WorkspaceBytes;

    /// <summary>Scratch memory, in bytes, that <see cref="BackwardFilter"/> needs.</summary>
    /// <exception cref="NotSupportedException">The device supports it in no way.</exception>
    public long BackwardFilterWorkspaceBytes => Methods(ConvolutionDirection.BackwardFilter).Current.WorkspaceBytes;

    /// <summary>Makes the operator for a shape.</summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="shape">Input, filter, stride and padding.</param>
    /// <param name="activation">What follows the bias in the forward pass.</param>
    /// <param name="options">Types and limits; the defaults when null.</param>
    /// <exception cref="ArgumentException">No convolution has that shape.</exception>
    public static ConvolutionOperator Create(DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return new ConvolutionOperator(stream, shape, activation, options ?? new OperatorOptions());
    }

    /// <summary>The name of the method that a direction uses, for example <c>cuBLASLt 0</c> or <c>cuDNN Float32 NHWC 1 fma fused</c>.</summary>
    /// <exception cref="NotSupportedException">The device supports the direction in no way.</exception>
    public string MethodName(ConvolutionDirection direction) => Methods(direction).Current.Name;

    /// <summary>y = activation(conv(x, w) + b).</summary>
    /// <param name="x">Input (N, H, W, C).</param>
    /// <param name="w">Filter (K, R, S, C).</param>
    /// <param name="b">Bias (K).</param>
    /// <param name="y">Output (N, P, Q, K); overlaps no other operand.</param>
    /// <param name="workspace">At least <see cref="ForwardWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    /// <exception cref="NotSupportedException">The device supports it in no way.</exception>
    public void Forward(DeviceMemory x, DeviceMemory w, DeviceMemory b, DeviceMemory y, DeviceMemory workspace)
    {
        Require(x, Shape.Input.Count, nameof(x));
        Require(w, Shape.FilterCount, nameof(w));
        Require(b, Shape.K, nameof(b));
        Require(y, Shape.Output.Count, nameof(y));
        Methods(ConvolutionDirection.Forward).Run(new ConvolutionOperands(x, w, b, y), workspace);
    }

    /// <summary>dx[n,c,h,w] = Σ dz[n,k,p,q] · w[k,c,r,s] over all places where x[n,c,h,w] was read.</summary>
    /// <param name="w">Filter (K, R, S, C).</param>
    /// <param name="dz">Gradient of the sum before the activation (N, P, Q, K).</param>
    /// <param name="dx">Gradient of the input (N, H, W, C), overwritten.</param>
    /// <param name="workspace">At least <see cref="BackwardDataWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    /// <exception cref="NotSupportedException">The device supports it in no way.</exception>
    public void BackwardData(DeviceMemory w, DeviceMemory dz, DeviceMemory dx, DeviceMemory workspace)
    {
        Require(w, Shape.FilterCount, nameof(w));
        Require(dz, Shape.Output.Count, nameof(dz));
        Require(dx, Shape.Input.Count, nameof(dx));
        Methods(ConvolutionDirection.BackwardData).Run(new ConvolutionOperands(w, dz, default, dx), workspace);
    }

    /// <summary>dw[k,c,r,s] = Σ_{n,p,q} dz[n,k,p,q] · x[n, c, p·stride − pad + r, q·stride − pad + s].</summary>
    /// <param name="x">Input (N, H, W, C).</param>
    /// <param name="dz">Gradient of the sum before the activation (N, P, Q, K).</param>
    /// <param name="dw">Gradient of the filter (K, R, S, C), overwritten.</param>
    /// <param name="workspace">At least <see cref="BackwardFilterWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    /// <exception cref="NotSupportedException">The device supports it in no way.</exception>
    public void BackwardFilter(DeviceMemory x, DeviceMemory dz, DeviceMemory dw, DeviceMemory workspace)
    {
        Require(x, Shape.Input.Count, nameof(x));
        Require(dz, Shape.Output.Count, nameof(dz));
        Require(dw, Shape.FilterCount, nameof(dw));
        Methods(ConvolutionDirection.BackwardFilter).Run(new ConvolutionOperands(x, dz, default, dw), workspace);
    }

    /// <summary>Releases descriptors; queued work is not affected.</summary>
    public void Dispose()
    {
        _isDisposed = true;
        for (int i = 0; i < _methods.Length; i++)
        {
            _methods[i]?.Dispose();
            _methods[i] = null;
        }
    }

    /// <summary>A direction's methods.</summary>
    internal ConvolutionMethods Methods(ConvolutionDirection direction)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _methods[(int)direction] ??= ConvolutionMethods.Find(_stream, Shape, Activation, Options, direction);
    }

    private unsafe void Require(DeviceMemory operand, long elements, string name) => _ = operand.Require(elements * Options.DataType.Bytes(), name);
}
