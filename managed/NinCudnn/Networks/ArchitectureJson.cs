using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Formats;

namespace NinCudnn.Networks;

/// <summary>Architectures as JSON: <c>{"name": …, "input_channels": 1, "classes": 10, "layers": [{"type": "block", …}, …]}</c>.</summary>
public static class ArchitectureJson
{
    /// <summary>Writes an architecture on one line.</summary>
    public static string Write(Architecture architecture) =>
        JsonSerializer.Serialize(architecture, ArchitectureJsonContext.Default.Architecture);

    /// <summary>Writes an architecture on many lines, for people.</summary>
    public static string WriteIndented(Architecture architecture) =>
        JsonSerializer.Serialize(architecture, ArchitectureJsonContext.Indented.Architecture);

    /// <summary>The JSON schema (2020-12) of what <see cref="Read"/> reads.</summary>
    public static string Schema => JsonDocuments.Schema(
        ArchitectureJsonContext.Default.Architecture, "A Network-in-Network architecture of NinCudnn");

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is not JSON, lacks something, has something that is not known, or its layers do not fit together.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static Architecture ReadFile(string path) => JsonDocuments.ReadFile(path, json =>
    {
        Architecture architecture = Read(json);
        architecture.Validate();
        return architecture;
    });

    /// <summary>Reads an architecture.</summary>
    /// <exception cref="InvalidDataException">The text is not JSON, lacks something, or has something that is not known.</exception>
    public static Architecture Read(string json)
    {
        try
        {
            Architecture architecture = JsonSerializer.Deserialize(json, ArchitectureJsonContext.Default.Architecture)
                ?? throw new InvalidDataException("the architecture is null");
            if (architecture.Layers.IsDefaultOrEmpty || architecture.Layers.Any(layer => layer is null or NinBlock { PointwiseChannels.IsDefault: true }))
                throw new InvalidDataException("the architecture has no layers, or one of them is null or lacks its pointwise_channels");
            return architecture;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"the architecture is not valid: {e.Message}", e);
        }
        catch (NotSupportedException e)
        {
            throw new InvalidDataException($"the architecture has a layer without a known type: {e.Message}", e);
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowDuplicateProperties = false,
    AllowOutOfOrderMetadataProperties = true, // JSON has no order of members, so "type" may stand anywhere
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(Architecture))]
internal sealed partial class ArchitectureJsonContext : JsonSerializerContext
{
    public static ArchitectureJsonContext Indented => new(JsonDocuments.Indented(Default.Options));
}
