namespace NinCudnn.Interop;

/// <summary>One place or name that was tried for a library, without success.</summary>
/// <param name="Target">The path, or the name given to the system's loader.</param>
/// <param name="Origin">What sent the search there: an environment variable, the system loader, …</param>
/// <param name="Reason">Why nothing was loaded from it.</param>
public sealed record LoadAttempt(string Target, string Origin, string Reason);
