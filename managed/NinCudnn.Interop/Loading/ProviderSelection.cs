namespace NinCudnn.Interop;

/// <summary>The provider that this process uses, and why.</summary>
/// <param name="Provider">The provider.</param>
/// <param name="Ordinal">The number of the device asked for among the provider's devices.</param>
/// <param name="Reason">One line for the user: what was asked, and for <c>auto</c> what decided.</param>
/// <param name="Libraries">The four libraries. For the host provider all four are one file.</param>
public sealed record ProviderSelection(
    NativeProvider Provider, int Ordinal, string Reason, IReadOnlyList<LoadedLibrary> Libraries);
