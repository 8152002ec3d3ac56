using NinCudnn.Networks;
using Xunit;

namespace NinCudnn.Tests.Networks;

public class InitializationTests
{
    private static readonly Parameter _weight = new("2.0.weight", [64, 30, 3, 3], 0, 270, 576);
    private static readonly Parameter _bias = new("2.0.bias", [2000], 0, 270, 576);

    [Fact]
    public void Xavier_Weights_FillTheirBounds() => CheckUniform(Initialization.Xavier.Draw(_weight, false, 1), Math.Sqrt(6.0 / (270 + 576)));

    [Fact]
    public void Xavier_Biases_FillTheirBounds() => CheckUniform(Initialization.Xavier.Draw(_bias, false, 1), 1 / Math.Sqrt(270));

    [Fact]
    public void He_Weights_FillTheirBounds() => CheckUniform(Initialization.He.Draw(_weight, false, 1), Math.Sqrt(6.0 / 270));

    [Fact]
    public void He_Biases_AreZero() => Assert.All(Initialization.He.Draw(_bias, false, 1), value => Assert.Equal(0, value));

    [Fact]
    public void OutputScale_TouchesOnlyTheLastConvolutionsWeights()
    {
        Initialization scaled = Initialization.Xavier with { OutputScale = 0.25 };
        CheckUniform(scaled.Draw(_weight, true, 1), 0.25 * Math.Sqrt(6.0 / (270 + 576)));
        Assert.Equal(Initialization.Xavier.Draw(_weight, false, 1), scaled.Draw(_weight, false, 1));
        Assert.Equal(Initialization.Xavier.Draw(_bias, true, 1), scaled.Draw(_bias, true, 1));
    }

    [Fact]
    public void OutputBias_IsAddedToTheLastConvolutionsBiasesAlone()
    {
        Initialization biased = Initialization.Xavier with { OutputBias = 0.5 };
        Assert.Equal(Initialization.Xavier.Draw(_bias, true, 1).Select(value => value + 0.5f), biased.Draw(_bias, true, 1));
        Assert.Equal(Initialization.Xavier.Draw(_bias, false, 1), biased.Draw(_bias, false, 1));
        Assert.Equal(Initialization.Xavier.Draw(_weight, true, 1), biased.Draw(_weight, true, 1));
    }

    [Fact]
    public void Draw_Values_DependOnNameAndSeedAlone()
    {
        float[] first = Initialization.Xavier.Draw(_weight, false, 1);
        Initialization.Xavier.Draw(_bias, false, 1);

        Assert.Equal(first, Initialization.Xavier.Draw(_weight with { Offset = 4096 }, false, 1)); // neither on order nor on place
        Assert.NotEqual(first, Initialization.Xavier.Draw(_weight, false, 2));
        Assert.NotEqual(first, Initialization.Xavier.Draw(_weight with { Name = "2.2.weight" }, false, 1));
    }

    /// <summary>Values stay inside ±bound and use all of it; mean and mean square are those of the uniform distribution.</summary>
    private static void CheckUniform(float[] values, double bound)
    {
        Assert.All(values, value => Assert.InRange(value, -bound * (1 + 1e-7), bound * (1 + 1e-7))); // rounded to float32
        Assert.True(values.Max() > 0.99 * bound && values.Min() < -0.99 * bound);
        // Five deviations of the mean of n values, whose variance is bound²/3, and of that of their squares, 4·bound⁴/45.
        double five = 5 / Math.Sqrt(values.Length);
        Assert.Equal(0, values.Average(value => (double)value), tolerance: five * bound / Math.Sqrt(3));
        Assert.Equal(bound * bound / 3, values.Average(value => (double)value * value), tolerance: five * bound * bound * Math.Sqrt(4 / 45.0));
    }
}
