namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>Computes a result's bits from up to three sources' bits; unused ones are 0.</summary>
internal delegate ulong Operation(ulong a, ulong b, ulong c);

/// <summary>What a register-to-register instruction takes, gives and does.</summary>
/// <param name="Result">The destination's type.</param>
/// <param name="Sources">The sources' types.</param>
/// <param name="Apply">The arithmetic.</param>
/// <param name="AllowsWider">Whether integer registers may be wider than the types (cvt).</param>
internal sealed record OperationDefinition(PtxType Result, PtxType[] Sources, Operation Apply, bool AllowsWider = false);

/// <summary>
/// The register-to-register instructions by their full name. An arithmetic instruction without .rn is missing on
/// purpose: the assembler may fuse it with its neighbour, and results then depend on the assembler.
/// </summary>
internal sealed partial class OperationTable
{
    private static readonly string[] _comparisons = ["eq", "ne", "lt", "le", "gt", "ge"];

    private readonly Dictionary<string, OperationDefinition> _definitions = [];

    /// <param name="approximation">
    /// What the .approx instructions give: 0 the rounded result, 1 and -1 a result as far off as the PTX manual allows, up for
    /// half of the inputs and down for the others, or the other way round.
    /// </param>
    public OperationTable(int approximation)
    {
        foreach (int bits in (int[])[16, 32, 64])
        {
            AddIntegers(new PtxType(PtxKind.Unsigned, bits));
            AddIntegers(new PtxType(PtxKind.Signed, bits));
            AddBits(new PtxType(PtxKind.Bits, bits));
            foreach (PtxKind kind in (PtxKind[])[PtxKind.Bits, PtxKind.Unsigned, PtxKind.Signed, PtxKind.Float])
                AddSelections(new PtxType(kind, bits));
        }
        AddPredicates();
        AddIntegerConversions();
        AddFloats(approximation);
    }

    public OperationDefinition? Find(string name) => _definitions.GetValueOrDefault(name);

    private void Add(string name, PtxType result, PtxType[] sources, Operation apply, bool allowsWider = false) =>
        _definitions.Add(name, new OperationDefinition(result, sources, apply, allowsWider));

    private void AddIntegers(PtxType type)
    {
        ulong mask = type.Mask;
        bool isSigned = type.Kind == PtxKind.Signed;
        Int128 Value(ulong bits) => isSigned ? type.SignExtend(bits) : (Int128)bits;
        void Binary(string name, Func<Int128, Int128, Int128> apply) =>
            Add($"{name}{type}", type, [type, type], (a, b, _) => (ulong)apply(Value(a), Value(b)) & mask);

        // Sums and low products of both signs are the same bits, and run often: no wide arithmetic for them.
        Add($"add{type}", type, [type, type], (a, b, _) => (a + b) & mask);
        Add($"sub{type}", type, [type, type], (a, b, _) => (a - b) & mask);
        Add($"mul.lo{type}", type, [type, type], (a, b, _) => (a * b) & mask);
        Add($"mad.lo{type}", type, [type, type, type], (a, b, c) => (a * b + c) & mask);
        Binary("mul.hi", (a, b) => a * b >> type.Bits);
        Binary("min", Int128.Min);
        Binary("max", Int128.Max);
        Binary("div", (a, b) => b == 0 ? throw new PtxException("division by zero") : a / b);
        Binary("rem", (a, b) => b == 0 ? throw new PtxException("division by zero") : a % b);
        if (type.Bits < 64)
        {
            var wide = new PtxType(type.Kind, type.Bits * 2);
            Add($"mul.wide{type}", wide, [type, type], (a, b, _) => (ulong)(Value(a) * Value(b)) & wide.Mask);
            Add($"mad.wide{type}", wide, [type, type, wide], (a, b, c) => ((ulong)(Value(a) * Value(b)) + c) & wide.Mask);
        }
        if (isSigned)
        {
            Add($"neg{type}", type, [type], (a, _, _) => (0 - a) & mask);
            Add($"abs{type}", type, [type], (a, _, _) => (type.SignExtend(a) < 0 ? 0 - a : a) & mask);
        }

        // A shift by the width or more leaves nothing but the sign.
        Add($"shr{type}", type, [type, PtxType.U32], isSigned
            ? (a, b, _) => (ulong)(type.SignExtend(a) >> (int)Math.Min(b, 63)) & mask
            : (a, b, _) => b >= (ulong)type.Bits ? 0 : a >> (int)b);
        if (!isSigned && type.Bits >= 32)
            Add($"bfe{type}", type, [type, PtxType.U32, PtxType.U32], (a, b, c) => ExtractField(a, (int)(b & 0xff), (int)(c & 0xff)));

        foreach (string comparison in _comparisons)
        {
            Add($"setp.{comparison}{type}", PtxType.Predicate, [type, type], isSigned
                ? (a, b, _) => Compares(comparison, type.SignExtend(a).CompareTo(type.SignExtend(b)))
                : (a, b, _) => Compares(comparison, a.CompareTo(b)));
        }
    }

    private void AddBits(PtxType type)
    {
        Add($"and{type}", type, [type, type], (a, b, _) => a & b);
        Add($"or{type}", type, [type, type], (a, b, _) => a | b);
        Add($"xor{type}", type, [type, type], (a, b, _) => a ^ b);
        Add($"not{type}", type, [type], (a, _, _) => ~a & type.Mask);
        Add($"shl{type}", type, [type, PtxType.U32], (a, b, _) => b >= (ulong)type.Bits ? 0 : a << (int)b & type.Mask);
        Add($"shr{type}", type, [type, PtxType.U32], (a, b, _) => b >= (ulong)type.Bits ? 0 : a >> (int)b);
        Add($"setp.eq{type}", PtxType.Predicate, [type, type], (a, b, _) => Bit(a == b));
        Add($"setp.ne{type}", PtxType.Predicate, [type, type], (a, b, _) => Bit(a != b));
    }

    private void AddSelections(PtxType type)
    {
        if (type == new PtxType(PtxKind.Float, 16))
            return; // halves lie in .b16 registers
        Add($"mov{type}", type, [type], (a, _, _) => a);
        Add($"selp{type}", type, [type, type, PtxType.Predicate], (a, b, c) => c != 0 ? a : b);
    }

    private void AddPredicates()
    {
        PtxType type = PtxType.Predicate;
        Add("mov.pred", type, [type], (a, _, _) => a);
        Add("and.pred", type, [type, type], (a, b, _) => a & b);
        Add("or.pred", type, [type, type], (a, b, _) => a | b);
        Add("xor.pred", type, [type, type], (a, b, _) => a ^ b);
        Add("not.pred", type, [type], (a, _, _) => a ^ 1);
        // Every address here is a global one.
        Add("cvta.to.global.u64", PtxType.U64, [PtxType.U64], (a, _, _) => a);
    }

    private void AddIntegerConversions()
    {
        PtxType[] types =
        [
            .. from bits in (int[])[8, 16, 32, 64]
               from kind in (PtxKind[])[PtxKind.Unsigned, PtxKind.Signed]
               select new PtxType(kind, bits),
        ];
        foreach (PtxType from in types)
        {
            foreach (PtxType to in types)
            {
                // The result's own bits; a register wider than the result is filled by the decoder's rule.
                Add($"cvt{to}{from}", to, [from], from.Kind == PtxKind.Signed
                    ? (a, _, _) => (ulong)from.SignExtend(a & from.Mask) & to.Mask
                    : (a, _, _) => a & from.Mask & to.Mask, allowsWider: true);
            }
        }
    }

    private static ulong ExtractField(ulong value, int position, int length)
    {
        ulong shifted = position >= 64 ? 0 : value >> position;
        return length >= 64 ? shifted : shifted & ((1UL << length) - 1);
    }

    private static ulong Compares(string comparison, int sign) => Bit(comparison switch
    {
        "eq" => sign == 0,
        "ne" => sign != 0,
        "lt" => sign < 0,
        "le" => sign <= 0,
        "gt" => sign > 0,
        _ => sign >= 0,
    });

    private static ulong Bit(bool value) => value ? 1UL : 0UL;
}
