using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Operators;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class ParameterTests
{
    [Fact]
    public void Enumerate_Tiny_HasPyTorchsNamesShapesAndFans()
    {
        (string, int[], long, long)[] expected =
        [
            ("0.0.weight", [6, 1, 3, 3], 9, 54), ("0.0.bias", [6], 9, 54),
            ("0.2.weight", [6, 6, 1, 1], 6, 6), ("0.2.bias", [6], 6, 6),
            ("0.4.weight", [6, 6, 1, 1], 6, 6), ("0.4.bias", [6], 6, 6),
            ("3.0.weight", [7, 6, 3, 3], 54, 63), ("3.0.bias", [7], 54, 63),
            ("3.2.weight", [5, 7, 1, 1], 7, 5), ("3.2.bias", [5], 7, 5),
            ("3.4.weight", [3, 5, 1, 1], 5, 3), ("3.4.bias", [3], 5, 3),
        ];

        var parameters = Parameter.Enumerate(TinyNetwork.Architecture());

        Assert.Equal(expected.Length, parameters.Length);
        foreach (var ((name, shape, fanIn, fanOut), parameter) in expected.Zip(parameters))
        {
            Assert.Equal((name, fanIn, fanOut), (parameter.Name, parameter.FanIn, parameter.FanOut));
            Assert.Equal(shape, parameter.Shape);
            Assert.Equal(shape.Aggregate((product, extent) => product * extent), parameter.Count);
            Assert.Equal(shape.Length == 4, parameter.IsWeight);
        }
    }

    [Fact]
    public void Enumerate_Offsets_AreAlignedAndDoNotOverlap()
    {
        var parameters = Parameter.Enumerate(Architecture.Seed());
        long end = 0;
        foreach (Parameter parameter in parameters)
        {
            Assert.Equal(0, parameter.Offset * DataType.Float16.Bytes() % 256);
            Assert.InRange(parameter.Offset, end, end + 127);
            end = parameter.Offset + parameter.Count;
        }
    }

    [Fact]
    public void Enumerate_NoBlock_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Parameter.Enumerate(new Architecture("empty", 1, 3, [new GlobalAveragePool(), new Flatten()])));

    [Fact]
    public void Enumerate_TensorBeyondAnArraysLength_IsRefused()
    {
        var architecture = new Architecture("huge", 1 << 16, 3, [new NinBlock(1 << 16, 1, 1, 0, [3]), new GlobalAveragePool(), new Flatten()]);
        var error = Assert.Throws<ArgumentException>(() => Parameter.Enumerate(architecture));
        Assert.Equal("0.0.weight would have 4294967296 elements", error.Message);
    }

    [Fact]
    public void ToDeviceOrder_Weight_IsKrsc()
    {
        var weight = new Parameter("w", [2, 3, 2, 2], 0, 12, 8);
        float[] torch = [.. Enumerable.Range(0, 24).Select(i => (float)i)], device = new float[24];
        weight.ToDeviceOrder(torch, device);

        for (int i = 0; i < 24; i++)
        {
            int c = i % 3, s = i / 3 % 2, r = i / 6 % 2, k = i / 12;
            Assert.Equal(((k * 3 + c) * 2 + r) * 2 + s, device[i]);
        }
    }

    [Theory]
    [InlineData(4, 5, 3, 3)]
    [InlineData(7, 1, 11, 11)]
    [InlineData(6, 9, 1, 1)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(5)]
    public void FromDeviceOrder_UndoesToDeviceOrder(params int[] shape)
    {
        var parameter = new Parameter("p", [.. shape], 0, 1, 1);
        float[] torch = TestNumbers.Uniform(parameter.Count, -1, 1, 1), device = new float[torch.Length], back = new float[torch.Length];
        parameter.ToDeviceOrder(torch, device);
        parameter.FromDeviceOrder(device, back);
        Assert.Equal(torch, back);
    }
}
