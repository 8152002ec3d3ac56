namespace NinCudnn.Training;

/// <summary>Checks of a recipe's values.</summary>
internal static class Setting
{
    /// <exception cref="ArgumentException">The condition is not met; the message names value and range.</exception>
    public static void Require(bool isMet, string what, IFormattable value, string condition)
    {
        if (!isMet)
            throw new ArgumentException(FormattableString.Invariant($"{what} is {value}, but must be {condition}"));
    }
}
