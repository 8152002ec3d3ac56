using System.Diagnostics;
using System.Globalization;
using CsCheck;
using NinCudnn.Tests;

namespace NinCudnn.Fuzz;

/// <summary>
/// Tries inputs of one target. What it tries is decided by the seed alone. An input that fails is made simpler, kept in a file and named; of one that never
/// ends, or ends the process, the file that it was read from is left.
/// </summary>
internal sealed class FuzzRun : IDisposable
{
    private static readonly TimeSpan _inputLimit = TimeSpan.FromSeconds(20); // also on a machine that has other work

    private readonly FuzzTarget _target;
    private readonly string _findings;
    private readonly TemporaryDirectory _directory = new();
    private readonly Timer _watchdog;
    private long _inputBegan;

    /// <param name="target">What is tried.</param>
    /// <param name="findings">Where failing inputs are kept.</param>
    public FuzzRun(FuzzTarget target, string findings)
    {
        _target = target;
        _findings = findings;
        _watchdog = new Timer(_ => EndIfHanging(), null, _inputLimit, TimeSpan.FromSeconds(1));
    }

    /// <summary>The inputs that were tried.</summary>
    public long Tried { get; private set; }

    /// <summary>Those that were read and not refused.</summary>
    public long Accepted { get; private set; }

    /// <summary>Tries inputs until there were so many, or for so long.</summary>
    /// <exception cref="FuzzException">One has failed.</exception>
    public void Run(uint seed, long count, TimeSpan? duration)
    {
        Gen<FuzzInput> inputs = FuzzInput.Of(_target);
        long began = Stopwatch.GetTimestamp();
        for (uint i = 0; duration is { } limit ? Stopwatch.GetElapsedTime(began) < limit : i < count; i++)
        {
            FuzzInput input = inputs.Generate(new PCG(seed, i), null, out _);
            if (Fails(input) is not null)
                throw Finding(input);
        }
    }

    /// <summary>Tries one input.</summary>
    public void Try(byte[] input)
    {
        string path = _directory.Write(_target.FileName, input);
        Volatile.Write(ref _inputBegan, Stopwatch.GetTimestamp());
        bool isAccepted = _target.Try(path, input);
        Volatile.Write(ref _inputBegan, 0);
        Tried++;
        Accepted += isAccepted ? 1 : 0;
    }

    public void Dispose()
    {
        _watchdog.Dispose();
        _directory.Dispose();
    }

    private Exception? Fails(FuzzInput input)
    {
        try
        {
            Try(input.Bytes(_target));
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    private FuzzException Finding(FuzzInput input)
    {
        while (input.Simpler().FirstOrDefault(simpler => Fails(simpler) is not null) is { } simpler)
            input = simpler;
        byte[] bytes = input.Bytes(_target);
        Directory.CreateDirectory(_findings);
        string path = Path.Combine(
            _findings, string.Create(CultureInfo.InvariantCulture, $"{_target.Name}-{NinCudnn.Numerics.Fnv1a.Hash64(bytes):x16}"));
        File.WriteAllBytes(path, bytes);
        Exception cause = Fails(input)!;
        return new FuzzException($"{_target.Name}: input {path}: {cause.GetType().Name}: {cause.Message}", cause);
    }

    private void EndIfHanging()
    {
        long began = Volatile.Read(ref _inputBegan);
        if (began != 0 && Stopwatch.GetElapsedTime(began) > _inputLimit)
            Environment.FailFast($"{_target.Name}: input {_directory.File(_target.FileName)} takes longer than {_inputLimit.TotalSeconds} s");
    }
}

/// <summary>An input has failed.</summary>
internal sealed class FuzzException(string message, Exception cause) : Exception(message, cause);
