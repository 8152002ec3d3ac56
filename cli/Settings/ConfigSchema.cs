using System.CommandLine;
using System.CommandLine.Completions;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using NinCudnn.Cli.Commands;

namespace NinCudnn.Cli.Settings;

/// <summary>The JSON schema (2020-12) of <see cref="ConfigFile"/>, made of the commands' options.</summary>
internal static class ConfigSchema
{
    private static readonly JsonWriterOptions _indented = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // it is for files, not for web pages
    };

    public static string Write(Command root)
    {
        JsonObject schema = Describe(root, ConfigFile.SharedOptions(root));
        schema.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        schema.Insert(1, "title", "Settings of nin");
        schema["properties"]!.AsObject().Insert(0, ConfigFile.SchemaKey, new JsonObject { ["type"] = "string" });
        using var text = new MemoryStream();
        using (var writer = new Utf8JsonWriter(text, _indented))
            schema.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }

    private static JsonObject Describe(Command command, IEnumerable<Option> options)
    {
        var properties = new JsonObject();
        foreach (Option option in options)
            properties[Setting.KeyOf(option)] = Describe(option);
        foreach (Command sub in command.Subcommands.Where(CommandTree.IsVisible).Where(ConfigFile.HasSettings))
            properties[sub.Name] = Describe(sub, CommandTree.OwnOptions(sub));
        return new JsonObject
        {
            ["description"] = command.Description,
            ["type"] = "object",
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
    }

    private static JsonObject Describe(Option option)
    {
        var schema = new JsonObject { ["description"] = option.Description };
        string[] choices = CommandTree.IsFlag(option) ? [] : [.. option.GetCompletions(CompletionContext.Empty).Select(item => item.Label)];
        Type type = Nullable.GetUnderlyingType(option.ValueType) ?? option.ValueType;
        if (type == typeof(string) && choices.Length > 0)
            schema["enum"] = new JsonArray([.. choices.Select(choice => JsonValue.Create(choice))]);
        else
            schema["type"] = JsonType(type);
        return schema;
    }

    private static JsonNode JsonType(Type type) =>
        type == typeof(bool) ? "boolean"
        : type == typeof(int) || type == typeof(ulong) ? "integer"
        : type == typeof(double) ? "number"
        : type == typeof(long) || type == typeof(BatchRequest) ? new JsonArray("integer", "string") // 64M, auto
        : "string";
}
