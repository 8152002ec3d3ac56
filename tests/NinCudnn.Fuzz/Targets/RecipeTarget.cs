using System.Text;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>Recipes' files.</summary>
internal sealed class RecipeTarget() : FuzzTarget<TrainingRecipe>("recipe")
{
    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        Encoding.UTF8.GetBytes(RecipeJson.Write(TrainingRecipe.Best)),
        Encoding.UTF8.GetBytes(RecipeJson.Write(TrainingRecipe.Seed with { Schedule = new WarmUpSchedule(new StepSchedule([0.25, 0.5])), ClipNorm = 1 })),
        """{"base":"quick","epochs":2,"sgd":{"momentum":0.5},"schedule":{"type":"cosine","end":0.1},"augmentation":{"crop_padding":4}}"""u8.ToArray(),
    ];

    public override int ShortRun => 3000;

    public override Range Json(ReadOnlySpan<byte> input) => ..input.Length;

    protected override TrainingRecipe Read(string path) => RecipeJson.ReadFile(path);

    protected override void Check(TrainingRecipe value, string path, byte[] input)
    {
        value.Validate();
        string json = RecipeJson.Write(value);
        Assert.Equal(json, RecipeJson.Write(RecipeJson.Read(json)));
        foreach (long step in (long[])[0, 1, 50, 99])
            Assert.InRange(value.Schedule.Factor(step, 100), 0, 1);
    }
}
