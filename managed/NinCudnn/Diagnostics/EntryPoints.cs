using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using NinCudnn.Interop;

namespace NinCudnn.Diagnostics;

/// <summary>The native functions that this library calls.</summary>
internal static class EntryPoints
{
    // Callers look these up before they use them.
    private static readonly string[] _optional =
    [
        "cudnnGetLastErrorString", // since cuDNN 9
        "cuEventElapsedTime", "cuEventElapsedTime_v2", // up to CUDA 12, since CUDA 12.8
    ];

    /// <summary>Whether everything works without the function.</summary>
    public static bool IsOptional(string function) => _optional.Contains(function);

    /// <summary>The exported names that are declared for a library. The declarations are all the methods that their classes have.</summary>
    /// <param name="library">The logical name, one of <see cref="NativeLibraryNames"/>.</param>
    public static string[] Of(string library) => library switch
    {
        NativeLibraryNames.Cuda => Declared(typeof(Cuda)),
        NativeLibraryNames.Cudnn => Declared(typeof(Cudnn)),
        NativeLibraryNames.Cublas => Declared(typeof(Cublas)),
        NativeLibraryNames.CublasLt => Declared(typeof(CublasLt)),
        _ => throw new ArgumentOutOfRangeException(nameof(library), library, "not a logical library name"),
    };

    // The annotation makes the trimmer keep the methods, so that ahead-of-time builds see the same list.
    private static string[] Declared([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicMethods)] Type declarations) =>
        [.. declarations.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.DeclaredOnly).Select(method => method.Name).Order(StringComparer.Ordinal)];
}
