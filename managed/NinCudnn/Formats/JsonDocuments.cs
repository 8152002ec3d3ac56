using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace NinCudnn.Formats;

/// <summary>What the JSON files that people write have in common: how they are read, shown, and described by a schema.</summary>
internal static class JsonDocuments
{
    private const long MaxBytes = 1 << 20; // far more than a person writes

    /// <summary>Reads a file; what is wrong with it is said with its path.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Makes something of its text, or refuses it.</param>
    /// <exception cref="InvalidDataException">It was refused, or is larger than a mebibyte.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static T ReadFile<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(ReadText(path));
        }
        catch (Exception e) when (e is InvalidDataException or ArgumentException)
        {
            throw new InvalidDataException(MessageText.OneLine($"{path}: {e.Message}"), e);
        }
    }

    private static string ReadText(string path)
    {
        using FileStream file = File.OpenRead(path);
        if (file.Length > MaxBytes)
            throw new InvalidDataException($"the file has {file.Length} bytes, at most {MaxBytes} are read");
        using var reader = new StreamReader(file);
        return reader.ReadToEnd();
    }

    /// <summary>The same options, with a member a line.</summary>
    public static JsonSerializerOptions Indented(JsonSerializerOptions options) => new(options) { WriteIndented = true, TypeInfoResolver = null };

    /// <summary>The JSON schema (2020-12) of a type's documents, made of the type itself.</summary>
    /// <param name="type">The type.</param>
    /// <param name="title">What a document is.</param>
    /// <param name="amend">Adds what the type does not say.</param>
    public static string Schema(JsonTypeInfo type, string title, Action<JsonObject>? amend = null)
    {
        var schema = type.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true }).AsObject();
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", title);
        amend?.Invoke(schema);
        WriteConstantsAsEnumerations(schema);
        return schema.ToJsonString(Indented(type.Options));
    }

    /// <summary>The same meaning in a form that readers of older drafts know too.</summary>
    private static void WriteConstantsAsEnumerations(JsonNode? node)
    {
        if (node is JsonObject members)
        {
            if (members.TryGetPropertyValue("const", out JsonNode? value) && members.Remove("const"))
                members["enum"] = new JsonArray(value);
            foreach (var (_, member) in members)
                WriteConstantsAsEnumerations(member);
        }
        else if (node is JsonArray items)
        {
            foreach (JsonNode? item in items)
                WriteConstantsAsEnumerations(item);
        }
    }
}
