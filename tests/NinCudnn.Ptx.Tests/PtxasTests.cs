using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using NinCudnn.Ptx.Tests.Kernels;
using Xunit;

namespace NinCudnn.Ptx.Tests;

/// <summary>Assembles the shipped PTX with NVIDIA's assembler where there is one.</summary>
public partial class PtxasTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(70)]
    [InlineData(75)]
    [InlineData(80)]
    [InlineData(86)]
    [InlineData(89)]
    [InlineData(90)]
    public async Task Modules_Assembled_SpillNoRegisters(int architecture)
    {
        string? ptxas = Find("ptxas");
        Assert.SkipWhen(ptxas is null, "no ptxas on PATH");
        foreach (string family in ShippedPtx.Families)
        {
            string log = await Assemble(ptxas!, family, architecture);
            AssembledKernel[] kernels = ReadLog(log);
            Assert.Equal(ShippedPtx.Module(family).Entries.Keys.Order(), kernels.Select(kernel => kernel.Name).Order());
            foreach (AssembledKernel kernel in kernels)
            {
                output.WriteLine($"sm_{architecture} {kernel}");
                Assert.True(kernel.SpillBytes == 0, $"sm_{architecture} {kernel}");
            }
        }
    }

    [Fact]
    public void Log_OfTwoKernels_TellsRegistersAndSpills() => Assert.Equal(
        [new AssembledKernel("first", 12, 0), new AssembledKernel("second", 255, 96)],
        ReadLog("""
            ptxas info    : 0 bytes gmem
            ptxas info    : Compiling entry function 'first' for 'sm_70'
            ptxas info    : Function properties for first
                0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
            ptxas info    : Used 12 registers, 376 bytes cmem[0]
            ptxas info    : Compiling entry function 'second' for 'sm_70'
            ptxas info    : Function properties for second
                40 bytes stack frame, 40 bytes spill stores, 56 bytes spill loads
            ptxas info    : Used 255 registers, used 1 barriers, 376 bytes cmem[0]
            """));

    private sealed record AssembledKernel(string Name, int Registers, int SpillBytes);

    private static AssembledKernel[] ReadLog(string log)
    {
        return [.. Kernel().Matches(log).Select(match =>
            new AssembledKernel(match.Groups["name"].Value, Number(match, "registers"), Number(match, "stores") + Number(match, "loads")))];

        static int Number(Match match, string group) => int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture);
    }

    private static string? Find(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(directory => Path.Combine(directory, program))
            .FirstOrDefault(File.Exists);

    private static async Task<string> Assemble(string ptxas, string family, int architecture)
    {
        string source = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName()), cubin = source + ".cubin";
        try
        {
            await File.WriteAllTextAsync(source, ShippedPtx.Text(family), TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo(ptxas, ["--verbose", $"--gpu-name=sm_{architecture}", source, "--output-file", cubin])
            {
                RedirectStandardError = true,
            };
            using Process process = Process.Start(start)!;
            string log = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, $"ptxas for sm_{architecture} ended with {process.ExitCode} on {family}.ptx: {log}");
            return log;
        }
        finally
        {
            File.Delete(source);
            File.Delete(cubin);
        }
    }

    [GeneratedRegex(
        @"entry function '(?<name>\w+)'.*?(?<stores>\d+) bytes spill stores, (?<loads>\d+) bytes spill loads.*?Used (?<registers>\d+) registers",
        RegexOptions.Singleline)]
    private static partial Regex Kernel();
}
