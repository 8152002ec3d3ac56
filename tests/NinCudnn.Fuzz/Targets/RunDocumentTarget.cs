using NinCudnn.Cli.Runs;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>The run.json of a run's directory.</summary>
internal sealed class RunDocumentTarget() : FuzzTarget<SavedRun>("run")
{
    public override IReadOnlyList<byte[]> Corpus { get; } = [File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Corpus", "run.json"))];

    public override int ShortRun => 1000;

    public override string FileName => "run.json";

    public override Range Json(ReadOnlySpan<byte> input) => ..input.Length;

    protected override SavedRun Read(string path) => SavedRun.Load(Path.GetDirectoryName(path)!);

    protected override void Check(SavedRun value, string path, byte[] input)
    {
        value.Run.Save(value.Directory);
        byte[] once = File.ReadAllBytes(path);
        RunDocument.Load(value.Directory).Save(value.Directory);
        Assert.Equal(once, File.ReadAllBytes(path));
        (string Name, string Value)[] texts =
            [.. RunText.Options(value.Run), .. RunText.Data(value.Run), .. RunText.Versions(value.Run), .. RunText.Result(value.Run)];
        Assert.All(texts, text => Assert.NotNull(text.Value));
    }
}
