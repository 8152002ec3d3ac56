using System.Runtime.InteropServices;
using System.Text.Json;
using NinCudnn.Formats;

namespace NinCudnn.Tests.Goldens;

/// <summary>One case of a golden set: an operation, its parameters, its inputs and results. Tensors are read when asked for.</summary>
public sealed class GoldenCase
{
    private readonly string _directory;

    public GoldenCase(string directory, JsonElement json)
    {
        _directory = directory;
        Json = json;
    }

    /// <summary>The whole entry of the index, for what only some kinds have (notes, grad_info, …).</summary>
    public JsonElement Json { get; }

    public string Name => Json.GetProperty("name").GetString()!;

    /// <summary>The kind of case, for example "conv2d".</summary>
    public string Op => Json.GetProperty("op").GetString()!;

    public JsonElement Params => Json.GetProperty("params");

    /// <summary>The case's main file, or null if it has no tensors.</summary>
    public string? FileName => Json.GetProperty("file").GetString();

    /// <summary>Names of further files by their role, for example "params" or "grads".</summary>
    public IReadOnlyDictionary<string, string> MoreFiles => Json.TryGetProperty("more_files", out var files)
        ? files.EnumerateObject().ToDictionary(file => file.Name, file => file.Value.GetString()!)
        : new Dictionary<string, string>();

    /// <summary>Whether the case has a tensor in its main file, or in the file with a role.</summary>
    public bool Has(string tensor, string? role = null) => Read(role, file => file.Tensors.ContainsKey(tensor));

    /// <summary>The tensors' names in the main file, or in the file with a role.</summary>
    public IReadOnlyList<string> TensorNames(string? role = null) => Read<IReadOnlyList<string>>(role, file => [.. file.Tensors.Keys]);

    public int[] Shape(string tensor, string? role = null) => Read(role, file => file.Tensors[tensor].Shape.ToArray());

    /// <summary>A tensor of type F32.</summary>
    public float[] Singles(string tensor, string? role = null) => Read(role, file => file.ReadSingles(tensor));

    /// <summary>A tensor of type U8.</summary>
    public byte[] Bytes(string tensor, string? role = null) => Read(role, file => Raw(file, tensor, SafetensorsType.U8));

    /// <summary>A tensor of type I64: labels and pooling indices.</summary>
    public long[] Int64s(string tensor, string? role = null) =>
        Read(role, file => MemoryMarshal.Cast<byte, long>(Raw(file, tensor, SafetensorsType.I64)).ToArray());

    /// <summary>The tolerance of a tensor. <paramref name="table"/> is "tolerance", "grad_tolerance" or "final_params_tolerance".</summary>
    public Tolerance Tolerance(string tensor, string table = "tolerance")
    {
        var entry = Json.GetProperty(table).GetProperty(tensor);
        return Tests.Tolerance.Of(
            entry.GetProperty("atol").GetDouble(), entry.GetProperty("rtol").GetDouble(), $"{table} of the golden case {Name}") with
        {
            NanEqualsNan = entry.TryGetProperty("nan_equals_nan", out var isEqual) && isEqual.GetBoolean(),
        };
    }

    /// <summary>Compares a result with the tensor of that name in the main file, or in the file with a role.</summary>
    public void Check(string tensor, ReadOnlySpan<float> actual, string? role = null, string table = "tolerance") =>
        Comparison.Check(actual, Singles(tensor, role), Shape(tensor, role), Tolerance(tensor, table), $"golden case {Name}, {tensor}");

    /// <summary>Opens the main file, or the file with a role. The caller disposes it.</summary>
    public SafetensorsFile Open(string? role = null) =>
        SafetensorsFile.Open(Path.Combine(_directory, role is null ? FileName! : MoreFiles[role]));

    public override string ToString() => Name;

    private T Read<T>(string? role, Func<SafetensorsFile, T> read)
    {
        using var file = Open(role);
        return read(file);
    }

    private static byte[] Raw(SafetensorsFile file, string tensor, SafetensorsType type) => file.Tensors[tensor].Type == type
        ? file.ReadBytes(tensor)
        : throw new InvalidDataException($"tensor '{tensor}' has the type {file.Tensors[tensor].Type}, expected {type}");
}
