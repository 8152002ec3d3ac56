using NinCudnn.Cli.Output;
using NinCudnn.Cli.Runs;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>The metrics.jsonl of a run's directory, in which lines that say nothing of an epoch, or are cut off, are passed over.</summary>
internal sealed class MetricsTarget() : FuzzTarget<EpochEvent[]>("metrics")
{
    public override IReadOnlyList<byte[]> Corpus { get; } = [File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Corpus", "metrics.jsonl"))];

    public override string FileName => "metrics.jsonl";

    public override Range Json(ReadOnlySpan<byte> input) => ..Math.Max(input.IndexOf((byte)'\n'), 0);

    protected override EpochEvent[]? Read(string path) =>
        new SavedRun(Path.GetDirectoryName(path)!, Run: null!).ReadEpochs() is { Length: > 0 } epochs ? epochs : null;

    protected override void Check(EpochEvent[] value, string path, byte[] input) => Assert.All(value, epoch => Assert.Equal("epoch", epoch.Event));
}
