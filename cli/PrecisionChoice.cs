using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Cli;

/// <summary>What <c>--precision</c> asks for.</summary>
/// <param name="Precision">The precision.</param>
/// <param name="Reason">Why, where the program chose.</param>
internal sealed record PrecisionChoice(Precision Precision, string? Reason)
{
    public const string Auto = "auto";

    /// <summary>What was asked for, or else the alternative.</summary>
    public static PrecisionChoice Of(string? name, Precision otherwise, Device device)
    {
        if (name == Auto)
        {
            var (precision, reason) = Precisions.Fastest(device);
            return new PrecisionChoice(precision, reason);
        }
        return new PrecisionChoice(name is null ? otherwise : RecipeNames.Precisions[name], null);
    }

    /// <summary>
    /// Makes something that needs the precision. Where the device refuses it and nobody insisted, float32 is used.
    /// </summary>
    /// <exception cref="NotSupportedException">The device refuses the precision that was asked for.</exception>
    public (T Made, PrecisionChoice Choice) Make<T>(Func<Precision, T> make)
    {
        try
        {
            return (make(Precision), this);
        }
        catch (NotSupportedException e) when (Precision != Precision.Float32)
        {
            if (Reason is null)
                throw new NotSupportedException($"{e.Message}; --precision fp32 does without", e);
            var fallback = new PrecisionChoice(Precision.Float32, $"{Reason}, but {e.Message}");
            return (make(fallback.Precision), fallback);
        }
    }

    public override string ToString() => RecipeNames.Of(Precision) + (Reason is null ? "" : $" ({Reason})");
}
