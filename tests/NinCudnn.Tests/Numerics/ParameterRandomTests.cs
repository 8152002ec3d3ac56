using NinCudnn.Numerics;
using Xunit;

namespace NinCudnn.Tests.Numerics;

public class ParameterRandomTests
{
    // From the formula's description; computed independently of this code.
    [Fact]
    public void Generator_NoSeed_GivesDocumentedUnits() =>
        Assert.Equal([0.8241785168647766, 0.792677640914917, 0.6749945878982544], Units(null));

    // From a Python program that follows the class's remarks.
    [Theory]
    [InlineData(0UL, new[] { 0.3362659811973572, 0.8695701956748962, 0.1029503345489502 })]
    [InlineData(7UL, new[] { 0.2579077482223511, 0.03908336162567139, 0.9919916987419128 })]
    public void Generator_Seed_GivesDocumentedUnits(ulong seed, double[] expected) => Assert.Equal(expected, Units(seed));

    [Fact]
    public void FillUniform_OtherNameOrSeed_GivesOtherValues()
    {
        Assert.NotEqual(Fill("0.0.weight", null), Fill("0.2.weight", null));
        Assert.NotEqual(Fill("0.0.weight", null), Fill("0.0.weight", 0));
        Assert.NotEqual(Fill("0.0.weight", 0), Fill("0.0.weight", 1));
        Assert.Equal(Fill("0.0.weight", 1), Fill("0.0.weight", 1));
    }

    [Fact]
    public void FillUniform_Values_AreRoundedOnceFromDouble()
    {
        var bound = ParameterRandom.WeightBound(121);
        var expected = Units(null).Select(u => (float)((2 * u - 1) * Math.Sqrt(6.0 / 121)));

        var values = new float[3];
        ParameterRandom.FillUniform("0.0.weight", bound, values);

        Assert.Equal(expected, values);
        Assert.Equal([0.1443767249584198f, 0.13034743070602417f, 0.07793589681386948f], values);
    }

    [Theory]
    [InlineData(-0.5)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void FillUniform_BadBound_Throws(double bound) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => ParameterRandom.FillUniform("w", bound, new float[1]));

    [Fact]
    public void WeightBound_NoFanIn_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => ParameterRandom.WeightBound(0));

    private static double[] Units(ulong? seed)
    {
        var generator = ParameterRandom.Generator("0.0.weight", seed);
        return [generator.NextUnit(), generator.NextUnit(), generator.NextUnit()];
    }

    private static float[] Fill(string name, ulong? seed)
    {
        var values = new float[8];
        ParameterRandom.FillUniform(name, 1, values, seed);
        return values;
    }
}
