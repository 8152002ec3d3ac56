using NinCudnn.Operators;

namespace NinCudnn.Diagnostics;

/// <summary>What one check found.</summary>
/// <param name="Group">The part of the installation: installation, operators, memory or plan.</param>
/// <param name="Name">What was checked.</param>
/// <param name="DataType">The element type that it was checked for; null where there is none.</param>
/// <param name="Status">How it ended.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Detail">What was found: shape and worst error, or why it did not pass.</param>
/// <param name="Advice">After a failure, what to do about it, in one sentence.</param>
public sealed record CheckResult(
    string Group, string Name, DataType? DataType, CheckStatus Status, TimeSpan Elapsed, string Detail, string? Advice);
