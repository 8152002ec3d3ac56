using System.Text.Json;
using NinCudnn.Numerics;
using NinCudnn.Tests.Goldens;
using Xunit;

namespace NinCudnn.Tests.Numerics;

public class ParameterRandomGoldenTests
{
    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "nin_seed", MemberType = typeof(GoldenSet))]
    public void Generator_GoldenTestVector_IsReproduced(string name)
    {
        var vector = GoldenSet.Current[name].Json.GetProperty("weight_formula").GetProperty("test_vector");
        var tensor = vector.GetProperty("name").GetString()!;
        var generator = ParameterRandom.Generator(tensor);
        var units = ParameterRandom.Generator(tensor);

        Assert.Equal(ParseHex(vector.GetProperty("fnv1a64")), Fnv1a.Hash64(tensor));
        foreach (var output in vector.GetProperty("first_outputs").EnumerateArray())
            Assert.Equal(ParseHex(output), generator.NextUInt64());
        foreach (var unit in vector.GetProperty("first_u").EnumerateArray())
            Assert.Equal(unit.GetDouble(), units.NextUnit());
    }

    [Theory]
    [MemberData(nameof(GoldenSet.CaseNames), "nin_seed", MemberType = typeof(GoldenSet))]
    public void FillUniform_GoldenTensorChecks_AreReproduced(string name)
    {
        var seedCase = GoldenSet.Current[name];
        var prefix = seedCase.Params.GetProperty("name_prefix").GetString();
        foreach (var check in seedCase.Json.GetProperty("weight_formula").GetProperty("tensor_checks").EnumerateObject())
        {
            var shape = Shape(check.Name, seedCase.Params);
            var values = new float[shape.Aggregate(1, (product, size) => product * size)];
            var bound = shape.Length == 4 ? ParameterRandom.WeightBound(shape[1] * shape[2] * shape[3]) : ParameterRandom.BiasBound;
            ParameterRandom.FillUniform(prefix + check.Name, bound, values);

            var expectedFirst = check.Value.GetProperty("first").EnumerateArray().Select(value => value.GetSingle()).ToArray();
            Assert.Equal(expectedFirst, values[..expectedFirst.Length]);
            Assert.Equal(check.Value.GetProperty("last").GetSingle(), values[^1]);

            // Every sum of n doubles in any order is within n·2^-53·Σ|v| of the exact one.
            var summation = values.Length * Math.ScaleB(1, -53);
            var magnitudes = values.Sum(value => Math.Abs((double)value));
            CheckSum(check.Value.GetProperty("sum"), values.Sum(value => (double)value), summation * magnitudes);
            var l2 = Math.Sqrt(values.Sum(value => (double)value * value));
            CheckSum(check.Value.GetProperty("l2"), l2, summation * l2);

            void CheckSum(JsonElement expected, double actual, double rounding) => Comparison.Check<double>(
                [actual], [expected.GetDouble()], [1], Tolerance.Absolute(2 * rounding, "rounding of two sums in double"), check.Name);
        }
    }

    private static ulong ParseHex(JsonElement text) => Convert.ToUInt64(text.GetString(), 16);

    /// <summary>The shape of a parameter such as "2.0.weight" of the network that the case describes: OIHW or (O).</summary>
    private static int[] Shape(string parameter, JsonElement network)
    {
        var channels = network.GetProperty("channels").EnumerateArray().Select(value => value.GetInt32()).ToArray();
        int[] inputs = [network.GetProperty("input")[1].GetInt32(), .. channels];
        int[] outputs = [.. channels, network.GetProperty("classes").GetInt32()];
        int[] kernels = [11, 5, 3, 3];

        var parts = parameter.Split('.');
        var block = parts[0] switch { "0" => 0, "2" => 1, "4" => 2, "7" => 3, _ => throw new InvalidDataException(parameter) };
        var (input, kernel) = parts[1] == "0" ? (inputs[block], kernels[block]) : (outputs[block], 1);
        return parts[2] == "bias" ? [outputs[block]] : [outputs[block], input, kernel, kernel];
    }
}
