using System.Runtime.InteropServices;
using NinCudnn.Operators;

namespace NinCudnn.Ptx.Tests.Kernels;

internal enum ElementType
{
    Float32,
    Float16,
    BFloat16,
    Float64,
    Int32,
    Byte,
}

/// <summary>A buffer's contents: little-endian elements.</summary>
internal sealed record Elements(ElementType Type, byte[] Bytes)
{
    public int Count => Bytes.Length / Size(Type);

    public static int Size(ElementType type) => type switch
    {
        ElementType.Byte => 1,
        ElementType.Float16 or ElementType.BFloat16 => 2,
        ElementType.Float64 => 8,
        _ => 4,
    };

    public static ElementType Of(DataType type) => type switch
    {
        DataType.Float32 => ElementType.Float32,
        DataType.Float16 => ElementType.Float16,
        _ => ElementType.BFloat16,
    };

    /// <summary>The type's suffix in kernel entry names.</summary>
    public static string Suffix(DataType type) => type switch
    {
        DataType.Float32 => "f32",
        DataType.Float16 => "f16",
        _ => "bf16",
    };

    public static Elements From(params int[] values) => new(ElementType.Int32, Raw<int>(values));

    public static Elements From(params double[] values) => new(ElementType.Float64, Raw<double>(values));

    public static Elements From(params float[] values) => new(ElementType.Float32, Raw<float>(values));

    public static Elements From(params byte[] values) => new(ElementType.Byte, values);

    /// <summary>Rounds to the type.</summary>
    public static Elements From(DataType type, float[] values) => type switch
    {
        DataType.Float32 => From(values),
        DataType.Float16 => new(ElementType.Float16, Raw<Half>([.. values.Select(value => (Half)value)])),
        _ => new(ElementType.BFloat16, Raw<ushort>([.. values.Select(RoundToBFloat16)])),
    };

    /// <summary>The step_state that the kernels read (native/kernels/step_state.h).</summary>
    public static Elements From(StepState state) => new(ElementType.Byte, Raw<StepState>([state]));

    /// <summary>The loss_scaler that the kernels keep (native/kernels/loss_scaler.h).</summary>
    public static Elements From(LossScalerState scaler) => new(ElementType.Byte, Raw<LossScalerState>([scaler]));

    /// <summary>The image_augmentation of each sample (native/kernels/image_augmentation.h), as integers.</summary>
    public static Elements From(params ImageAugmentation[] augmentations) => new(ElementType.Int32, Raw<ImageAugmentation>(augmentations));

    /// <summary>Contents that every output must replace.</summary>
    public static Elements Poison(ElementType type, int count)
    {
        var bytes = new byte[count * Size(type)];
        bytes.AsSpan().Fill(0xa5);
        return new Elements(type, bytes);
    }

    public double Number(int index)
    {
        ReadOnlySpan<byte> bytes = Bytes.AsSpan(index * Size(Type));
        return Type switch
        {
            ElementType.Float32 => MemoryMarshal.Read<float>(bytes),
            ElementType.Float16 => (double)MemoryMarshal.Read<Half>(bytes),
            ElementType.BFloat16 => BitConverter.Int32BitsToSingle(MemoryMarshal.Read<ushort>(bytes) << 16),
            ElementType.Float64 => MemoryMarshal.Read<double>(bytes),
            ElementType.Int32 => MemoryMarshal.Read<int>(bytes),
            _ => bytes[0],
        };
    }

    public double[] Numbers() => [.. Enumerable.Range(0, Count).Select(Number)];

    /// <summary>Describes the first element whose bits differ, or returns null. All NaN are alike: processors make different ones.</summary>
    public string? FirstDifference(Elements other)
    {
        int size = Size(Type);
        for (int i = 0; i < Count; i++)
        {
            Span<byte> mine = Bytes.AsSpan(i * size, size), others = other.Bytes.AsSpan(i * size, size);
            if (!mine.SequenceEqual(others) && !(double.IsNaN(Number(i)) && double.IsNaN(other.Number(i))))
                return $"[{i}] is {Number(i):g9} (0x{Hex(mine)}) against {other.Number(i):g9} (0x{Hex(others)})";
        }
        return null;
    }

    private static string Hex(ReadOnlySpan<byte> littleEndian)
    {
        byte[] bytes = littleEndian.ToArray();
        Array.Reverse(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    private static byte[] Raw<T>(ReadOnlySpan<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();

    private static ushort RoundToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)0x7fc0 : (ushort)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
    }
}
