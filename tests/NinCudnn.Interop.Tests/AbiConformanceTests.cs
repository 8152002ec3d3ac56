using System.Reflection;
using Xunit;

namespace NinCudnn.Interop.Tests;

/// <summary>Every declaration, enumerator, constant, struct and handle against the headers' facts.</summary>
public class AbiConformanceTests
{
    private static readonly (Type Class, string Library, AbiFacts Facts)[] _libraries =
    [
        (typeof(Cuda), NativeLibraryNames.Cuda, AbiFacts.Driver),
        (typeof(Cudnn), NativeLibraryNames.Cudnn, AbiFacts.Cudnn),
        (typeof(Cublas), NativeLibraryNames.Cublas, AbiFacts.Cublas),
        (typeof(CublasLt), NativeLibraryNames.CublasLt, AbiFacts.CublasLt),
    ];

    public static TheoryData<string, string> Functions { get; } =
        new(_libraries.SelectMany(library => Declarations(library.Class).Select(method => (library.Library, method.Name))));

    public static TheoryData<string> Enumerations { get; } = new(NativeTypes().Where(type => type.IsEnum).Select(type => type.Name));

    public static TheoryData<string> Structs { get; } =
        new(NativeTypes().Where(type => !type.IsEnum && !IsHandle(type)).Select(type => type.Name));

    public static TheoryData<string> Handles { get; } = new(NativeTypes().Where(IsHandle).Select(type => type.Name));

    [Theory]
    [MemberData(nameof(Functions))]
    public void Function_AgreesWithItsPrototype(string library, string function)
    {
        var (type, _, facts) = _libraries.Single(entry => entry.Library == library);
        var declaration = Assert.Single(Declarations(type), method => method.Name == function);

        Assert.True(facts.Functions.TryGetValue(function, out var fact), $"{function} is not exported by {library}");
        Assert.Empty(AbiComparer.Function(declaration, fact));
        Assert.Empty(AbiComparer.Import(declaration, library));
    }

    [Theory]
    [MemberData(nameof(Enumerations))]
    public void Enumeration_HasTheHeadersValues(string name)
    {
        var facts = AbiFacts.All.Select(library => library.Enumerators(name)).Where(values => values is not null).ToArray();

        Assert.NotEmpty(facts);
        Assert.All(facts, fact => Assert.Empty(AbiComparer.Enumeration(NativeType(name), fact!)));
    }

    [Theory]
    [InlineData(typeof(CUresult))]
    [InlineData(typeof(cudnnStatus_t))]
    [InlineData(typeof(cublasStatus_t))]
    public void Status_HasEveryNumberOfTheHeader(Type status)
    {
        var fact = AbiFacts.All.Select(library => library.Enumerators(status.Name)).First(values => values is not null)!;

        // By number: some of cuDNN's statuses have a second, deprecated name.
        Assert.Equal(
            fact.Values.Distinct().Order(),
            Enum.GetValues(status).Cast<object>().Select(value => Convert.ToInt64(value, null)).Order());
    }

    [Theory]
    [MemberData(nameof(Structs))]
    public void Struct_HasTheHeadersLayout(string name)
    {
        var facts = AbiFacts.All.Select(library => library.Struct(name)).Where(fact => fact is not null).ToArray();

        Assert.NotEmpty(facts);
        Assert.All(facts, fact => Assert.Empty(AbiComparer.Struct(NativeType(name), fact!)));
    }

    [Theory]
    [MemberData(nameof(Handles))]
    public void Handle_HasTheSizeOfItsCType(string name)
    {
        // CUdevice is an int and CUdeviceptr a 64-bit number; all others are pointers.
        int expected = name switch
        {
            nameof(CUdevice) => 4,
            nameof(CUdeviceptr) => 8,
            _ => nint.Size,
        };

        Assert.Equal(expected, AbiComparer.Size(NativeType(name)));
    }

    [Fact]
    public void Constants_HaveTheHeadersValues()
    {
        var constants = typeof(Cuda).GetFields(BindingFlags.Static | BindingFlags.Public);

        Assert.NotEmpty(constants);
        Assert.All(constants, constant => Assert.Empty(AbiComparer.Constant(constant, AbiFacts.Driver.Constants())));
    }

    [Fact]
    public void Declarations_AreAllThatTheLibraryUses()
    {
        // Grows with each new declaration: a theory over nothing would pass too.
        Assert.Equal([52, 39, 9, 16], _libraries.Select(library => Declarations(library.Class).Length));
    }

    private static MethodInfo[] Declarations(Type type) => type.GetMethods(BindingFlags.Static | BindingFlags.Public);

    /// <summary>NVIDIA's types begin with CU or with a small letter, ours in the .NET way.</summary>
    private static IEnumerable<Type> NativeTypes() => typeof(Cuda).Assembly.GetExportedTypes()
        .Where(type => type.IsValueType && !type.IsNested)
        .Where(type => type.Name.StartsWith("CU", StringComparison.Ordinal) || char.IsLower(type.Name[0]));

    private static Type NativeType(string name) => NativeTypes().Single(type => type.Name == name);

    private static bool IsHandle(Type type) => !type.IsEnum && type.GetProperty("Value") is not null;
}
