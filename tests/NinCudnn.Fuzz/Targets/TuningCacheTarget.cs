using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;
using NinCudnn.Tests;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>The file of chosen algorithms. Whatever it holds, there are choices of methods or none.</summary>
internal sealed class TuningCacheTarget : FuzzTarget<TuningCache>
{
    private const string Problem = "a problem";

    private readonly Device _device = Device.Open(DeviceRequest.Cpu);

    public TuningCacheTarget()
        : base("tuning-cache")
    {
        using var directory = new TemporaryDirectory();
        var cache = new TuningCache(_device, directory.Path);
        cache.Add(Problem, "a method");
        cache.Add("another", "another method");
        string path = Directory.GetFiles(directory.Path).Single();
        FileName = Path.GetFileName(path);
        Corpus = [File.ReadAllBytes(path)];
    }

    public override IReadOnlyList<byte[]> Corpus { get; }

    public override int ShortRun => 1000;

    public override string FileName { get; }

    public override Range Json(ReadOnlySpan<byte> input) => ..input.Length;

    // A damaged file is as good as none, so an empty cache is a refusal.
    protected override TuningCache? Read(string path)
    {
        var cache = new TuningCache(_device, Path.GetDirectoryName(path)!);
        return cache.Find(Problem) is null ? null : cache;
    }

    protected override void Check(TuningCache value, string path, byte[] input)
    {
        value.Add("a third", "a method");
        Assert.Equal(value.Find(Problem), new TuningCache(_device, Path.GetDirectoryName(path)!).Find(Problem));
    }
}
