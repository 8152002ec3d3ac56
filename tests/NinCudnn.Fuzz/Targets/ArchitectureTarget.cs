using System.Text;
using NinCudnn.Networks;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>Networks' files.</summary>
internal sealed class ArchitectureTarget() : FuzzTarget<Architecture>("architecture")
{
    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Encoding.UTF8.GetBytes(ArchitectureJson.WriteIndented(Architecture.Cifar())),
        Encoding.UTF8.GetBytes(ArchitectureJson.Write(
            new("tiny", 1, 3, [new NinBlock(3, 3, 1, 1, [3]), new MaxPool(2, 2), new DropoutLayer(0.5), new GlobalAveragePool(), new Flatten()]))),
    ];

    public override int ShortRun => 3000;

    public override Range Json(ReadOnlySpan<byte> input) => ..input.Length;

    protected override Architecture Read(string path) => ArchitectureJson.ReadFile(path);

    protected override void Check(Architecture value, string path, byte[] input)
    {
        Assert.True(value.Classes >= 1 && value.InputChannels >= 1);
        Assert.NotNull(value.Name);
        string json = ArchitectureJson.Write(value);
        Assert.Equal(json, ArchitectureJson.Write(ArchitectureJson.Read(json)));
        try
        {
            value.InferShapes(1, 32, 32);
            Parameter.Enumerate(value);
        }
        catch (ArgumentException)
        {
            // It fits no images of that size, or is too large.
        }
    }
}
