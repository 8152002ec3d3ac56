using NinCudnn.Training;

namespace NinCudnn.Cli;

/// <summary>A built-in recipe, or one of the user's own.</summary>
internal sealed record RecipeChoice(TrainingRecipe Recipe)
{
    /// <summary>What can be chosen, in words.</summary>
    public static string Choices { get; } = $"{string.Join(" or ", TrainingRecipe.BuiltIn.Select(recipe => recipe.Name))}, or a .json file";

    public static RecipeChoice Seed { get; } = new(TrainingRecipe.Seed);

    public override string ToString() => Recipe.Name;

    /// <summary>Parses a name or the path of a JSON file.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    /// <exception cref="InvalidDataException">The file holds no recipe.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static RecipeChoice Parse(string text)
    {
        if (text.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            return new RecipeChoice(RecipeJson.ReadFile(text));
        return TrainingRecipe.BuiltIn.FirstOrDefault(recipe => recipe.Name == text) is { } known
            ? new RecipeChoice(known)
            : throw new FormatException($"--recipe is '{text}', but must be {Choices}");
    }
}
