using NinCudnn.Networks;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class ArchitectureJsonTests
{
    private const string Block = """{"type": "block", "channels": 3, "kernel": 3, "stride": 1, "padding": 1, "pointwise_channels": [5, 3]}""";

    public static TheoryData<Architecture> Architectures() =>
        [Architecture.Seed(), Architecture.Cifar(), TinyNetwork.Architecture(0.1 + 0.2), Architecture.Seed(4, 1000) with { Name = "\"naïve\" \n ☃" }];

    [Theory]
    [MemberData(nameof(Architectures))]
    public void Read_WhatWasWritten_IsTheSame(Architecture architecture)
    {
        string json = ArchitectureJson.Write(architecture);
        Architecture copy = ArchitectureJson.Read(json);

        Assert.DoesNotContain('\n', json);
        Assert.Equal(json, ArchitectureJson.Write(copy));
        Assert.Equal((architecture.Name, architecture.InputChannels, architecture.Classes), (copy.Name, copy.InputChannels, copy.Classes));
        Assert.Equal(architecture.Layers.Length, copy.Layers.Length);
        foreach (var (expected, actual) in architecture.Layers.Zip(copy.Layers))
        {
            // Immutable arrays compare by identity.
            if (expected is NinBlock block)
            {
                Assert.Equal(block.PointwiseChannels, Assert.IsType<NinBlock>(actual).PointwiseChannels);
                Assert.Equal(block with { PointwiseChannels = default }, (NinBlock)actual with { PointwiseChannels = default });
            }
            else
            {
                Assert.Equal(expected, actual);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Architectures))]
    public async Task Schema_AcceptsWhatIsWritten(Architecture architecture)
    {
        var schema = await NJsonSchema.JsonSchema.FromJsonAsync(ArchitectureJson.Schema, TestContext.Current.CancellationToken);
        Assert.Empty(schema.Validate(ArchitectureJson.WriteIndented(architecture)));
    }

    [Theory]
    [InlineData("\"classes\": 10", "\"classes\": \"ten\"")]
    [InlineData("\"classes\": 10,", "")]
    [InlineData("\"classes\"", "\"klasses\"")]
    [InlineData("\"type\": \"flatten\"", "\"type\": \"flattened\"")]
    [InlineData("\"kernel\": 11", "\"kernel\": 11, \"colour\": 3")]
    public async Task Schema_RefusesWhatReadRefuses(string from, string to)
    {
        var schema = await NJsonSchema.JsonSchema.FromJsonAsync(ArchitectureJson.Schema, TestContext.Current.CancellationToken);
        string json = ArchitectureJson.WriteIndented(Architecture.Seed()), changed = json.Replace(from, to, StringComparison.Ordinal);

        Assert.NotEqual(json, changed);
        Assert.NotEmpty(schema.Validate(changed));
        Assert.Throws<InvalidDataException>(() => ArchitectureJson.Read(changed));
    }

    [Fact]
    public void Read_HandWritten_Works()
    {
        Architecture architecture = ArchitectureJson.Read($$"""
            {
              "classes": 3, "name": "mine", "input_channels": 1,
              "layers": [{{Block}}, {"type": "max_pool", "window": 3, "stride": 2}, {"rate": 0.25, "type": "dropout"},
                         {"type": "global_average_pool"}, {"type": "flatten"}]
            }
            """);

        Assert.Equal(("mine", 1, 3), (architecture.Name, architecture.InputChannels, architecture.Classes));
        Assert.Equal([5, 3], Assert.IsType<NinBlock>(architecture.Layers[0]).PointwiseChannels);
        Assert.Equal([new MaxPool(3, 2, 0), new DropoutLayer(0.25), new GlobalAveragePool(), new Flatten()], architecture.Layers[1..]);
    }

    [Theory]
    [InlineData("not JSON", "not JSON at all")]
    [InlineData("null", "null")]
    [InlineData("[]", "[]")]
    [InlineData("unfinished", """{"name": "x", "input_channels": 1""")]
    [InlineData("no classes", """{"name": "x", "input_channels": 1, "layers": [LAYER]}""")]
    [InlineData("no name", """{"input_channels": 1, "classes": 3, "layers": [LAYER]}""")]
    [InlineData("null name", """{"name": null, "input_channels": 1, "classes": 3, "layers": [LAYER]}""")]
    [InlineData("wrong type", """{"name": "x", "input_channels": "one", "classes": 3, "layers": [LAYER]}""")]
    [InlineData("fraction", """{"name": "x", "input_channels": 1.5, "classes": 3, "layers": [LAYER]}""")]
    [InlineData("too large", """{"name": "x", "input_channels": 3000000000, "classes": 3, "layers": [LAYER]}""")]
    [InlineData("extra field", """{"name": "x", "input_channels": 1, "classes": 3, "layers": [LAYER], "colour": "red"}""")]
    [InlineData("no layers", """{"name": "x", "input_channels": 1, "classes": 3}""")]
    [InlineData("null layers", """{"name": "x", "input_channels": 1, "classes": 3, "layers": null}""")]
    [InlineData("empty layers", """{"name": "x", "input_channels": 1, "classes": 3, "layers": []}""")]
    [InlineData("classes twice", """{"name": "x", "input_channels": 1, "classes": 3, "classes": 4, "layers": [LAYER]}""")]
    [InlineData("half a surrogate pair", """{"name": "\ud800", "input_channels": 1, "classes": 3, "layers": [LAYER]}""")]
    [InlineData("null layer", """{"name": "x", "input_channels": 1, "classes": 3, "layers": [LAYER, null]}""")]
    public void Read_BrokenText_Throws(string what, string json)
    {
        var error = Assert.Throws<InvalidDataException>(() => ArchitectureJson.Read(json.Replace("LAYER", Block, StringComparison.Ordinal)));
        Assert.True(error.Message.StartsWith("the architecture ", StringComparison.Ordinal), $"{what}: {error.Message}");
    }

    [Theory]
    [InlineData("unknown type", """{"type": "softmax"}""")]
    [InlineData("no type", """{"rate": 0.5}""")]
    [InlineData("wrong case", """{"type": "Flatten"}""")]
    [InlineData("no rate", """{"type": "dropout"}""")]
    [InlineData("extra field", """{"type": "dropout", "rate": 0.5, "seed": 1}""")]
    [InlineData("no kernel", """{"type": "block", "channels": 3, "stride": 1, "padding": 1, "pointwise_channels": [3]}""")]
    [InlineData("no pointwise channels", """{"type": "block", "channels": 3, "kernel": 3, "stride": 1, "padding": 1}""")]
    [InlineData("null pointwise channels", """{"type": "block", "channels": 3, "kernel": 3, "stride": 1, "padding": 1, "pointwise_channels": null}""")]
    [InlineData("rate twice", """{"type": "dropout", "rate": 0.5, "rate": 0.25}""")]
    [InlineData("a number", "7")]
    public void Read_BrokenLayer_Throws(string what, string layer)
    {
        string json = $$"""{"name": "x", "input_channels": 1, "classes": 3, "layers": [{{layer}}]}""";
        var error = Assert.Throws<InvalidDataException>(() => ArchitectureJson.Read(json));
        Assert.True(error.Message.StartsWith("the architecture ", StringComparison.Ordinal), $"{what}: {error.Message}");
    }
}
