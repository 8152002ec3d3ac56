using System.Globalization;
using System.Text.RegularExpressions;

namespace NinCudnn.Ptx.Tests.Ptx;

/// <summary>Turns a kernel's statements into instructions and checks their operands' types.</summary>
internal sealed partial class PtxDecoder
{
    // What a register holds before it is first written: a value that makes no sense as an address, a count or a number.
    private const ulong Unwritten = 0xfff7_dead_fff7_dead;

    private readonly record struct Register(int Place, PtxType Type);

    private readonly OperationTable _operations;
    private readonly IReadOnlyList<PtxParameter> _parameters;
    private readonly List<PtxInstruction> _instructions = [];
    private readonly List<ulong> _registers = [0, 0, 0, 0]; // the special ones first, see PtxEntry
    private readonly Dictionary<ulong, int> _constants = [];
    private readonly Stack<Dictionary<string, Register>> _scopes = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(PtxInstruction Branch, string Label)> _branches = [];

    public PtxDecoder(OperationTable operations, IReadOnlyList<PtxParameter> parameters)
    {
        (_operations, _parameters) = (operations, parameters);
        _scopes.Push(new()
        {
            ["%tid.x"] = new(PtxEntry.ThreadIndex, PtxType.U32),
            ["%ntid.x"] = new(PtxEntry.BlockSize, PtxType.U32),
            ["%ctaid.x"] = new(PtxEntry.BlockIndex, PtxType.U32),
            ["%nctaid.x"] = new(PtxEntry.GridSize, PtxType.U32),
        });
        OpenScope();
    }

    public void OpenScope() => _scopes.Push([]);

    public void CloseScope() => _scopes.Pop();

    public void Label(string name)
    {
        if (!_labels.TryAdd(name, _instructions.Count))
            throw new PtxException($"a second label {name}");
    }

    public void Statement(int line, string text)
    {
        if (text.StartsWith(".reg ", StringComparison.Ordinal))
            DeclareRegisters(text);
        else if (!text.StartsWith(".pragma ", StringComparison.Ordinal)) // advice about unrolling
            _instructions.Add(Decode(line, text));
    }

    public PtxEntry Finish(string file, string name)
    {
        foreach (var (branch, label) in _branches)
        {
            branch.Target = _labels.TryGetValue(label, out int target)
                ? target
                : throw new PtxException($"line {branch.Line} jumps to {label}, which is nowhere");
        }
        return new PtxEntry
        {
            File = file,
            Name = name,
            Parameters = _parameters,
            Instructions = [.. _instructions],
            InitialRegisters = [.. _registers],
        };
    }

    private void DeclareRegisters(string text)
    {
        Match match = Declaration().Match(text);
        if (!match.Success || PtxType.Find(match.Groups[1].Value) is not { } type)
            throw new PtxException("unknown register declaration");
        foreach (string name in match.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries))
        {
            int range = name.IndexOf('<', StringComparison.Ordinal);
            if (range < 0)
                Declare(name, type);
            for (int i = 0; range >= 0 && i < int.Parse(name[(range + 1)..^1], CultureInfo.InvariantCulture); i++)
                Declare(name[..range] + i.ToString(CultureInfo.InvariantCulture), type);
        }
    }

    private void Declare(string name, PtxType type)
    {
        if (!_scopes.Peek().TryAdd(name, new Register(_registers.Count, type)))
            throw new PtxException($"a second register {name}");
        _registers.Add(Unwritten & type.Mask);
    }

    private PtxInstruction Decode(int line, string text)
    {
        Match match = Instruction().Match(text);
        if (!match.Success)
            throw new PtxException("not an instruction");
        int guard = match.Groups[2].Success ? Source(match.Groups[2].Value, PtxType.Predicate) : -1;
        bool isNegated = match.Groups[1].Value == "!";
        string name = match.Groups[3].Value;
        string[] operands = [.. Operand().Matches(match.Groups[4].Value).Select(operand => operand.Value.Trim())];

        PtxInstruction Make(InstructionKind kind, int[]? destinations = null, int[]? sources = null, Operation? operation = null,
            PtxType type = default, int destinationBits = 0, long offset = 0, bool isNonCoherent = false) => new()
            {
                Line = line,
                Text = text,
                Kind = kind,
                Guard = guard,
                IsGuardNegated = isNegated,
                Destinations = destinations ?? [],
                Sources = sources ?? [],
                Operation = operation,
                Type = type,
                DestinationBits = destinationBits,
                Offset = offset,
                IsNonCoherent = isNonCoherent,
            };

        void Expect(int count)
        {
            if (operands.Length != count)
                throw new PtxException($"{name} takes {count} operands, not {operands.Length}");
        }

        switch (name)
        {
            case "ret":
                Expect(0);
                return Make(InstructionKind.Return);
            case "bra" or "bra.uni":
                Expect(1);
                PtxInstruction branch = Make(InstructionKind.Branch);
                _branches.Add((branch, operands[0]));
                return branch;
            case "bar.warp.sync":
                Expect(1);
                return Make(InstructionKind.WarpBarrier, sources: [Source(operands[0], PtxType.U32)]);
            case "shfl.sync.bfly.b32":
                Expect(5);
                return Make(InstructionKind.Shuffle, [Destination(operands[0], new(PtxKind.Bits, 32)).Place],
                    [Source(operands[1], new(PtxKind.Bits, 32)), .. operands[2..].Select(operand => Source(operand, PtxType.U32))]);
        }

        if (MemoryAccess().Match(name) is { Success: true } access && PtxType.Find(access.Groups["type"].Value) is { } type)
        {
            Expect(2);
            bool isLoad = access.Groups["direction"].Value == "ld";
            if (access.Groups["space"].Value == "param")
            {
                PtxParameter parameter = Parameter(operands[1], type);
                Register value = Destination(operands[0], type, true);
                return Make(InstructionKind.LoadParameter, [value.Place], type: type, destinationBits: value.Type.Bits, offset: parameter.Offset);
            }
            string[] elements = Elements(operands[isLoad ? 0 : 1]);
            if (elements.Length != (access.Groups["vector"].Success ? access.Groups["vector"].Value[1] - '0' : 1))
                throw new PtxException($"{name} does not take {elements.Length} elements");
            var (address, offset) = Address(operands[isLoad ? 1 : 0]);
            if (!isLoad)
            {
                int[] values = [.. elements.Select(element => Source(element, type, true))];
                return Make(InstructionKind.Store, sources: [address, .. values], type: type, offset: offset);
            }
            Register[] destinations = [.. elements.Select(element => Destination(element, type, true))];
            return Make(InstructionKind.Load, [.. destinations.Select(register => register.Place)], [address], type: type,
                destinationBits: destinations[0].Type.Bits, offset: offset, isNonCoherent: access.Groups["nc"].Success);
        }

        if (name is "mov.b32" or "mov.b64" && operands.Length == 2 && operands.Any(operand => operand[0] == '{'))
        {
            PtxType whole = PtxType.Find(name[4..])!.Value;
            bool isPack = operands[1][0] == '{';
            string[] parts = Elements(operands[isPack ? 1 : 0]);
            if (parts.Length != 2)
                throw new PtxException("only halves are packed here");
            var half = new PtxType(PtxKind.Bits, whole.Bits / 2);
            return isPack
                ? Make(InstructionKind.Pack, [Destination(operands[0], whole).Place], [.. parts.Select(part => Source(part, half))], type: half)
                : Make(InstructionKind.Unpack, [.. parts.Select(part => Destination(part, half).Place)], [Source(operands[1], whole)], type: half);
        }

        OperationDefinition definition = _operations.Find(name) ?? throw new PtxException($"unknown instruction {name}");
        Expect(definition.Sources.Length + 1);
        Register result = Destination(operands[0], definition.Result, definition.AllowsWider);
        int[] sources = [.. operands[1..].Zip(definition.Sources, (operand, source) => Source(operand, source, definition.AllowsWider))];
        return Make(InstructionKind.Compute, [result.Place], sources, Widened(definition, result.Type));
    }

    // A signed result narrower than its register is extended with its sign.
    private static Operation Widened(OperationDefinition definition, PtxType register)
    {
        var (type, apply) = (definition.Result, definition.Apply);
        return type.Kind == PtxKind.Signed && register.Bits > type.Bits
            ? (a, b, c) => (ulong)type.SignExtend(apply(a, b, c)) & register.Mask
            : apply;
    }

    private PtxParameter Parameter(string operand, PtxType type)
    {
        PtxParameter parameter = _parameters.FirstOrDefault(parameter => operand == $"[{parameter.Name}]")
            ?? throw new PtxException($"{operand} is no parameter");
        return type.Agrees(parameter.Type) ? parameter : throw new PtxException($"a load of {type} from a parameter of {parameter.Type}");
    }

    private (int Place, long Offset) Address(string operand)
    {
        Match match = AddressForm().Match(operand);
        if (!match.Success)
            throw new PtxException($"unknown address {operand}");
        long offset = match.Groups[2].Success ? long.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) : 0;
        return (Source(match.Groups[1].Value, PtxType.U64), offset);
    }

    private static string[] Elements(string operand) =>
        operand[0] == '{' ? operand[1..^1].Split(',', StringSplitOptions.TrimEntries) : [operand];

    private Register Destination(string name, PtxType type, bool allowsWider = false)
    {
        Register register = FindRegister(name) ?? throw new PtxException($"{name} is no register");
        if (register.Place <= PtxEntry.GridSize)
            throw new PtxException($"{name} cannot be written");
        return CheckType(name, register, type, allowsWider);
    }

    private int Source(string operand, PtxType type, bool allowsWider = false)
    {
        if (FindRegister(operand) is { } register)
            return CheckType(operand, register, type, allowsWider).Place;
        ulong value = Constant(operand, type) ?? throw new PtxException($"{operand} is no operand of type {type}");
        if (!_constants.TryGetValue(value, out int place))
        {
            _constants.Add(value, place = _registers.Count);
            _registers.Add(value);
        }
        return place;
    }

    private Register? FindRegister(string name)
    {
        foreach (Dictionary<string, Register> scope in _scopes)
        {
            if (scope.TryGetValue(name, out Register register))
                return register;
        }
        return null;
    }

    private static Register CheckType(string name, Register register, PtxType type, bool allowsWider) =>
        (allowsWider ? type.AgreesWithWider(register.Type) : type.Agrees(register.Type))
            ? register
            : throw new PtxException($"{name} is a register of type {register.Type} where {type} is wanted");

    private static ulong? Constant(string operand, PtxType type)
    {
        Match match = Literal().Match(operand);
        if (!match.Success || match.Groups["float"].Success != (type.Kind == PtxKind.Float) || type.Kind == PtxKind.Predicate)
            return null;
        if (match.Groups["float"].Success)
        {
            string digits = match.Groups["digits"].Value;
            return digits.Length * 4 == type.Bits ? ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : null;
        }
        Int128 value = match.Groups["hex"].Success
            ? (Int128)ulong.Parse(match.Groups["hex"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            : Int128.Parse(operand, CultureInfo.InvariantCulture);
        bool fits = value >= -(Int128.One << (type.Bits - 1)) && value <= type.Mask;
        return fits ? (ulong)value & type.Mask : null;
    }

    [GeneratedRegex(@"^\.reg \.(\w+) ([%\w$<>, ]+)$")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^(?:@(!?)(%\w+) )?([a-z][\w.]*)(?: (.+))?$")]
    private static partial Regex Instruction();

    [GeneratedRegex(@"\{[^}]*\}|\[[^]]*\]|[^,\s][^,]*")]
    private static partial Regex Operand();

    [GeneratedRegex(
        @"^(?:(?<direction>ld)\.(?<space>param|global)(?<nc>(?<=global)\.nc)?|(?<direction>st)\.(?<space>global))"
        + @"(?:\.(?<vector>v[24]))?\.(?<type>\w+)$")]
    private static partial Regex MemoryAccess();

    [GeneratedRegex(@"^\[(%\w+)(?:\+(-?\d+))?\]$")]
    private static partial Regex AddressForm();

    [GeneratedRegex(@"^(?:(?<float>0[fd])(?<digits>[0-9a-fA-F]+)|0[xX](?<hex>[0-9a-fA-F]+)U?|-?\d+)$")]
    private static partial Regex Literal();
}
