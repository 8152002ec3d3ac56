namespace NinCudnn.Interop;

/// <summary>The libraries' version numbers as text; each library packs them in its own way.</summary>
internal static class LibraryVersion
{
    /// <summary>cuDriverGetVersion: 12040 is CUDA 12.4.</summary>
    public static string Driver(int version) => $"{version / 1000}.{version % 1000 / 10}";

    /// <summary>cudnnGetVersion: 90600 is 9.6.0; before 9 the number had one digit less, 8901 is 8.9.1.</summary>
    public static string Cudnn(nuint version) => version >= 90000
        ? $"{version / 10000}.{version % 10000 / 100}.{version % 100}"
        : $"{version / 1000}.{version % 1000 / 100}.{version % 100}";

    /// <summary>cublasGetVersion_v2 and cublasLtGetVersion: 120405 is 12.4.5.</summary>
    public static string Cublas(nuint version) => $"{version / 10000}.{version % 10000 / 100}.{version % 100}";
}
