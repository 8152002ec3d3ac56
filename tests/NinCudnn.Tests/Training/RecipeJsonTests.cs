using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

public class RecipeJsonTests
{
    public static TheoryData<TrainingRecipe> Recipes =>
    [
        TrainingRecipe.Seed,
        TrainingRecipe.Quick,
        TrainingRecipe.Seed with
        {
            Name = "mine", Schedule = new WarmUpSchedule(new StepSchedule([0.3, 0.6], 0.5), 0.1), Sgd = new SgdSettings(0.9, 1e-4, true), DropoutRate = 0.25,
            Precision = Precision.BFloat16, Initialization = new Initialization(WeightInitialization.HeUniform, BiasInitialization.UniformByFanIn, 0.5),
        },
        TrainingRecipe.Quick with { Schedule = new CosineSchedule(0.01), DropoutRate = null },
        TrainingRecipe.Quick with { LabelSmoothing = 0.1, ClipNorm = 1, EmaDecay = 0.999, Augmentation = new Augmentation(0.5, 4, 0.25) },
    ];

    [Theory]
    [MemberData(nameof(Recipes))]
    public async Task Read_WhatWasWritten_IsTheSame(TrainingRecipe recipe)
    {
        string json = RecipeJson.Write(recipe);
        Assert.Equal(json, RecipeJson.Write(RecipeJson.Read(json)));
        var schema = await NJsonSchema.JsonSchema.FromJsonAsync(RecipeJson.Schema, TestContext.Current.CancellationToken);
        Assert.Empty(schema.Validate(json));
    }

    [Fact]
    public void Read_Nothing_IsTheSeedRecipe() => Assert.Equal(TrainingRecipe.Seed, RecipeJson.Read("{}"));

    [Fact]
    public void Read_PartOfAnotherRecipe_KeepsTheRest()
    {
        TrainingRecipe recipe = RecipeJson.Read("""
            { "base": "quick", "name": "slower", "epochs": 5, "sgd": { "weight_decay": 0.001 }, "schedule": { "share": 0.1, "after": { "type": "cosine" }, "type": "warm_up" } }
            """);
        Assert.Equal(
            TrainingRecipe.Quick with
            {
                Name = "slower",
                Epochs = 5,
                Sgd = TrainingRecipe.Quick.Sgd with { WeightDecay = 0.001 },
                Schedule = new WarmUpSchedule(new CosineSchedule(), 0.1),
            },
            recipe);
    }

    [Fact]
    public void Read_PartOfAnAugmentation_LeavesTheRestOut() => Assert.Equal(
        TrainingRecipe.Seed with { ClipNorm = 2, Augmentation = new Augmentation(CropPadding: 4) },
        RecipeJson.Read("""{ "clip_norm": 2, "augmentation": { "crop_padding": 4 } }"""));

    [Theory]
    [InlineData("not JSON", "invalid")]
    [InlineData("null", "must be a JSON object")]
    [InlineData("[]", "must be a JSON object")]
    [InlineData("""{"epochs": "ten"}""", "epochs")]
    [InlineData("""{"epochs": 1.5}""", "epochs")]
    [InlineData("""{"epochs": null}""", "epochs")]
    [InlineData("""{"epochs": 0}""", "the number of epochs is 0")]
    [InlineData("""{"epoch": 3}""", "epoch")]
    [InlineData("""{"epochs": 3, "epochs": 4}""", "epochs")]
    [InlineData("""{"base": "slow"}""", "there is no built-in recipe 'slow'; there are seed, quick, best")]
    [InlineData("""{"base": 3}""", "")]
    [InlineData("""{"precision": "fp8"}""", "precision")]
    [InlineData("""{"schedule": {"type": "poly"}}""", "poly")]
    [InlineData("""{"schedule": null}""", "schedule")]
    [InlineData("""{"schedule": {"type": "warm_up", "after": null}}""", "after")]
    [InlineData("""{"schedule": {"type": "step", "decay": 7}}""", "the step schedule's decay is 7")]
    [InlineData("""{"sgd": {"momentum": 1}}""", "the momentum is 1")]
    [InlineData("""{"sgd": {"impulse": 1}}""", "impulse")]
    [InlineData("""{"augmentation": {"crop_padding": -1}}""", "the padding of a crop is -1")]
    [InlineData("""{"augmentation": {"rotation": 5}}""", "rotation")]
    public void Read_Unusable_SaysWhat(string json, string expected)
    {
        var error = Assert.Throws<InvalidDataException>(() => RecipeJson.Read(json));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }
}
