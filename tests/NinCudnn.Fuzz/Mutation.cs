using System.Buffers.Binary;
using CsCheck;

namespace NinCudnn.Fuzz;

internal enum MutationKind
{
    FlipBit,
    SetByte,
    SetField,
    ChangeJson,
    Truncate,
    Insert,
    Delete,
    Duplicate,
}

/// <summary>One change of an input. What it needs no number for, it leaves unused.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Place">Where, as a share of the input's length.</param>
/// <param name="IsNearStart">Whether the place is in the first bytes, where headers are.</param>
/// <param name="Length">Of how many bytes.</param>
/// <param name="Value">What is put there, or which of the remarkable values.</param>
internal readonly record struct Mutation(MutationKind Kind, double Place, bool IsNearStart, int Length, uint Value)
{
    private const int HeaderBytes = 64;

    // At the edges of the types that headers are read as.
    private static readonly ulong[] _edges =
    [
        0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7ffffff, int.MaxValue, 0x80000000, uint.MaxValue, 0x100000000,
        long.MaxValue, 0x8000000000000000, ulong.MaxValue, ulong.MaxValue - 7,
    ];

    public static Gen<Mutation> Any { get; } = Gen.Select(
        Gen.OneOf(Gen.Enum<MutationKind>(), Gen.Const(MutationKind.ChangeJson)), Gen.Double.Unit, Gen.Bool, Gen.Int[1, 48], Gen.UInt, (kind, place, isNearStart, length, value) =>
            new Mutation(kind, place, isNearStart, length, value));

    /// <summary>Returns the changed input.</summary>
    /// <param name="input">The input.</param>
    /// <param name="json">The part of it that is JSON.</param>
    public byte[] Apply(byte[] input, Range json)
    {
        int at = (int)(Place * (IsNearStart ? Math.Min(input.Length, HeaderBytes) : input.Length)), end = Math.Min(at + Length, input.Length);
        if (at == input.Length)
            return [.. input, (byte)Value];
        ReadOnlySpan<byte> before = input.AsSpan(0, at);
        switch (Kind)
        {
            case MutationKind.FlipBit:
                return [.. before, (byte)(input[at] ^ 1 << (int)(Value % 8)), .. input.AsSpan(at + 1)];
            case MutationKind.SetByte:
                return [.. before, (byte)Value, .. input.AsSpan(at + 1)];
            case MutationKind.Truncate:
                return before.ToArray();
            case MutationKind.Insert:
                return [.. before, .. BitConverter.GetBytes(Value)[..(Length % sizeof(uint) + 1)], .. input.AsSpan(at)];
            case MutationKind.Delete:
                return [.. before, .. input.AsSpan(end)];
            case MutationKind.Duplicate:
                return [.. before, .. input.AsSpan(at, end - at), .. input.AsSpan(at)];
            case MutationKind.ChangeJson when input.AsSpan(json).Length > 0:
                return [.. input.AsSpan(..json.Start.Value), .. JsonMutation.Apply(input.AsSpan(json), Place, Value), .. input.AsSpan(json.End.Value..)];
            default:
                return SetField(input, at);
        }
    }

    /// <summary>Writes a remarkable number of 2, 4 or 8 bytes, in either order.</summary>
    private byte[] SetField(byte[] input, int at)
    {
        var field = new byte[sizeof(ulong)];
        ulong edge = _edges[Value % _edges.Length];
        int bytes = 2 << Length % 3;
        if (Length % 2 == 0)
            BinaryPrimitives.WriteUInt64LittleEndian(field, edge);
        else
            BinaryPrimitives.WriteUInt64BigEndian(field, edge << 8 * (sizeof(ulong) - bytes));
        // Most fields are aligned.
        at -= IsNearStart ? at % bytes : 0;
        byte[] changed = [.. input];
        field.AsSpan(0, Math.Min(bytes, input.Length - at)).CopyTo(changed.AsSpan(at));
        return changed;
    }
}
