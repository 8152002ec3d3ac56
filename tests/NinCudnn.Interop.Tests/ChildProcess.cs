using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace NinCudnn.Interop.Tests;

/// <summary>
/// Runs a scenario in a process of its own: this program again, with the scenario's name in an environment variable. The
/// choice of a provider is one per process, so no two tests could share it.
/// </summary>
internal static class ChildProcess
{
    private const string Variable = "NIN_TEST_SCENARIO";

    /// <summary>What the scenario wrote; fails the test if the process fails.</summary>
    /// <param name="scenario">The name of a method of <see cref="Scenarios"/>.</param>
    /// <param name="workingDirectory">The child's current directory.</param>
    /// <param name="environment">Variables to set, or with null to remove.</param>
    public static string Run(string scenario, string workingDirectory, params (string Name, string? Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            WorkingDirectory = workingDirectory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Under "dotnet test" the process is dotnet and the program its argument.
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(ChildProcess).Assembly.Location);
        // What this machine has set must not decide a test.
        string[] searched = ["NIN_CUDA_LIBRARY_DIR", "NIN_HOST_LIBRARY", "CUDA_PATH", "CUDA_HOME", "VIRTUAL_ENV", "CONDA_PREFIX"];
        foreach (string name in searched)
            start.Environment.Remove(name);
        start.Environment[Variable] = scenario;
        foreach (var (name, value) in environment)
            start.Environment[name] = value;

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Xunit.Assert.True(process.ExitCode == 0, $"scenario {scenario} exited with {process.ExitCode}:\n{output}{errors.Result}");
        return output;
    }

    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "Comes before the test runner's own entry point.")]
    internal static void RunScenario()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } scenario)
            return;
        typeof(Scenarios).GetMethod(scenario, BindingFlags.Static | BindingFlags.Public)!.Invoke(null, null);
        Environment.Exit(0);
    }
}
