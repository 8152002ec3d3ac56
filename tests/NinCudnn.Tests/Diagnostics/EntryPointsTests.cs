using System.Reflection;
using System.Runtime.InteropServices;
using NinCudnn.Diagnostics;
using NinCudnn.Interop;
using Xunit;

namespace NinCudnn.Tests.Diagnostics;

public class EntryPointsTests
{
    public static TheoryData<string> Libraries { get; } =
        [NativeLibraryNames.Cuda, NativeLibraryNames.Cudnn, NativeLibraryNames.Cublas, NativeLibraryNames.CublasLt];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Of_Library_IsEveryDeclaredImport(string library)
    {
        var imports =
            from type in typeof(NativeLibraries).Assembly.GetTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static)
            let import = method.GetCustomAttribute<LibraryImportAttribute>()
            where import?.LibraryName == library
            select import.EntryPoint ?? method.Name;

        string[] expected = [.. imports.Order(StringComparer.Ordinal)];
        Assert.NotEmpty(expected);
        Assert.Equal(expected, EntryPoints.Of(library));
    }

    [Fact]
    public void DescribeEntryPoints_MissingFunction_FailsWithItsNameAndTheVersion()
    {
        var library = new LoadedLibrary(NativeLibraryNames.Cudnn, "/somewhere/libcudnn.so.9", "9.1.0");

        CheckFailedException e = Assert.Throws<CheckFailedException>(
            () => InstallationChecks.DescribeEntryPoints(library, (_, function) => function != "cudnnPoolingForward"));

        Assert.Equal("cudnn 9.1.0 (/somewhere/libcudnn.so.9) has no cudnnPoolingForward", e.Message);
    }

    [Fact]
    public void DescribeEntryPoints_MissingOptionalFunction_IsOnlyMentioned()
    {
        var library = new LoadedLibrary(NativeLibraryNames.Cudnn, "/somewhere/libcudnn.so.8", "8.9.7");

        string detail = InstallationChecks.DescribeEntryPoints(library, (_, function) => function != "cudnnGetLastErrorString");

        Assert.Contains("without the optional cudnnGetLastErrorString", detail, StringComparison.Ordinal);
    }

    [Fact]
    public void DescribeUnusedLibraries_LibraryThatLacksFunctions_IsNotSupported()
    {
        // A file that certainly loads and has none of cuDNN's functions.
        string path = Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "libSystem.Native.so");
        ProviderReport report = Report(new LoadedLibrary(NativeLibraryNames.Cudnn, path, "9.1.0"));

        NotSupportedException e = Assert.Throws<NotSupportedException>(() => InstallationChecks.DescribeUnusedLibraries(NativeProvider.Host, () => report));

        Assert.Contains("cudnn 9.1.0", e.Message, StringComparison.Ordinal);
        Assert.Contains("cudnnCreate,", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(NativeProvider.Host)]
    [InlineData(NativeProvider.Cuda)]
    [InlineData(null)]
    public void DescribeUnusedLibraries_NoneInstalledOrInUse_IsSkipped(NativeProvider? provider) =>
        Assert.Throws<CheckSkippedException>(() => InstallationChecks.DescribeUnusedLibraries(provider, () => Report()));

    private static ProviderReport Report(params LoadedLibrary[] libraries) =>
        new([new ProviderStatus(NativeProvider.Cuda, ["the CUDA driver could not be loaded"], libraries, [])]);
}
