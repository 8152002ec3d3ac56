using System.Globalization;
using NinCudnn.Training;

namespace NinCudnn.Cli.Settings;

/// <summary>What a recipe says for the options of <c>nin train</c> that are not given.</summary>
internal static class RecipeValues
{
    /// <summary>The value by the option's name; null where the recipe has none.</summary>
    public static IReadOnlyDictionary<string, string?> Of(TrainingRecipe recipe) => new Dictionary<string, string?>
    {
        ["--epochs"] = Text(recipe.Epochs),
        ["--batch"] = Text(recipe.BatchSize),
        ["--resize"] = Text(recipe.ImageSize),
        ["--learning-rate"] = Text(recipe.LearningRate),
        ["--schedule"] = RecipeNames.Of(recipe.Schedule is WarmUpSchedule rising ? rising.After : recipe.Schedule),
        ["--warm-up"] = Text((recipe.Schedule as WarmUpSchedule)?.Share),
        ["--momentum"] = Text(recipe.Sgd.Momentum),
        ["--nesterov"] = Text(recipe.Sgd.Nesterov),
        ["--weight-decay"] = Text(recipe.Sgd.WeightDecay),
        ["--init"] = RecipeNames.Of(recipe.Initialization),
        ["--output-scale"] = Text(recipe.Initialization.OutputScale),
        ["--output-bias"] = Text(recipe.Initialization.OutputBias),
        ["--normalize"] = Text(recipe.NormalizeInput),
        ["--dropout"] = Text(recipe.DropoutRate),
        ["--label-smoothing"] = Text(recipe.LabelSmoothing),
        ["--clip-norm"] = Text(recipe.ClipNorm),
        ["--ema"] = Text(recipe.EmaDecay),
        ["--flip"] = Text(recipe.Augmentation?.HorizontalFlip),
        ["--crop"] = Text(recipe.Augmentation?.CropPadding),
        ["--erase"] = Text(recipe.Augmentation?.ErasingProbability),
        ["--precision"] = RecipeNames.Of(recipe.Precision),
    };

    private static string Text(bool value) => value ? "true" : "false";

    private static string? Text(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture);
}
