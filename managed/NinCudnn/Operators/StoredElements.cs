using System.Runtime.InteropServices;

namespace NinCudnn.Operators;

/// <summary>Numbers as a <see cref="DataType"/> stores them.</summary>
internal static class StoredElements
{
    /// <summary>Rounds to the nearest number of the type, of two equally near ones to the even one.</summary>
    public static byte[] Encode(ReadOnlySpan<float> values, DataType type)
    {
        if (type == DataType.Float32)
            return MemoryMarshal.AsBytes(values).ToArray();
        var bits = new ushort[values.Length];
        for (int i = 0; i < bits.Length; i++)
            bits[i] = type == DataType.Float16 ? BitConverter.HalfToUInt16Bits((Half)values[i]) : ToBFloat16(values[i]);
        return MemoryMarshal.AsBytes<ushort>(bits).ToArray();
    }

    /// <summary>The numbers, exactly.</summary>
    public static float[] Decode(ReadOnlySpan<byte> bytes, DataType type)
    {
        var values = new float[bytes.Length / type.Bytes()];
        Decode(bytes, type, values);
        return values;
    }

    /// <summary>The numbers, exactly.</summary>
    /// <param name="bytes">As many as the values take in the type.</param>
    /// <param name="type">The type.</param>
    /// <param name="values">Overwritten.</param>
    public static void Decode(ReadOnlySpan<byte> bytes, DataType type, Span<float> values)
    {
        if (type == DataType.Float32)
        {
            bytes.CopyTo(MemoryMarshal.AsBytes(values));
            return;
        }
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(bytes);
        for (int i = 0; i < values.Length; i++)
            values[i] = type == DataType.Float16 ? (float)BitConverter.UInt16BitsToHalf(bits[i]) : BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
    }

    private static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)(bits >> 16 | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
