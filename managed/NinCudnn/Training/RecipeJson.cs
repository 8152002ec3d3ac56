using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using NinCudnn.Formats;

namespace NinCudnn.Training;

/// <summary>
/// Recipes as JSON: an object with the members of <see cref="TrainingRecipe"/> in snake case. What it leaves out is as in the built-in recipe that
/// <c>"base"</c> names, or as in the seed recipe.
/// </summary>
public static class RecipeJson
{
    private const string Base = "base";

    /// <summary>Writes a recipe with all its members, on many lines.</summary>
    public static string Write(TrainingRecipe recipe) => JsonSerializer.Serialize(recipe, RecipeJsonContext.Indented.TrainingRecipe);

    /// <summary>The JSON schema (2020-12) of what <see cref="Read"/> reads.</summary>
    public static string Schema => JsonDocuments.Schema(RecipeJsonContext.Default.TrainingRecipe, "A training recipe of NinCudnn", schema =>
    {
        schema.Remove("required");
        schema["properties"]!.AsObject().Insert(0, Base, new JsonObject
        {
            ["type"] = "string",
            ["description"] = "The built-in recipe whose values hold for what is left out.",
            ["enum"] = new JsonArray([.. TrainingRecipe.BuiltIn.Select(recipe => JsonValue.Create(recipe.Name))]),
        });
    });

    /// <summary>Reads a recipe.</summary>
    /// <exception cref="InvalidDataException">The text is not JSON, has a member that is not known, or a value that no training can have.</exception>
    public static TrainingRecipe Read(string json)
    {
        try
        {
            var given = JsonNode.Parse(json, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) as JsonObject
                ?? throw new InvalidDataException("a recipe must be a JSON object");
            JsonObject members = JsonSerializer.SerializeToNode(FindBase(given), RecipeJsonContext.Default.TrainingRecipe)!.AsObject();
            given.Remove(Base);
            Overlay(members, given);
            TrainingRecipe recipe = members.Deserialize(RecipeJsonContext.Default.TrainingRecipe)!;
            recipe.Validate();
            return recipe;
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException or InvalidOperationException)
        {
            throw new InvalidDataException($"the recipe is not valid: {e.Message}", e);
        }
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">As <see cref="Read"/>.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static TrainingRecipe ReadFile(string path) => JsonDocuments.ReadFile(path, Read);

    private static TrainingRecipe FindBase(JsonObject given)
    {
        string name = given[Base]?.GetValue<string>() ?? TrainingRecipe.Seed.Name;
        return TrainingRecipe.BuiltIn.FirstOrDefault(recipe => recipe.Name == name)
            ?? throw new InvalidDataException($"there is no built-in recipe '{name}'; there are {string.Join(", ", TrainingRecipe.BuiltIn.Select(recipe => recipe.Name))}");
    }

    /// <summary>Replaces members; of objects without a type, whose members may be given one by one, only those that are given.</summary>
    private static void Overlay(JsonObject target, JsonObject source)
    {
        foreach (var (name, value) in source)
        {
            if (value is JsonObject part && !part.ContainsKey("type") && target[name] is JsonObject whole)
                Overlay(whole, part);
            else
                target[name] = value?.DeepClone();
        }
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    AllowOutOfOrderMetadataProperties = true, // JSON has no order of members, so "type" may stand anywhere
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TrainingRecipe))]
internal sealed partial class RecipeJsonContext : JsonSerializerContext
{
    public static RecipeJsonContext Indented => new(JsonDocuments.Indented(Default.Options));
}
