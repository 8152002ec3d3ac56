namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>A parsed module. <see cref="PtxParser"/> makes it.</summary>
internal sealed record PtxModule(string File, string Version, string Target, IReadOnlyDictionary<string, PtxEntry> Entries);

/// <summary>A kernel's parameter and its place among the packed arguments.</summary>
internal sealed record PtxParameter(string Name, PtxType Type, int Offset);

/// <summary>A kernel: straight code with jumps, whose operands are all places in one register file per thread.</summary>
internal sealed class PtxEntry
{
    // The first places of every register file.
    public const int ThreadIndex = 0;
    public const int BlockSize = 1;
    public const int BlockIndex = 2;
    public const int GridSize = 3;

    public required string File { get; init; }

    public required string Name { get; init; }

    public required IReadOnlyList<PtxParameter> Parameters { get; init; }

    public required PtxInstruction[] Instructions { get; init; }

    /// <summary>What a thread starts with: constants in their places, a pattern in registers that were not yet written.</summary>
    public required ulong[] InitialRegisters { get; init; }
}

internal enum InstructionKind
{
    Compute,
    Pack,
    Unpack,
    LoadParameter,
    Load,
    Store,
    Branch,
    Return,
    Shuffle,
    WarpBarrier,
}

/// <summary>A decoded instruction. Registers are named by their place in the register file.</summary>
internal sealed class PtxInstruction
{
    public required int Line { get; init; }

    public required string Text { get; init; }

    public required InstructionKind Kind { get; init; }

    /// <summary>The guard predicate's register, or -1.</summary>
    public int Guard { get; init; } = -1;

    public bool IsGuardNegated { get; init; }

    public int[] Destinations { get; init; } = [];

    public int[] Sources { get; init; } = [];

    public Operation? Operation { get; init; }

    /// <summary>The element's type of a memory access or of a packed value.</summary>
    public PtxType Type { get; init; }

    /// <summary>The destination register's bits: a narrower signed value is extended to them.</summary>
    public int DestinationBits { get; init; }

    /// <summary>The constant part of an address, or a parameter's offset.</summary>
    public long Offset { get; init; }

    public bool IsNonCoherent { get; init; }

    /// <summary>The instruction that a branch leads to.</summary>
    public int Target { get; set; } = -1;

    /// <summary>Whether any thread of any launch has executed it.</summary>
    public bool IsExecuted { get; set; }

    /// <summary>Whether any thread has passed over it, its guard being false.</summary>
    public bool IsSkipped { get; set; }
}
