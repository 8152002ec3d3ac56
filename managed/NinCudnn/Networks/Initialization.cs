using System.Text.Json.Serialization;
using NinCudnn.Numerics;

namespace NinCudnn.Networks;

/// <summary>How weights are drawn.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WeightInitialization>))]
public enum WeightInitialization
{
    /// <summary>Uniform in ±√(6 / (fanIn + fanOut)). Glorot, Bengio, 2010.</summary>
    [JsonStringEnumMemberName("xavier_uniform")]
    XavierUniform,

    /// <summary>Uniform in ±√(6 / fanIn). He et al., 2015.</summary>
    [JsonStringEnumMemberName("he_uniform")]
    HeUniform,
}

/// <summary>How biases are drawn.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BiasInitialization>))]
public enum BiasInitialization
{
    /// <summary>Uniform in ±1/√fanIn, PyTorch's default.</summary>
    [JsonStringEnumMemberName("uniform_by_fan_in")]
    UniformByFanIn,

    /// <summary>All zero.</summary>
    [JsonStringEnumMemberName("zero")]
    Zero,
}

/// <summary>
/// First values of the parameters. Each tensor has its own generator, seeded by its name and the run's seed, so values do not
/// depend on the order of drawing; see <see cref="ParameterRandom"/>.
/// </summary>
/// <param name="Weights">Distribution of the weights.</param>
/// <param name="Biases">Distribution of the biases.</param>
/// <param name="OutputScale">Factor on the last convolution's weights.</param>
/// <param name="OutputBias">
/// Added to the last convolution's biases. The network ends in a rectifier: with a bias above 0 every class begins where gradients pass, with 0
/// some may be off from the start, for good.
/// </param>
public sealed record Initialization(WeightInitialization Weights, BiasInitialization Biases, double OutputScale = 1, double OutputBias = 0)
{
    /// <summary>The book's: Xavier weights, PyTorch's default biases.</summary>
    public static Initialization Xavier { get; } = new(WeightInitialization.XavierUniform, BiasInitialization.UniformByFanIn);

    /// <summary>He weights and zero biases.</summary>
    public static Initialization He { get; } = new(WeightInitialization.HeUniform, BiasInitialization.Zero);

    /// <summary>Draws a tensor's values in PyTorch's order.</summary>
    /// <param name="parameter">The tensor.</param>
    /// <param name="isOutput">Whether it belongs to the last convolution.</param>
    /// <param name="seed">The run's seed.</param>
    internal float[] Draw(Parameter parameter, bool isOutput, ulong seed)
    {
        double bound = parameter.IsWeight
            ? Math.Sqrt(6.0 / (Weights == WeightInitialization.HeUniform ? parameter.FanIn : parameter.FanIn + parameter.FanOut))
                * (isOutput ? OutputScale : 1)
            : Biases == BiasInitialization.Zero ? 0 : 1 / Math.Sqrt(parameter.FanIn);
        var values = new float[parameter.Count];
        ParameterRandom.FillUniform(parameter.Name, bound, values, seed);
        if (isOutput && !parameter.IsWeight && OutputBias != 0)
        {
            foreach (ref float value in values.AsSpan())
                value += (float)OutputBias;
        }
        return values;
    }
}
