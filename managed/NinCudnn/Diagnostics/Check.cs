using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>One thing to look at.</summary>
/// <param name="Group">The part of the installation.</param>
/// <param name="Name">What is looked at.</param>
/// <param name="DataType">The element type it is looked at for; null where there is none.</param>
/// <param name="Advice">What to do when it fails.</param>
/// <param name="Run">Looks, and says what was found. Throws when it is not what it should be.</param>
internal sealed record Check(string Group, string Name, DataType? DataType, string Advice, Func<CheckContext, string> Run)
{
    /// <summary>Whether training works without it, so that a refusal is no failure: the 16-bit types, for example.</summary>
    public bool IsOptional { get; init; } = DataType is not (null or Operators.DataType.Float32);
}

/// <summary>A check found something wrong.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);

/// <summary>A check had nothing to look at.</summary>
internal sealed class CheckSkippedException(string message) : Exception(message);
