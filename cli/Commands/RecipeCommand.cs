using System.CommandLine;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin recipe</c></summary>
internal static class RecipeCommand
{
    public static Command Create() => new("recipe", "Recipes as JSON files, for --recipe: shows built-in ones, checks your own.")
    {
        List(), Show(), Validate(), Schema(),
    };

    private static Command List()
    {
        var command = new Command("list", "Lists the built-in recipes.");
        command.SetAction(_ =>
        {
            foreach (TrainingRecipe recipe in TrainingRecipe.BuiltIn)
                Console.WriteLine($"{recipe.Name}: {recipe.Epochs} epochs of batches of {recipe.BatchSize}, images of {recipe.ImageSize}×{recipe.ImageSize}");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Show()
    {
        Argument<RecipeChoice> recipe = Recipe();
        var command = new Command("show", "Writes a recipe as JSON, as a start for your own.") { recipe };
        command.SetAction(parsed =>
        {
            Console.WriteLine(RecipeJson.Write(parsed.GetRequiredValue(recipe).Recipe));
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Validate()
    {
        Argument<RecipeChoice> recipe = Recipe();
        var command = new Command("validate", "Checks a recipe's file.") { recipe };
        command.SetAction(parsed =>
        {
            Console.WriteLine($"{parsed.GetRequiredValue(recipe)}: valid");
            return ExitCode.Success;
        });
        return command;
    }

    private static Command Schema()
    {
        var command = new Command("schema", "Writes the JSON schema of such files.");
        command.SetAction(_ =>
        {
            Console.WriteLine(RecipeJson.Schema);
            return ExitCode.Success;
        });
        return command;
    }

    private static Argument<RecipeChoice> Recipe()
    {
        var recipe = new Argument<RecipeChoice>("recipe")
        {
            Description = "A built-in recipe's name, or a .json file.",
            CustomParser = result => SharedOptions.ParseOrReport(result, RecipeChoice.Parse),
        };
        recipe.CompletionSources.Add([.. TrainingRecipe.BuiltIn.Select(built => built.Name)]);
        return recipe;
    }
}
