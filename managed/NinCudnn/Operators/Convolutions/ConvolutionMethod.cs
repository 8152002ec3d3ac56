using NinCudnn.Devices;

namespace NinCudnn.Operators;

/// <summary>The three computations of a convolution.</summary>
public enum ConvolutionDirection
{
    /// <summary>y from x, w and b.</summary>
    Forward,

    /// <summary>dx from w and dz.</summary>
    BackwardData,

    /// <summary>dw from x and dz.</summary>
    BackwardFilter,
}

/// <summary>
/// Operands of one direction, in the order of <see cref="ConvolutionOperator"/>'s parameters: forward x, w, b → y, backward
/// data w, dz → dx, backward filter x, dz → dw. They are long enough.
/// </summary>
internal readonly record struct ConvolutionOperands(DeviceMemory First, DeviceMemory Second, DeviceMemory Bias, DeviceMemory Result);

/// <summary>One way to carry out one direction of a convolution.</summary>
internal abstract class ConvolutionMethod(string name, long workspaceBytes) : IDisposable
{
    /// <summary>What tells it from the direction's other methods; choices are kept under this name on disk.</summary>
    public string Name { get; } = name;

    /// <summary>Scratch memory that it needs.</summary>
    public long WorkspaceBytes { get; } = workspaceBytes;

    /// <summary>Queues it.</summary>
    /// <returns>Null, or the status by which it was refused as not supported.</returns>
    public abstract Enum? Run(in ConvolutionOperands operands, DeviceMemory workspace);

    /// <summary>Releases its descriptors; queued work is not affected.</summary>
    public abstract void Dispose();
}
