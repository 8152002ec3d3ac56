using System.Diagnostics;
using System.Reflection;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Nin.Tests;

/// <summary>What a run of the program left behind.</summary>
internal sealed record ProgramResult(int ExitCode, string Output, string Errors)
{
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Standard output as JSON, one value a line; fails the test if a line is none.</summary>
    public JsonElement[] Events => [.. Lines.Select(line => JsonElement.Parse(line))];

    /// <summary>Fails the test, with all output, unless the program was successful and silent on standard error.</summary>
    public ProgramResult Succeeded()
    {
        Assert.True(ExitCode == 0 && Errors.Length == 0, $"exit code {ExitCode}\n{Output}\n{Errors}");
        return this;
    }

    /// <summary>Fails the test unless there is this exit code and one line on standard error that contains the parts.</summary>
    public void Failed(int exitCode, params string[] parts)
    {
        Assert.True(ExitCode == exitCode, $"exit code {ExitCode} instead of {exitCode}\n{Output}\n{Errors}");
        Assert.Matches(@"^nin: [^\n]+\n\z", Errors);
        Assert.DoesNotContain("   at ", Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter ", Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("System.", Errors, StringComparison.Ordinal);
        foreach (string part in parts)
            Assert.Contains(part, Errors, StringComparison.Ordinal);
    }
}

/// <summary>
/// Runs the built <c>nin</c>. Of the machine's settings none decides a test: all NIN_* variables but the host provider's modes are removed, there are no files of settings, no GPU is visible
/// unless a test wants one, and one thread computes unless a test says otherwise. A run that ends with live native objects fails its test, however it ended.
/// </summary>
internal sealed class NinProgram : IDisposable
{
    private const int TimeoutMs = 600_000; // catches hangs, also on a machine with other work to do

    private static readonly DirectoryInfo _noSettings = Directory.CreateTempSubdirectory("nin-tests-settings-");
    private static readonly DirectoryInfo _cache = Directory.CreateTempSubdirectory("nin-tests-cache-");

    // How libnin_host runs things, which no result may depend on: the suite runs in several modes.
    private static readonly string[] _modes = ["NIN_HOST_STREAMS", "NIN_HOST_POISON"];

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _errors;
    private readonly bool _mayLeak; // what is left behind by calls that are made to fail is for FaultSweepTests to judge

    private NinProgram(ProcessStartInfo start)
    {
        _mayLeak = start.Environment.ContainsKey("NIN_HOST_FAIL");
        _process = Process.Start(start)!;
        _errors = _process.StandardError.ReadToEndAsync();
    }

    /// <summary>The program's file: the built one, or that of NIN_TEST_PROGRAM, such as the native one of the archive.</summary>
    public static string Path { get; } = System.IO.Path.GetFullPath(
        Environment.GetEnvironmentVariable("NIN_TEST_PROGRAM") is { Length: > 0 } path
            ? path
            : typeof(NinProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(metadata => metadata.Key == "NinProgram").Value!);

    public int Id => _process.Id;

    /// <summary>Runs the program to its end.</summary>
    public static ProgramResult Run(params string[] arguments) => RunIn(null, [], arguments);

    /// <summary>Runs the program to its end.</summary>
    /// <param name="directory">The current directory, null for the tests' own.</param>
    /// <param name="environment">Variables to set, or with null to remove.</param>
    /// <param name="arguments">The command line.</param>
    public static ProgramResult RunIn(string? directory, (string Name, string? Value)[] environment, params string[] arguments)
    {
        using NinProgram program = Start(directory, environment, Path, arguments);
        return program.WaitForExit();
    }

    /// <summary>Starts the program.</summary>
    public static NinProgram Start(params string[] arguments) => Start(null, [], Path, arguments);

    /// <summary>Starts another program, which starts ours.</summary>
    public static NinProgram Start(string? directory, (string Name, string? Value)[] environment, string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            WorkingDirectory = directory ?? AppContext.BaseDirectory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string name in start.Environment.Keys.Where(name => name.StartsWith("NIN_", StringComparison.Ordinal) && !_modes.Contains(name)).ToArray())
            start.Environment.Remove(name);
        start.Environment["CUDA_VISIBLE_DEVICES"] = "";
        start.Environment["NIN_NUM_THREADS"] = "1";
        start.Environment["NIN_HOST_REPORT_LEAKS"] = "1";
        start.Environment["NIN_CACHE_DIR"] = _cache.FullName;
        start.Environment["XDG_CONFIG_HOME"] = _noSettings.FullName;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var program = new NinProgram(start);
        program._process.StandardInput.Close();
        return program;
    }

    /// <summary>Reads standard output up to and including a line with this text; fails the test if there is none.</summary>
    /// <returns>The line.</returns>
    public string WaitForLine(string text)
    {
        while (TryReadLine() is { } line)
        {
            if (line.Contains(text, StringComparison.Ordinal))
                return line;
        }
        Assert.Fail($"no line with {text} in:\n{_output}\n{_errors.Result}");
        return "";
    }

    /// <summary>Reads the next line of standard output; null at its end.</summary>
    public string? TryReadLine()
    {
        string? line = _process.StandardOutput.ReadLine();
        if (line is not null)
            _output.Append(line).Append('\n');
        return line;
    }

    /// <summary>Sends a signal by its name, for example INT.</summary>
    public void Signal(string name) => Assert.True(TrySignal(name));

    /// <summary>Sends a signal to a program that may be over.</summary>
    public bool TrySignal(string name)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill", [$"-{name}", _process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]) { RedirectStandardError = true })!;
        kill.WaitForExit();
        return kill.ExitCode == 0;
    }

    /// <summary>Waits for the end; a program that doesn't come to one is killed and fails the test.</summary>
    public ProgramResult WaitForExit()
    {
        Task<string> rest = _process.StandardOutput.ReadToEndAsync();
        if (!_process.WaitForExit(TimeoutMs))
        {
            _process.Kill(entireProcessTree: true);
            Assert.Fail($"still running after {TimeoutMs / 1000} s\n{_output}{rest.Result}\n{_errors.Result}");
        }
        if (!_mayLeak)
            Assert.DoesNotContain("live objects at exit", _errors.Result, StringComparison.Ordinal);
        return new ProgramResult(_process.ExitCode, _output + rest.Result, _errors.Result);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
