using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using NinCudnn.Devices;
using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>
/// What one check works with: a stream, device memory for operands, and the comparison with what is expected. Outputs start
/// as NaN and have guards on both sides, so that what an operator leaves out or writes too much is noticed.
/// </summary>
/// <param name="stream">The stream, which other checks use too.</param>
/// <param name="observeResult">Sees each result before it is compared, by name; tests change it there.</param>
internal sealed class CheckContext(DeviceStream stream, Action<string, double[]>? observeResult = null) : IDisposable
{
    private const int GuardBytes = 256;
    private const byte Poison = 0xFF; // a NaN in every type

    private readonly List<IDisposable> _owned = [];
    private readonly List<DeviceBuffer<byte>> _guarded = [];
    private double _worstError;
    private string? _worst;

    public DeviceStream Stream => stream;

    public Device Device => stream.Device;

    /// <summary>Disposes the item at the check's end.</summary>
    public T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }

    /// <summary>Device memory with these values.</summary>
    public DeviceMemory Upload<T>(ReadOnlySpan<T> values)
        where T : unmanaged => Fill(MemoryMarshal.AsBytes(values));

    /// <summary>Device memory with these values in that type.</summary>
    public DeviceMemory Upload(float[] values, DataType type) => Fill(StoredElements.Encode(values, type));

    /// <summary>Device memory full of NaN, for an output or as a workspace.</summary>
    public DeviceMemory Output(long bytes)
    {
        var content = new byte[bytes];
        Array.Fill(content, Poison);
        return Fill(content);
    }

    /// <summary>Device memory full of NaN for so many elements.</summary>
    public DeviceMemory Output(long count, DataType type) => Output(count * type.Bytes());

    /// <summary>Waits and reads device memory.</summary>
    public T[] Download<T>(DeviceMemory memory)
        where T : unmanaged
    {
        var values = new T[memory.Bytes / Unsafe.SizeOf<T>()];
        using DeviceBuffer<T> copy = Device.Allocate<T>(values.Length);
        stream.Copy(memory, copy.Memory);
        copy.Download(values);
        return values;
    }

    /// <summary>Compares device memory with what is expected.</summary>
    /// <param name="name">The operand's name.</param>
    /// <param name="memory">Where it is.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="expected">What it should be.</param>
    /// <param name="shape">Its extents in memory order.</param>
    /// <param name="tolerance">How near it must come.</param>
    /// <exception cref="CheckFailedException">It is something else.</exception>
    public void Expect(string name, DeviceMemory memory, DataType type, double[] expected, int[] shape, Tolerance tolerance) =>
        Expect(name, Elements.Decode(Download<byte>(memory), type), expected, shape, tolerance);

    /// <summary>Compares numbers with what is expected.</summary>
    /// <exception cref="CheckFailedException">They differ.</exception>
    public void Expect(string name, double[] actual, double[] expected, int[] shape, Tolerance tolerance)
    {
        observeResult?.Invoke(name, actual);
        if (actual.Length != expected.Length)
            throw new CheckFailedException($"{name} has {actual.Length} elements, expected {expected.Length}");
        int wrong = 0, worst = -1;
        double worstExcess = double.NegativeInfinity;
        for (int i = 0; i < actual.Length; i++)
        {
            double error = Math.Abs(actual[i] - expected[i]);
            if (double.IsNaN(error))
                error = double.PositiveInfinity;
            double allowed = tolerance.Allowed(expected[i]);
            if (error > allowed)
                wrong++;
            if (error - allowed > worstExcess)
                (worst, worstExcess) = (i, error - allowed);
            if (error > _worstError)
                (_worstError, _worst) = (error, FormattableString.Invariant($"worst error {error:g2} at {name}[{Position(i, shape)}], {allowed:g2} allowed"));
        }
        if (wrong > 0)
        {
            throw new CheckFailedException(FormattableString.Invariant(
                $"{name}[{Position(worst, shape)}] is {actual[worst]:g9}, expected {expected[worst]:g9}; {wrong} of {actual.Length} elements are wrong ({tolerance.Reason}, {tolerance.Allowed(expected[worst]):g2} allowed)"));
        }
    }

    /// <summary>Compares two numbers that must be equal.</summary>
    /// <exception cref="CheckFailedException">They differ.</exception>
    public void ExpectEqual(string name, double actual, double expected) => Expect(name, [actual], [expected], [1], Tolerance.Exact);

    /// <summary>Checks the guards and says how near all results came.</summary>
    /// <param name="what">What the check was about, such as the shape.</param>
    /// <exception cref="CheckFailedException">An operator wrote outside its operand.</exception>
    public string Conclude(string what)
    {
        foreach (DeviceBuffer<byte> buffer in _guarded)
        {
            var content = new byte[buffer.Length];
            buffer.Download(content);
            if (content.AsSpan(0, GuardBytes).ContainsAnyExcept(Poison) || content.AsSpan(content.Length - GuardBytes).ContainsAnyExcept(Poison))
                throw new CheckFailedException($"{what}: something was written outside an operand of {buffer.Length - 2 * GuardBytes} bytes");
        }
        return $"{what}: {_worst ?? "exact"}";
    }

    public void Dispose()
    {
        _owned.ForEach(item => item.Dispose());
        _guarded.ForEach(buffer => buffer.Dispose());
    }

    private DeviceMemory Fill(ReadOnlySpan<byte> content)
    {
        DeviceBuffer<byte> buffer = Device.Allocate<byte>(content.Length + 2 * GuardBytes);
        _guarded.Add(buffer);
        var guarded = new byte[buffer.Length];
        Array.Fill(guarded, Poison);
        content.CopyTo(guarded.AsSpan(GuardBytes));
        buffer.Upload(guarded);
        return buffer.Memory.Slice(GuardBytes, content.Length);
    }

    private static string Position(int index, int[] shape)
    {
        var position = new int[shape.Length];
        for (int axis = shape.Length - 1; axis >= 0; axis--)
        {
            position[axis] = index % shape[axis];
            index /= shape[axis];
        }
        return string.Join(",", position);
    }
}
