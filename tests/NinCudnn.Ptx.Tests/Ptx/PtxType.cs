namespace NinCudnn.Ptx.Tests.Ptx;

internal enum PtxKind
{
    Bits,
    Unsigned,
    Signed,
    Float,
    Predicate,
}

/// <summary>A PTX fundamental type: .b32, .u8, .s64, .f16, .pred and so on.</summary>
internal readonly record struct PtxType(PtxKind Kind, int Bits)
{
    public static readonly PtxType U32 = new(PtxKind.Unsigned, 32);
    public static readonly PtxType U64 = new(PtxKind.Unsigned, 64);
    public static readonly PtxType Predicate = new(PtxKind.Predicate, 1);

    public int Bytes => Bits / 8;

    /// <summary>The bits that a value of this type occupies; registers hold values extended with zeros to 64 bits.</summary>
    public ulong Mask => Bits == 64 ? ulong.MaxValue : (1UL << Bits) - 1;

    /// <summary>Returns the type of a name such as "u32", or null.</summary>
    public static PtxType? Find(string name)
    {
        if (name == "pred")
            return Predicate;
        PtxKind? kind = name.Length < 2 ? null : name[0] switch
        {
            'b' => PtxKind.Bits,
            'u' => PtxKind.Unsigned,
            's' => PtxKind.Signed,
            'f' => PtxKind.Float,
            _ => null,
        };
        return kind is { } known && name[1..] is "8" or "16" or "32" or "64" && !(known == PtxKind.Float && name == "f8")
            ? new PtxType(known, int.Parse(name[1..]))
            : null;
    }

    /// <summary>Whether an operand of this type may be a register of that one ("Operand Type Checking" in the PTX manual).</summary>
    public bool Agrees(PtxType register) =>
        Bits == register.Bits && (Kind == register.Kind || Kind == PtxKind.Bits || register.Kind == PtxKind.Bits || IsInteger && register.IsInteger);

    /// <summary>The rule for ld, st and cvt, where a register that isn't of a floating-point type may be wider.</summary>
    public bool AgreesWithWider(PtxType register) =>
        Kind is PtxKind.Predicate or PtxKind.Float || register.Kind is PtxKind.Predicate or PtxKind.Float
            ? Agrees(register)
            : register.Bits >= Bits;

    public long SignExtend(ulong value) => (long)(value << (64 - Bits)) >> (64 - Bits);

    public override string ToString() =>
        Kind == PtxKind.Predicate ? ".pred" : $".{"busf"[(int)Kind]}{Bits}";

    private bool IsInteger => Kind is PtxKind.Unsigned or PtxKind.Signed;
}
