using System.Globalization;
using Xunit;

namespace NinCudnn.Fuzz;

/// <summary>
/// Tries inputs that are nearly right on all that reads files. The short run takes a fixed number of inputs by a fixed seed; NIN_FUZZ_SECONDS makes it a long
/// one of so many seconds for each target, and NIN_FUZZ_SEED another one.
/// </summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    private static readonly Dictionary<string, FuzzTarget> _targets =
        FuzzTargets.All.ToDictionary(target => target.Name, StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. _targets.Keys];

    private static TimeSpan? Duration => Variable("NIN_FUZZ_SECONDS") is { } seconds ? TimeSpan.FromSeconds(seconds) : null;

    private static uint Seed => Variable("NIN_FUZZ_SEED") ?? 1;

    private static string Findings => Environment.GetEnvironmentVariable("NIN_FUZZ_FINDINGS") is { Length: > 0 } directory
        ? directory
        : Path.Combine(AppContext.BaseDirectory, "findings");

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_NearlyRightInput_IsReadRightOrRefused(string name)
    {
        FuzzTarget target = _targets[name];
        using var run = new FuzzRun(target, Findings);
        try
        {
            run.Run(Seed, target.ShortRun, Duration);
        }
        finally
        {
            output.WriteLine($"{name}: {run.Tried} inputs tried, {run.Accepted} accepted, seed {Seed}");
        }
        Assert.True(run.Accepted < run.Tried, "nothing was refused");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_Corpus_IsAccepted(string name)
    {
        FuzzTarget target = _targets[name];
        using var run = new FuzzRun(target, Findings);
        foreach (byte[] input in target.Corpus)
            run.Try(input);
        Assert.Equal(target.Corpus.Count, run.Accepted);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_EarlierFinding_IsReadRightOrRefused(string name)
    {
        FuzzTarget target = _targets[name];
        string[] inputs = [.. FuzzTargets.EarlierFindings(target)];
        Assert.SkipWhen(inputs.Length == 0, "there are none");
        using var run = new FuzzRun(target, Findings);
        foreach (string input in inputs)
            run.Try(File.ReadAllBytes(input));
    }

    private static uint? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
        ? uint.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture)
        : null;
}
