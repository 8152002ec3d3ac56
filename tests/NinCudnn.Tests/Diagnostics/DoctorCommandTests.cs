using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace NinCudnn.Tests.Diagnostics;

/// <summary><c>nin doctor</c> as a process of its own, where a build of nin lies beside that of the tests.</summary>
public class DoctorCommandTests
{
    private static readonly string _configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    private static readonly string _nin = Path.Combine(AppContext.BaseDirectory, "..", "..", "nin", _configuration, "nin");

    [Fact]
    public void Doctor_Json_IsOneDocumentWithTheDocumentedFields()
    {
        (int exitCode, string output, string errors) = Run(null, "doctor", "--device", "cpu", "--json");

        Assert.True(exitCode == 0, output + errors);
        using JsonDocument document = JsonDocument.Parse(output);
        JsonElement root = document.RootElement;
        Assert.Equal(["version", "request", "provider", "reason", "device", "libraries", "checks", "summary"], Names(root));
        Assert.Equal("cpu", root.GetProperty("provider").GetString());
        Assert.Equal(["ordinal", "name", "total_bytes", "free_bytes", "compute_capability"], Names(root.GetProperty("device")));
        Assert.All(root.GetProperty("libraries").EnumerateArray(), library => Assert.Equal(["name", "version", "path"], Names(library)));
        JsonElement[] checks = [.. root.GetProperty("checks").EnumerateArray()];
        Assert.All(checks, check => Assert.Equal(["group", "name", "data_type", "status", "seconds", "detail", "advice"], Names(check)));
        Assert.All(checks, check => Assert.Contains(check.GetProperty("status").GetString(), new[] { "passed", "not_supported", "skipped" }));
        JsonElement summary = root.GetProperty("summary");
        Assert.Equal(["works", "passed", "failed", "not_supported", "skipped", "seconds"], Names(summary));
        Assert.True(summary.GetProperty("works").GetBoolean());
        Assert.Equal(checks.Count(check => check.GetProperty("status").GetString() == "passed"), summary.GetProperty("passed").GetInt32());
    }

    [Fact]
    public void Doctor_WithoutItsLibrary_FailsWithAdvice()
    {
        (int exitCode, string output, string errors) = Run("/nowhere/libnin_host.so", "doctor", "--device", "cpu");

        Assert.True(exitCode == 1, output + errors);
        Assert.Contains("FAILED provider: libnin_host could not be loaded (/nowhere/libnin_host.so: no such file)", output, StringComparison.Ordinal);
        Assert.Contains("NIN_HOST_LIBRARY", output, StringComparison.Ordinal);
        Assert.EndsWith("this installation does NOT work\n", output, StringComparison.Ordinal);
    }

    private static (int ExitCode, string Output, string Errors) Run(string? hostLibrary, params string[] arguments)
    {
        Assert.SkipUnless(File.Exists(_nin), $"{_nin} was not built");
        var start = new ProcessStartInfo(_nin, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (hostLibrary is not null)
            start.Environment["NIN_HOST_LIBRARY"] = hostLibrary;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(property => property.Name);
}
