using System.Text.Json;

namespace NinCudnn.Interop.Tests;

/// <summary>What the C headers of one library say, as recorded in abi/*.json.</summary>
internal sealed class AbiFacts
{
    private readonly JsonElement _root;

    private AbiFacts(JsonElement root)
    {
        _root = root;
        Functions = root.GetProperty("functions").EnumerateArray()
            .ToDictionary(function => function.GetProperty("name").GetString()!, ReadFunction);
    }

    public static AbiFacts Driver { get; } = Read("driver");

    public static AbiFacts Cudnn { get; } = Read("cudnn");

    public static AbiFacts Cublas { get; } = Read("cublas");

    public static AbiFacts CublasLt { get; } = Read("cublaslt");

    public static IReadOnlyList<AbiFacts> All { get; } = [Driver, Cudnn, Cublas, CublasLt];

    public IReadOnlyDictionary<string, AbiFunction> Functions { get; }

    /// <summary>The values of an enumeration or group of constants by name; null when the library has none of that name.</summary>
    public IReadOnlyDictionary<string, long>? Enumerators(string name) =>
        _root.GetProperty("enums").TryGetProperty(name, out var values) ? ReadValues(values) : null;

    public IReadOnlyDictionary<string, long> Constants() => ReadValues(_root.GetProperty("constants"));

    public AbiStruct? Struct(string name)
    {
        if (!_root.GetProperty("structs").TryGetProperty(name, out var fact))
            return null;
        var fields = fact.GetProperty("fields").EnumerateArray().Select(field => new AbiField(
            field.GetProperty("name").GetString()!, field.GetProperty("offset").GetInt32(), field.GetProperty("size").GetInt32()));
        return new(fact.GetProperty("size").GetInt32(), fact.GetProperty("align").GetInt32(), [.. fields]);
    }

    /// <summary>cuDNN only: per status the numbers of version 8 and 9.</summary>
    public IEnumerable<(string Name, int Version8, int Version9)> StatusNumbers() =>
        _root.GetProperty("status_v8_to_v9").EnumerateObject()
            .Select(status => (status.Name, status.Value[0].GetInt32(), status.Value[1].GetInt32()));

    private static AbiFacts Read(string file) =>
        new(JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "abi", file + ".json"))).RootElement);

    private static AbiFunction ReadFunction(JsonElement function) => new(
        function.GetProperty("returns").GetString()!,
        [.. function.GetProperty("params").EnumerateArray().Select(parameter => new AbiParameter(
            parameter.GetProperty("name").GetString()!,
            parameter.GetProperty("c_type").GetString()!,
            parameter.GetProperty("size").GetInt32(),
            parameter.GetProperty("kind").GetString()!))]);

    private static Dictionary<string, long> ReadValues(JsonElement values) =>
        values.EnumerateObject().ToDictionary(value => value.Name, value => value.Value.GetInt64());
}

internal sealed record AbiFunction(string Returns, IReadOnlyList<AbiParameter> Parameters);

/// <param name="Name">Its name in the header.</param>
/// <param name="CType">Its C type.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Kind">int, float, enum, size_t, handle or pointer.</param>
internal sealed record AbiParameter(string Name, string CType, int Size, string Kind);

/// <param name="Size">The size in bytes.</param>
/// <param name="Alignment">The alignment in bytes.</param>
/// <param name="Fields">The fields in order.</param>
internal sealed record AbiStruct(int Size, int Alignment, IReadOnlyList<AbiField> Fields);

/// <param name="Name">Its name in the header.</param>
/// <param name="Offset">Its offset in bytes.</param>
/// <param name="Size">Its size in bytes.</param>
internal sealed record AbiField(string Name, int Offset, int Size);
