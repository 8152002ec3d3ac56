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
public abstract class ConvolutionOperator : IDisposable
{
    private protected ConvolutionOperator(DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions options)
    {
        shape.Validate();
        Stream = stream;
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
    public abstract long ForwardWorkspaceBytes { get; }

    /// <summary>Scratch memory, in bytes, that <see cref="BackwardData"/> needs.</summary>
    public abstract long BackwardDataWorkspaceBytes { get; }

    /// <summary>Scratch memory, in bytes, that <see cref="BackwardFilter"/> needs.</summary>
    public abstract long BackwardFilterWorkspaceBytes { get; }

    private protected DeviceStream Stream { get; }

    private protected long InputBytes => Shape.Input.Count * Options.DataType.Bytes();

    private protected long OutputBytes => Shape.Output.Count * Options.DataType.Bytes();

    private protected long FilterBytes => Shape.FilterCount * Options.DataType.Bytes();

    private protected long BiasBytes => (long)Shape.K * Options.DataType.Bytes();

    /// <summary>
    /// Makes the operator for a shape: a cuBLASLt matrix product for a 1×1 convolution (in NHWC it is one), cuDNN otherwise,
    /// and cuDNN too where cuBLASLt supports the shape and type in no way.
    /// </summary>
    /// <param name="stream">The stream that its work is queued on.</param>
    /// <param name="shape">Input, filter, stride and padding.</param>
    /// <param name="activation">What follows the bias in the forward pass.</param>
    /// <param name="options">Types and limits; the defaults when null.</param>
    /// <exception cref="ArgumentException">No convolution has that shape.</exception>
    /// <exception cref="NotSupportedException">The device supports it with no algorithm.</exception>
    public static ConvolutionOperator Create(DeviceStream stream, ConvolutionShape shape, Activation activation, OperatorOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        options ??= new OperatorOptions();
        if (shape.IsPointwise && PointwiseConvolution.TryCreate(stream, shape, activation, options) is { } pointwise)
            return pointwise;
        return new Convolution(stream, shape, activation, options);
    }

    /// <summary>y = activation(conv(x, w) + b).</summary>
    /// <param name="x">Input (N, H, W, C).</param>
    /// <param name="w">Filter (K, R, S, C).</param>
    /// <param name="b">Bias (K).</param>
    /// <param name="y">Output (N, P, Q, K); overlaps no other operand.</param>
    /// <param name="workspace">At least <see cref="ForwardWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    /// <exception cref="NotSupportedException">The device supports it with no algorithm.</exception>
    public abstract void Forward(DeviceMemory x, DeviceMemory w, DeviceMemory b, DeviceMemory y, DeviceMemory workspace);

    /// <summary>dx[n,c,h,w] = Σ dz[n,k,p,q] · w[k,c,r,s] over all places where x[n,c,h,w] was read.</summary>
    /// <param name="w">Filter (K, R, S, C).</param>
    /// <param name="dz">Gradient of the sum before the activation (N, P, Q, K).</param>
    /// <param name="dx">Gradient of the input (N, H, W, C), overwritten.</param>
    /// <param name="workspace">At least <see cref="BackwardDataWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public abstract void BackwardData(DeviceMemory w, DeviceMemory dz, DeviceMemory dx, DeviceMemory workspace);

    /// <summary>dw[k,c,r,s] = Σ_{n,p,q} dz[n,k,p,q] · x[n, c, p·stride − pad + r, q·stride − pad + s].</summary>
    /// <param name="x">Input (N, H, W, C).</param>
    /// <param name="dz">Gradient of the sum before the activation (N, P, Q, K).</param>
    /// <param name="dw">Gradient of the filter (K, R, S, C), overwritten.</param>
    /// <param name="workspace">At least <see cref="BackwardFilterWorkspaceBytes"/>.</param>
    /// <exception cref="ArgumentException">An operand is too short.</exception>
    public abstract void BackwardFilter(DeviceMemory x, DeviceMemory dz, DeviceMemory dw, DeviceMemory workspace);

    /// <summary>Releases descriptors; queued work is not affected.</summary>
    public abstract void Dispose();
}
