using System.Diagnostics.CodeAnalysis;

namespace NinCudnn.Formats;

/// <summary>Element types of the safetensors format, named as in the file's header.</summary>
[SuppressMessage("Naming", "CA1707", Justification = "The members' names are the header's words.")]
public enum SafetensorsType
{
    /// <summary>One byte, 0 or 1.</summary>
    BOOL,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>8-bit float with 5 exponent bits.</summary>
    F8_E5M2,

    /// <summary>8-bit float with 4 exponent bits.</summary>
    F8_E4M3,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half precision.</summary>
    F16,

    /// <summary>The upper half of a float32.</summary>
    BF16,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>IEEE single precision.</summary>
    F32,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,

    /// <summary>IEEE double precision.</summary>
    F64,
}

/// <summary>Facts about <see cref="SafetensorsType"/>.</summary>
public static class SafetensorsTypes
{
    /// <summary>Bytes of one element.</summary>
    /// <param name="type">The element type.</param>
    public static int SizeInBytes(this SafetensorsType type) => type switch
    {
        <= SafetensorsType.F8_E4M3 => 1,
        <= SafetensorsType.BF16 => 2,
        <= SafetensorsType.F32 => 4,
        _ => 8,
    };

    /// <summary>Computes the bytes of a tensor: product of the dimensions (1 if there are none) · bytes of an element.</summary>
    /// <returns>False if the number does not fit 63 bits.</returns>
    internal static bool TryByteCount(this SafetensorsType type, ReadOnlySpan<int> shape, out long byteCount)
    {
        byteCount = shape.Contains(0) ? 0 : type.SizeInBytes();
        foreach (var size in shape)
        {
            if (size != 0 && byteCount > long.MaxValue / size)
                return false;
            byteCount *= size;
        }

        return true;
    }
}
