using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>Numbers as the device stores them, converted plainly on the host.</summary>
internal static class Elements
{
    /// <summary>The largest relative error of rounding to the type: half of the last place, 2⁻ᵖ at a precision of p bits.</summary>
    public static double RoundingError(DataType type) => Math.ScaleB(1, type switch
    {
        DataType.Float32 => -24,
        DataType.Float16 => -11,
        _ => -8,
    });

    public static double[] Decode(ReadOnlySpan<byte> bytes, DataType type) => Array.ConvertAll(StoredElements.Decode(bytes, type), value => (double)value);

    /// <summary>The value that is stored for <paramref name="value"/>.</summary>
    public static double Round(float value, DataType type) => StoredElements.Decode(StoredElements.Encode([value], type), type)[0];
}
