using System.Diagnostics;

namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>The order in which a launch's independent parts run. A kernel without races gives the same bits in both.</summary>
internal enum ThreadOrder
{
    Ascending,
    Descending,
}

/// <summary>
/// Runs a kernel's launch. The lanes of a warp run one after another, each until it ends or comes to a warp-synchronous
/// instruction, where the lanes of its mask wait for each other.
/// </summary>
internal sealed class PtxMachine
{
    private const int WarpSize = 32;
    private const int InstructionLimit = 20_000_000; // per thread: far more than any test needs

    private enum LaneState
    {
        Running,
        Waiting,
        Ended,
    }

    private sealed class Lane
    {
        public ulong[] Registers = [];
        public int Instruction;
        public uint Block;
        public uint Thread;
        public LaneState State;
        public int Executed;

        public uint Bit => 1u << (int)(Thread % WarpSize);
    }

    private readonly PtxEntry _entry;
    private readonly GlobalMemory _memory;
    private readonly byte[][] _arguments;
    private readonly ThreadOrder _order;

    private PtxMachine(PtxEntry entry, GlobalMemory memory, byte[][] arguments, ThreadOrder order) =>
        (_entry, _memory, _arguments, _order) = (entry, memory, arguments, order);

    /// <summary>Runs a one-dimensional launch to its end.</summary>
    /// <param name="entry">The kernel.</param>
    /// <param name="memory">What its pointers point into.</param>
    /// <param name="blocks">Blocks in the grid.</param>
    /// <param name="blockSize">Threads per block.</param>
    /// <param name="arguments">The parameters' bytes.</param>
    /// <param name="order">See <see cref="ThreadOrder"/>.</param>
    /// <param name="only">The blocks to run where not all: the first and how many. The kernel doesn't notice.</param>
    /// <exception cref="PtxException">The launch did something it must not; says kernel, line, instruction and thread.</exception>
    public static void Launch(PtxEntry entry, GlobalMemory memory, uint blocks, uint blockSize, byte[][] arguments, ThreadOrder order = default,
        (uint First, uint Count)? only = null)
    {
        if (arguments.Length != entry.Parameters.Count)
            throw new PtxException($"{entry.Name} has {entry.Parameters.Count} parameters, not {arguments.Length}");
        for (int i = 0; i < arguments.Length; i++)
        {
            if (arguments[i].Length != entry.Parameters[i].Type.Bytes)
                throw new PtxException($"{entry.Name}'s parameter {i} is {entry.Parameters[i].Type}, the argument has {arguments[i].Length} bytes");
        }
        new PtxMachine(entry, memory, arguments, order).Run(blocks, blockSize, only ?? (0, blocks));
    }

    private void Run(uint blocks, uint blockSize, (uint First, uint Count) range)
    {
        uint warps = (blockSize + WarpSize - 1) / WarpSize;
        Lane[] allLanes = [.. Enumerable.Range(0, WarpSize).Select(_ => new Lane { Registers = new ulong[_entry.InitialRegisters.Length] })];
        for (uint b = 0; b < range.Count; b++)
        {
            for (uint w = 0; w < warps; w++)
            {
                uint block = range.First + (_order == ThreadOrder.Ascending ? b : range.Count - 1 - b);
                uint warp = _order == ThreadOrder.Ascending ? w : warps - 1 - w;
                uint first = warp * WarpSize;
                Span<Lane> lanes = allLanes.AsSpan(0, (int)Math.Min(WarpSize, blockSize - first));
                for (int i = 0; i < lanes.Length; i++)
                {
                    Lane lane = lanes[i];
                    _entry.InitialRegisters.CopyTo(lane.Registers, 0);
                    (lane.Instruction, lane.State, lane.Executed, lane.Block, lane.Thread) = (0, LaneState.Running, 0, block, first + (uint)i);
                    lane.Registers[PtxEntry.ThreadIndex] = lane.Thread;
                    lane.Registers[PtxEntry.BlockSize] = blockSize;
                    lane.Registers[PtxEntry.BlockIndex] = block;
                    lane.Registers[PtxEntry.GridSize] = blocks;
                }
                RunWarp(lanes);
            }
        }
    }

    private void RunWarp(Span<Lane> lanes)
    {
        while (true)
        {
            for (int i = 0; i < lanes.Length; i++)
                RunLane(lanes[_order == ThreadOrder.Ascending ? i : lanes.Length - 1 - i]);
            if (!ReleaseWaiting(lanes))
                return;
        }
    }

    private void RunLane(Lane lane)
    {
        try
        {
            while (lane.State == LaneState.Running)
                Step(lane);
        }
        catch (PtxException exception)
        {
            throw Failure(lane, exception.Message);
        }
    }

    private PtxException Failure(Lane lane, string problem)
    {
        if (lane.Instruction >= _entry.Instructions.Length)
            return new PtxException($"{_entry.File}: {_entry.Name}, block {lane.Block}, thread {lane.Thread}: {problem}");
        PtxInstruction instruction = _entry.Instructions[lane.Instruction];
        return new PtxException(
            $"{_entry.File}({instruction.Line}): `{instruction.Text}`: {_entry.Name}, block {lane.Block}, thread {lane.Thread}: {problem}");
    }

    private void Step(Lane lane)
    {
        if (lane.Instruction >= _entry.Instructions.Length)
            throw new PtxException("ran past the kernel's end");
        if (lane.Executed++ == InstructionLimit)
            throw new PtxException($"still runs after {InstructionLimit} instructions");
        PtxInstruction instruction = _entry.Instructions[lane.Instruction];
        ulong[] registers = lane.Registers;
        if (instruction.Guard >= 0 && registers[instruction.Guard] != 0 == instruction.IsGuardNegated)
        {
            instruction.IsSkipped = true;
            lane.Instruction++;
            return;
        }

        instruction.IsExecuted = true;
        int[] sources = instruction.Sources, destinations = instruction.Destinations;
        switch (instruction.Kind)
        {
            case InstructionKind.Compute:
                registers[destinations[0]] = instruction.Operation!(
                    registers[sources[0]],
                    sources.Length > 1 ? registers[sources[1]] : 0,
                    sources.Length > 2 ? registers[sources[2]] : 0);
                break;
            case InstructionKind.Pack:
                registers[destinations[0]] = registers[sources[0]] | registers[sources[1]] << instruction.Type.Bits;
                break;
            case InstructionKind.Unpack:
                ulong whole = registers[sources[0]];
                registers[destinations[0]] = whole & instruction.Type.Mask;
                registers[destinations[1]] = whole >> instruction.Type.Bits;
                break;
            case InstructionKind.LoadParameter:
                registers[destinations[0]] = Extended(Argument(instruction.Offset), instruction);
                break;
            case InstructionKind.Load:
                Load(registers, instruction);
                break;
            case InstructionKind.Store:
                Span<ulong> values = stackalloc ulong[sources.Length - 1];
                for (int i = 0; i < values.Length; i++)
                    values[i] = registers[sources[i + 1]];
                _memory.Store(registers[sources[0]] + (ulong)instruction.Offset, instruction.Type.Bytes, values);
                break;
            case InstructionKind.Branch:
                lane.Instruction = instruction.Target;
                return;
            case InstructionKind.Return:
                lane.State = LaneState.Ended;
                return;
            case InstructionKind.Shuffle or InstructionKind.WarpBarrier:
                if ((Mask(lane, instruction) & lane.Bit) == 0)
                    throw new PtxException("the lane is not in its own mask");
                lane.State = LaneState.Waiting;
                return;
            default:
                throw new UnreachableException($"{instruction.Kind}");
        }
        lane.Instruction++;
    }

    private ulong Argument(long offset)
    {
        int index = 0;
        while (_entry.Parameters[index].Offset != offset)
            index++;
        ulong value = 0;
        for (int i = _arguments[index].Length - 1; i >= 0; i--)
            value = value << 8 | _arguments[index][i];
        return value;
    }

    private void Load(ulong[] registers, PtxInstruction instruction)
    {
        Span<ulong> values = stackalloc ulong[instruction.Destinations.Length];
        _memory.Load(registers[instruction.Sources[0]] + (ulong)instruction.Offset, instruction.Type.Bytes, values, instruction.IsNonCoherent);
        for (int i = 0; i < values.Length; i++)
            registers[instruction.Destinations[i]] = Extended(values[i], instruction);
    }

    // A loaded value as its register takes it: a signed one keeps its sign in a wider register.
    private static ulong Extended(ulong value, PtxInstruction load) => load.Type.Kind == PtxKind.Signed
        ? (ulong)load.Type.SignExtend(value) & new PtxType(PtxKind.Bits, load.DestinationBits).Mask
        : value;

    private static uint Mask(Lane lane, PtxInstruction instruction) => (uint)lane.Registers[instruction.Sources[^1]];

    // Lets those go on whose whole mask has come; false when all lanes have ended.
    private bool ReleaseWaiting(Span<Lane> lanes)
    {
        Lane? stuck = null;
        bool isReleased = false;
        for (int i = 0; i < lanes.Length; i++)
        {
            Lane lane = lanes[i];
            if (lane.State != LaneState.Waiting)
                continue;
            PtxInstruction instruction = _entry.Instructions[lane.Instruction];
            uint mask = Mask(lane, instruction), present = 0;
            foreach (Lane other in lanes)
                present |= WaitsFor(other, lane, instruction, mask) ? other.Bit : 0;
            if ((mask & ~present) != 0)
            {
                stuck ??= lane;
                continue;
            }
            if (instruction.Kind == InstructionKind.Shuffle)
                Exchange(lanes, instruction, mask);
            foreach (Lane other in lanes)
            {
                if ((mask & other.Bit) != 0)
                    (other.State, other.Instruction) = (LaneState.Running, other.Instruction + 1);
            }
            isReleased = true;
        }
        if (stuck is not null && !isReleased)
            throw Failure(stuck, $"waits for lanes that never come: {Describe(lanes)}");
        return isReleased;
    }

    // Shuffles meet at the same instruction, barriers at any.
    private bool WaitsFor(Lane other, Lane lane, PtxInstruction instruction, uint mask)
    {
        if (other.State != LaneState.Waiting)
            return false;
        PtxInstruction otherInstruction = _entry.Instructions[other.Instruction];
        return (instruction.Kind == InstructionKind.Shuffle ? other.Instruction == lane.Instruction : otherInstruction.Kind == instruction.Kind)
            && Mask(other, otherInstruction) == mask;
    }

    // shfl.sync.bfly: lane i gets the value of lane i xor b, unless that lies beyond its segment's end; then its own.
    private void Exchange(Span<Lane> lanes, PtxInstruction instruction, uint mask)
    {
        Span<ulong> values = stackalloc ulong[lanes.Length];
        for (int i = 0; i < lanes.Length; i++)
            values[i] = lanes[i].Registers[instruction.Sources[0]];
        for (int i = 0; i < lanes.Length; i++)
        {
            if ((mask >> i & 1) == 0)
                continue;
            ulong[] registers = lanes[i].Registers;
            int distance = (int)registers[instruction.Sources[1]] & 31;
            int clamp = (int)registers[instruction.Sources[2]] & 31, segment = (int)registers[instruction.Sources[2]] >> 8 & 31;
            int last = i & segment | clamp & ~segment;
            int from = (i ^ distance) <= last ? i ^ distance : i;
            if ((mask >> from & 1) == 0)
                throw Failure(lanes[i], $"takes the value of lane {from}, which does not take part");
            registers[instruction.Destinations[0]] = values[from];
        }
    }

    private string Describe(Span<Lane> lanes)
    {
        var parts = new List<string>();
        foreach (Lane lane in lanes)
        {
            parts.Add($"{lane.Thread % WarpSize} " + (lane.State == LaneState.Ended
                ? "has ended"
                : $"is at line {_entry.Instructions[lane.Instruction].Line}"));
        }
        return string.Join(", ", parts);
    }
}
