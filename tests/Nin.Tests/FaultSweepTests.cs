using System.Globalization;
using System.Text.RegularExpressions;
using NinCudnn.Tests;
using NinCudnn.Training;
using Xunit;

namespace Nin.Tests;

/// <summary>
/// Every native function that a training run calls fails once, with the statuses that it plausibly gives (the host provider's NIN_HOST_FAIL).
/// By default one call and status of each function; all of them with NIN_TEST_SWEEP=all (<c>make fault-sweep</c>).
/// </summary>
public sealed class FaultSweepTests(ITestOutputHelper output) : IDisposable
{
    // CUDA: invalid value, out of memory, illegal address (sticky), launch failure (sticky). cuDNN 9: bad parameter, allocation failed, not
    // supported, execution failed. cuBLAS: not initialised, allocation failed, execution failed, not supported.
    private static readonly (string Prefix, int[] Statuses)[] _statuses =
    [
        ("cublas", [1, 3, 13, 15]),
        ("cudnn", [2000, 4004, 3000, 5000]),
        ("cu", [1, 2, 700, 719]),
    ];

    private static readonly bool _isWhole = Environment.GetEnvironmentVariable("NIN_TEST_SWEEP") == "all";

    private readonly TemporaryDirectory _root = new();

    public void Dispose() => _root.Dispose();

    [Fact]
    public void Train_WhateverCallFails_EndsWithOneLineAndNothingBroken()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("NIN_HOST_POISON") == "1", "once is enough: no result depends on it");
        string[] arguments = Arguments();
        Dictionary<string, int> calls = CountCalls(arguments);
        Assert.True(calls.Count > 50, $"only {calls.Count} functions are called");
        Fault[] faults = [.. calls.SelectMany(entry => Faults(entry.Key, entry.Value))];
        int failed = 0, problems = 0;

        Parallel.ForEach(faults, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, (fault, _, number) =>
        {
            string run = _root.File($"run-{number}");
            ProgramResult result = NinProgram.RunIn(null, [("NIN_HOST_FAIL", fault.ToString())], [.. arguments, "--output", run]);
            if (result.ExitCode != 0)
                Interlocked.Increment(ref failed);
            if (Problem(result, run, fault) is not { } problem)
                return;
            Interlocked.Increment(ref problems);
            lock (output)
                output.WriteLine($"{fault}: {problem}\n{result.Errors}");
        });

        output.WriteLine($"{faults.Length} faults, {failed} of which ended the run");
        Assert.True(problems == 0, $"{problems} of {faults.Length} faults, named above, end badly");
        Assert.True(failed > faults.Length / 4, $"only {failed} of {faults.Length} faults ended the run: they don't reach it");
    }

    /// <summary>A run with all that calls something of its own.</summary>
    private string[] Arguments()
    {
        string data = TinyData.Write(_root);
        string architecture = _root.Write("small.json", """
            {
              "name": "small", "input_channels": 1, "classes": 10,
              "layers": [
                { "type": "block", "channels": 4, "kernel": 5, "stride": 2, "padding": 2, "pointwise_channels": [4] },
                { "type": "max_pool", "window": 3, "stride": 2 },
                { "type": "dropout", "rate": 0.5 },
                { "type": "block", "channels": 10, "kernel": 3, "stride": 1, "padding": 1, "pointwise_channels": [10] },
                { "type": "global_average_pool" },
                { "type": "flatten" }
              ]
            }
            """u8.ToArray());
        return
        [
            "train", "--data", data, "--arch", architecture, "--resize", "16", "--batch", "16", "--epochs", "2", "--momentum", "0.9", "--clip-norm", "1",
            "--ema", "0.9", "--device", "cpu", "--json",
        ];
    }

    /// <returns>What is wrong with how the run ended, null if nothing is.</returns>
    private static string? Problem(ProgramResult result, string run, Fault fault)
    {
        string model = Path.Combine(run, "model.safetensors");
        if (Directory.Exists(run) && Directory.EnumerateFiles(run).FirstOrDefault(file => file.Contains(".tmp", StringComparison.Ordinal)) is { } left)
            return $"{left} was left behind";
        try
        {
            if (File.Exists(model))
                ModelFile.Load(model);
        }
        catch (Exception e)
        {
            return $"the model is broken: {e.Message}";
        }
        string[] lines = [.. result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => !fault.MayLeak(line))];
        return result.ExitCode switch
        {
            0 when !File.Exists(model) => "there is no model",
            0 when !lines.All(line => line.StartsWith("nin: the report could not be written: ", StringComparison.Ordinal)) => "it succeeds, but has something to say",
            0 => null,
            1 when lines is not [var line] || !line.StartsWith("nin: ", StringComparison.Ordinal) || line.StartsWith("nin: unexpected", StringComparison.Ordinal) =>
                "not one line that says what failed",
            1 when !fault.Tellings.Any(telling => lines[0].Contains(telling, StringComparison.Ordinal)) => "another failure hides the first",
            1 => null,
            var code => $"exit code {code}",
        };
    }

    /// <summary>How often each function is called in a run that goes well.</summary>
    private Dictionary<string, int> CountCalls(string[] arguments)
    {
        ProgramResult result = NinProgram.RunIn(null, [("NIN_HOST_TRACE", "1")], [.. arguments, "--output", _root.File("run")]);
        Assert.Equal(0, result.ExitCode);
        return Regex.Matches(result.Errors, @"^nin_host: (\w+) -> ", RegexOptions.Multiline).CountBy(match => match.Groups[1].Value).ToDictionary();
    }

    private static Fault[] Faults(string function, int calls)
    {
        int[] statuses = _statuses.First(library => function.StartsWith(library.Prefix, StringComparison.Ordinal)).Statuses;
        int[] numbers = [.. new[] { 1, (calls + 1) / 2, calls }.Distinct()];
        Fault[] all = [.. numbers.SelectMany(number => statuses.Select(status => new Fault(function, number, status)))];
        // By the name, so that it is the same one in every run.
        return _isWhole ? all : [all[function.Sum(letter => letter) % all.Length]];
    }

    /// <summary>A call that fails.</summary>
    private sealed record Fault(string Function, int Call, int Status)
    {
        /// <summary>What a message must say one of: the function, or what its failure means; of a sticky error any thread may be told first.</summary>
        public string[] Tellings =>
        [
            Function, "of device memory are needed", "the device refused every method that it offered", .. Status is 700 or 719 ? [$"({Status})"] : Array.Empty<string>(),
        ];

        // A context is made current for each release, the last of all being the modules'.
        private bool IsOfARelease => Regex.IsMatch(Function, "Destroy|Free|Unload|Release|CtxSetCurrent");

        /// <summary>
        /// Whether a line tells of what the fault leaves behind: what could not be released; after a sticky error anything; and descriptors, which
        /// are host memory, of an operator that could not be made whole: their finalisers, which would release them, do not run at exit.
        /// </summary>
        public bool MayLeak(string line) => line.StartsWith("nin_host: ", StringComparison.Ordinal)
            && (IsOfARelease || Status is 700 or 719 || Regex.IsMatch(line, @"^nin_host: live objects at exit: (\d+ [a-z ]*(descriptor|layout)s?(, )?)+\z"));

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Function}:{Call}:{Status}");
    }
}
