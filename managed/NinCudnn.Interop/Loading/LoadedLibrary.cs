namespace NinCudnn.Interop;

/// <summary>A native library that was found and loaded.</summary>
/// <param name="Name">The logical name, one of <see cref="NativeLibraryNames"/>.</param>
/// <param name="Path">The file it came from.</param>
/// <param name="Version">
/// What the library says of itself; for the driver, the newest CUDA version that it supports.
/// </param>
public sealed record LoadedLibrary(string Name, string Path, string Version);
