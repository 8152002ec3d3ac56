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

    public static byte[] Encode(ReadOnlySpan<float> values, DataType type) => StoredElements.Encode(values, type);

    public static double[] Decode(ReadOnlySpan<byte> bytes, DataType type)
    {
        var values = new double[bytes.Length / type.Bytes()];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = type switch
            {
                DataType.Float32 => BitConverter.ToSingle(bytes[(i * 4)..]),
                DataType.Float16 => (double)BitConverter.ToHalf(bytes[(i * 2)..]),
                _ => BitConverter.UInt32BitsToSingle((uint)BitConverter.ToUInt16(bytes[(i * 2)..]) << 16),
            };
        }
        return values;
    }

    /// <summary>The value that is stored for <paramref name="value"/>.</summary>
    public static double Round(float value, DataType type) => Decode(Encode([value], type), type)[0];
}
