using System.Runtime.InteropServices;
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

    public static byte[] Encode(ReadOnlySpan<float> values, DataType type)
    {
        if (type == DataType.Float32)
            return MemoryMarshal.AsBytes(values).ToArray();
        var bits = new ushort[values.Length];
        for (int i = 0; i < bits.Length; i++)
            bits[i] = type == DataType.Float16 ? BitConverter.HalfToUInt16Bits((Half)values[i]) : ToBFloat16(values[i]);
        return MemoryMarshal.AsBytes<ushort>(bits).ToArray();
    }

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

    /// <summary>To the nearest, of two equally near ones the even one; for finite values.</summary>
    private static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
