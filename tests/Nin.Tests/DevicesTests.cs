using System.Text.RegularExpressions;
using Xunit;

namespace Nin.Tests;

public sealed class DevicesTests
{
    [Fact]
    public void Devices_WithoutGpu_ShowsTheCpuAndWhyNotTheGpu()
    {
        string[] lines = NinProgram.Run("devices").Succeeded().Lines;

        int cpu = Array.IndexOf(lines, "CPU (host provider): usable");
        Assert.Equal("NVIDIA GPU: not usable", lines[0]);
        Assert.NotEmpty(lines[1..cpu]);
        Assert.Contains(lines[1..cpu], line => line.StartsWith("  problem  ", StringComparison.Ordinal));
        Match device = Regex.Match(lines[cpu + 1], @"^  cpu      (.+), [\d.]+ [MG]iB, compute capability \d\.\d$");
        Assert.True(device.Success, lines[cpu + 1]);
        Assert.Equal($"--device auto takes {device.Groups[1].Value}", lines[^1]);
        string[] libraries = ["cuda", "cublasLt", "cublas", "cudnn"];
        Assert.Equal(libraries, lines[(cpu + 2)..^1].Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]));
        Assert.All(lines[(cpu + 2)..^1], line => Assert.True(File.Exists(line[(line.IndexOf(", ", StringComparison.Ordinal) + 2)..]), line));
    }

    [Fact]
    public void Devices_Verbose_ListsWhatWasTried()
    {
        ProgramResult result = NinProgram.RunIn(null, [("NIN_CUDA_LIBRARY_DIR", "/nowhere")], "devices", "--verbose").Succeeded();
        Assert.Contains("  tried    /nowhere/libcuda.so.1 (NIN_CUDA_LIBRARY_DIR): no such file", result.Lines);
        Assert.DoesNotContain("tried", NinProgram.Run("devices").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Devices_WithoutAny_Fails()
    {
        ProgramResult result = NinProgram.RunIn(null, [("NIN_HOST_LIBRARY", "/nowhere/libnin_host.so")], "devices");

        result.Failed(1, "no device can be used");
        Assert.Contains("CPU (host provider): not usable", result.Lines);
        Assert.Contains("/nowhere/libnin_host.so: no such file", result.Output, StringComparison.Ordinal);
    }
}
