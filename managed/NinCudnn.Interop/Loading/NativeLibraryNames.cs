namespace NinCudnn.Interop;

/// <summary>The logical library names that the declarations carry and that <see cref="NativeLibraries"/> resolves.</summary>
public static class NativeLibraryNames
{
    /// <summary>The CUDA driver.</summary>
    public const string Cuda = "cuda";

    /// <summary>cuDNN.</summary>
    public const string Cudnn = "cudnn";

    /// <summary>cuBLAS.</summary>
    public const string Cublas = "cublas";

    /// <summary>cuBLASLt.</summary>
    public const string CublasLt = "cublasLt";

    /// <summary>
    /// All four, in loading order: cuBLAS needs cuBLASLt and cuDNN needs both, and a library that is already loaded
    /// satisfies a dependency wherever it lies.
    /// </summary>
    internal static readonly IReadOnlyList<string> All = [Cuda, CublasLt, Cublas, Cudnn];
}
