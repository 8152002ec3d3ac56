using NinCudnn.Interop;

namespace NinCudnn.Devices;

/// <summary>A range of device memory that somebody else owns. Operators take their operands in this form.</summary>
/// <param name="Address">The first byte's device address.</param>
/// <param name="Bytes">The range's length in bytes.</param>
public readonly record struct DeviceMemory(CUdeviceptr Address, long Bytes)
{
    /// <summary>The part that begins at <paramref name="offset"/> and is <paramref name="bytes"/> long.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The part does not lie inside the range.</exception>
    public DeviceMemory Slice(long offset, long bytes)
    {
        if (offset < 0 || bytes < 0 || offset > Bytes - bytes)
            throw new ArgumentOutOfRangeException(nameof(offset), $"bytes {offset} to {offset + bytes} of a range of {Bytes} bytes");
        return new DeviceMemory(Address + offset, bytes);
    }

    /// <summary>The device address for a call that accesses <paramref name="bytes"/> bytes from it.</summary>
    /// <exception cref="ArgumentException">The range is shorter.</exception>
    internal unsafe void* Require(long bytes, [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(bytes))] string? expression = null)
    {
        if (Bytes < bytes)
            ThrowTooShort(bytes, expression);
        return Address.Pointer;
    }

    private void ThrowTooShort(long bytes, string? expression) =>
        throw new ArgumentException($"the operand has {Bytes} bytes of device memory, but {bytes} are needed ({expression})");
}
