using Xunit;

namespace NinCudnn.Fuzz;

/// <summary>Something that reads input from outside, with inputs that are right, and with what must hold of every other one.</summary>
internal abstract class FuzzTarget
{
    /// <summary>What it is called in reports, and the folder of earlier findings.</summary>
    public abstract string Name { get; }

    /// <summary>Small inputs that are right, which the others are made of.</summary>
    public abstract IReadOnlyList<byte[]> Corpus { get; }

    /// <summary>How the file with an input is called.</summary>
    public virtual string FileName => "input";

    /// <summary>The inputs that a short run tries.</summary>
    public virtual int ShortRun => 2000;

    /// <summary>The part of an input that is JSON, if any is.</summary>
    public virtual Range Json(ReadOnlySpan<byte> input) => ..0;

    /// <summary>Makes lengths and checksums fit what they are of, so that what lies behind them is reached.</summary>
    public virtual byte[] Repair(byte[] input) => input;

    /// <summary>Reads an input; fails unless it is read right or refused as it must be.</summary>
    /// <param name="path">The file that holds it.</param>
    /// <param name="input">The same.</param>
    /// <returns>Whether it was accepted.</returns>
    public abstract bool Try(string path, byte[] input);
}

/// <param name="name">The name.</param>
/// <typeparam name="T">What inputs are read as.</typeparam>
internal abstract class FuzzTarget<T>(string name) : FuzzTarget
    where T : class
{
    private const int LongestMessage = 2000;

    public override string Name => name;

    public override bool Try(string path, byte[] input)
    {
        T? value = null;
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            value = Read(path);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            string message = Shown(e);
            Assert.False(string.IsNullOrWhiteSpace(message), "a refusal without a message");
            Assert.False(message.Any(char.IsControl), $"a refusal with control characters: {message}");
            Assert.False(message.Length > LongestMessage, $"a refusal of {message.Length} characters: {message}");
        }
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before, limit = MaxAllocated(input.Length);
        Assert.True(allocated <= limit, $"{allocated} bytes were allocated for an input of {input.Length}, at most {limit} are right");
        if (value is not null)
            Check(value, path, input);
        return value is not null;
    }

    /// <summary>Reads what a file holds; null if it is refused without an exception.</summary>
    protected abstract T? Read(string path);

    /// <summary>Fails unless what was accepted is consistent, and is what the input says.</summary>
    protected abstract void Check(T value, string path, byte[] input);

    /// <summary>Whether it is an exception that the documentation promises for what is wrong.</summary>
    protected virtual bool IsRefusal(Exception exception) => exception is InvalidDataException;

    /// <summary>The message as users see it.</summary>
    protected virtual string Shown(Exception refusal) => refusal.Message;

    /// <summary>The bytes that reading an input may allocate: buffers, and a multiple of its length.</summary>
    protected virtual long MaxAllocated(int inputBytes) => (1 << 20) + 256L * inputBytes;
}
