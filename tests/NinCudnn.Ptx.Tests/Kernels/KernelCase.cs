using NinCudnn.Ptx.Tests.Ptx;
using Xunit;

namespace NinCudnn.Ptx.Tests.Kernels;

/// <summary>One launch with its arguments, which the interpreter and the host provider both run.</summary>
internal sealed class KernelCase(string family, string entry, uint blocks, uint blockSize)
{
    private sealed record Operand(string Name, Elements Initial, int Misalignment, bool IsWritten);

    private readonly List<Operand> _operands = [];
    private readonly List<Func<ulong[], byte[]>> _arguments = [];

    /// <summary>Adds a buffer that the kernel only reads.</summary>
    /// <param name="name">Its name in messages and for the result.</param>
    /// <param name="contents">What it holds.</param>
    /// <param name="misalignment">By how many elements its address misses a multiple of 256.</param>
    public KernelCase Input(string name, Elements contents, int misalignment = 0) => Buffer(name, contents, misalignment, false);

    /// <summary>Adds a buffer that the kernel reads and writes.</summary>
    public KernelCase Update(string name, Elements contents, int misalignment = 0) => Buffer(name, contents, misalignment, true);

    /// <summary>Adds a buffer that the kernel only writes.</summary>
    public KernelCase Output(string name, ElementType type, int count, int misalignment = 0) =>
        Buffer(name, Elements.Poison(type, count), misalignment, true);

    /// <summary>Adds a parameter that points to the memory of an earlier one.</summary>
    public KernelCase Same(string name)
    {
        int index = _operands.FindIndex(operand => operand.Name == name);
        _arguments.Add(addresses => BitConverter.GetBytes(addresses[index]));
        return this;
    }

    public KernelCase Null() => Value(0UL);

    public KernelCase Value(int value) => Constant(BitConverter.GetBytes(value));

    public KernelCase Value(uint value) => Constant(BitConverter.GetBytes(value));

    public KernelCase Value(long value) => Constant(BitConverter.GetBytes(value));

    public KernelCase Value(ulong value) => Constant(BitConverter.GetBytes(value));

    public KernelCase Value(float value) => Constant(BitConverter.GetBytes(value));

    /// <summary>Runs the shipped PTX with what .approx instructions may give; see <see cref="OperationTable"/>.</summary>
    public IReadOnlyDictionary<string, Elements> InterpretApproximately(int approximation) =>
        Interpret(ShippedPtx.Module(family, approximation), ThreadOrder.Ascending);

    /// <summary>Runs the shipped PTX, with the threads in both orders, which must agree to the bit.</summary>
    public IReadOnlyDictionary<string, Elements> Interpret() => Interpret(ShippedPtx.Module(family));

    /// <summary>Runs the entry of another module, with the threads in both orders, which must agree to the bit.</summary>
    public IReadOnlyDictionary<string, Elements> Interpret(PtxModule module)
    {
        IReadOnlyDictionary<string, Elements> results = Interpret(module, ThreadOrder.Ascending);
        AssertSameBits(results, Interpret(module, ThreadOrder.Descending), "the threads in ascending order against descending");
        return results;
    }

    public IReadOnlyDictionary<string, Elements> RunOnHost()
    {
        HostProvider.Operand[] operands = [.. _operands.Select(operand =>
            new HostProvider.Operand(operand.Name, (byte[])operand.Initial.Bytes.Clone(), Bytes(operand)))];
        HostProvider.Launch(family, entry, blocks, blockSize, operands, Arguments);
        return Results("the host provider", i => operands[i].Bytes);
    }

    /// <summary>Checks that every buffer has the same bits after the interpreter and the host provider; returns the interpreter's.</summary>
    public IReadOnlyDictionary<string, Elements> CheckSameBits() => CheckSameBits(ShippedPtx.Module(family));

    public IReadOnlyDictionary<string, Elements> CheckSameBits(PtxModule module)
    {
        IReadOnlyDictionary<string, Elements> interpreted = Interpret(module);
        AssertSameBits(interpreted, RunOnHost(), "the interpreter against the host provider");
        return interpreted;
    }

    private KernelCase Buffer(string name, Elements contents, int misalignment, bool isWritten)
    {
        int index = _operands.Count;
        _operands.Add(new Operand(name, contents, misalignment, isWritten));
        _arguments.Add(addresses => BitConverter.GetBytes(addresses[index]));
        return this;
    }

    private KernelCase Constant(byte[] value)
    {
        _arguments.Add(_ => value);
        return this;
    }

    private static int Bytes(Operand operand) => operand.Misalignment * Elements.Size(operand.Initial.Type);

    private byte[][] Arguments(ulong[] addresses) => [.. _arguments.Select(argument => argument(addresses))];

    private Dictionary<string, Elements> Interpret(PtxModule module, ThreadOrder order)
    {
        var memory = new GlobalMemory();
        byte[][] bytes = [.. _operands.Select(operand => (byte[])operand.Initial.Bytes.Clone())];
        ulong[] addresses = [.. _operands.Select((operand, i) => memory.Add(operand.Name, bytes[i], Bytes(operand)))];
        PtxMachine.Launch(module.Entries[entry], memory, blocks, blockSize, Arguments(addresses), order);
        return Results("the interpreter", i => bytes[i]);
    }

    private Dictionary<string, Elements> Results(string runner, Func<int, byte[]> bytes)
    {
        var results = new Dictionary<string, Elements>();
        for (int i = 0; i < _operands.Count; i++)
        {
            var result = new Elements(_operands[i].Initial.Type, bytes(i));
            if (!_operands[i].IsWritten && !result.Bytes.AsSpan().SequenceEqual(_operands[i].Initial.Bytes))
                Assert.Fail($"{this}: {runner} wrote to the input {_operands[i].Name}");
            results.Add(_operands[i].Name, result);
        }
        return results;
    }

    private void AssertSameBits(IReadOnlyDictionary<string, Elements> actual, IReadOnlyDictionary<string, Elements> expected, string what)
    {
        foreach (var (name, elements) in actual)
        {
            if (elements.FirstDifference(expected[name]) is { } difference)
                Assert.Fail($"{this}: {name}{difference}, {what}");
        }
    }

    public override string ToString() =>
        $"{entry}, {blocks}×{blockSize} threads, {string.Join(", ", _operands.Select(operand => $"{operand.Name} of {operand.Initial.Count}"))}";
}
