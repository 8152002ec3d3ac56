using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>Model files, whose metadata are JSON in strings.</summary>
internal sealed class ModelTarget() : FuzzTarget<ModelFile>("model")
{
    private static readonly Architecture _architecture =
        new("tiny", 1, 2, [new NinBlock(2, 2, 1, 0, [2]), new MaxPool(2, 1), new DropoutLayer(0.5), new GlobalAveragePool(), new Flatten()]);

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        SafetensorsTarget.Of(new ModelFile(
            new ModelDescription(_architecture, 4, new Normalization([0.25f], [0.5f]), ["left", "right"]),
            Parameter.Enumerate(_architecture).ToDictionary(parameter => parameter.Name, parameter => Enumerable.Repeat(0.5f, parameter.Count).ToArray())).Save),
    ];

    public override int ShortRun => 1500;

    public override Range Json(ReadOnlySpan<byte> input) => SafetensorsTarget.JsonOf(input);

    public override byte[] Repair(byte[] input) => SafetensorsTarget.Repaired(input);

    protected override ModelFile Read(string path) => ModelFile.Load(path);

    protected override void Check(ModelFile value, string path, byte[] input)
    {
        Architecture architecture = value.Description.Architecture;
        Assert.All(value.Parameters.Values, values => Assert.All(values, number => Assert.True(float.IsFinite(number))));
        Assert.All(value.Description.Normalization.Mean, mean => Assert.True(float.IsFinite(mean)));
        Assert.All(value.Description.Normalization.Deviation, deviation => Assert.True(float.IsFinite(deviation) && float.IsFinite(1 / deviation) && deviation > 0));
        Assert.InRange(value.Description.ImageSize, 1, 4096);
        Assert.Equal(architecture.Classes, value.Description.ClassNames.Count);
        Assert.DoesNotContain(null, value.Description.ClassNames);
        Assert.Equal(Parameter.Enumerate(architecture).Select(parameter => parameter.Name).Order(), value.Parameters.Keys.Order());

        value.Save(path);
        ModelFile again = ModelFile.Load(path);
        Assert.Equal(ArchitectureJson.Write(architecture), ArchitectureJson.Write(again.Description.Architecture));
        Assert.Equal(value.Parameters, again.Parameters);
        Assert.Equal(value.Description.ClassNames, again.Description.ClassNames);
        Assert.Equal(value.Description.Normalization.Mean, again.Description.Normalization.Mean);
        Assert.Equal(value.Description.Normalization.Deviation, again.Description.Normalization.Deviation);
    }
}
