using System.IO.Hashing;
using NinCudnn.Data;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Fuzz.Targets;

/// <summary>Checkpoints, which end in a checksum of what is before it.</summary>
internal sealed class CheckpointTarget() : FuzzTarget<TrainingCheckpoint>("checkpoint")
{
    private const int ChecksumBytes = 16;

    private static readonly Architecture _architecture = new("tiny", 1, 2, [new NinBlock(2, 2, 1, 0, [2]), new GlobalAveragePool(), new Flatten()]);

    public override IReadOnlyList<byte[]> Corpus { get; } =
    [
        SafetensorsTarget.Of(Checkpoint(new TrainingRecipe { ImageSize = 4, Epochs = 3, EmaDecay = 0.5, Sgd = new SgdSettings(0.9) }).Save),
        SafetensorsTarget.Of(Checkpoint(new TrainingRecipe { ImageSize = 4, Epochs = 3, Precision = Precision.Float16 }).Save),
    ];

    public override int ShortRun => 1500;

    public override Range Json(ReadOnlySpan<byte> input) => SafetensorsTarget.JsonOf(input);

    public override byte[] Repair(byte[] input)
    {
        byte[] repaired = SafetensorsTarget.Repaired(input);
        return repaired.Length <= ChecksumBytes ? repaired : [.. repaired[..^ChecksumBytes], .. XxHash128.Hash(repaired.AsSpan(..^ChecksumBytes))];
    }

    protected override TrainingCheckpoint Read(string path) => TrainingCheckpoint.Load(path);

    protected override void Check(TrainingCheckpoint value, string path, byte[] input)
    {
        value.Recipe.Validate();
        TrainingPosition position = value.Position;
        Assert.True(position.Step >= 0 && position.StepInEpoch >= 0 && position.Epoch == position.Epochs.Count + 1);
        Assert.True(position.Elapsed >= TimeSpan.Zero && position.TrainingTime >= TimeSpan.Zero && position.EpochTime >= TimeSpan.Zero);
        Assert.True(value.LossScaler is not { } scaler || (float.IsFinite(scaler.Scale) && scaler.Scale > 0));
        Assert.All(AllTensors(value), tensor => Assert.All(tensor.Value, number => Assert.True(float.IsFinite(number))));

        value.Save(path);
        TrainingCheckpoint again = TrainingCheckpoint.Load(path);
        Assert.Equal(AllTensors(value), AllTensors(again));
        Assert.Equal(RecipeJson.Write(value.Recipe), RecipeJson.Write(again.Recipe));
        Assert.Equal(value.Notes, again.Notes);
        Assert.Equal(position.Epochs, again.Position.Epochs);
        Assert.Equal(position with { Epochs = [] }, again.Position with { Epochs = [] });
        Assert.Equal((value.Seed, value.TrainSet, value.TestSet, value.Execution, value.LossScaler), (again.Seed, again.TrainSet, again.TestSet, again.Execution, again.LossScaler));
        _ = again.ToModel();
    }

    private static KeyValuePair<string, float[]>[] AllTensors(TrainingCheckpoint value) =>
        [.. new[] { value.Parameters, value.Momentum, value.Average }.OfType<IReadOnlyDictionary<string, float[]>>().SelectMany(tensors => tensors)];

    private static TrainingCheckpoint Checkpoint(TrainingRecipe recipe)
    {
        Dictionary<string, float[]> Values(float value) =>
            Parameter.Enumerate(_architecture).ToDictionary(parameter => parameter.Name, parameter => Enumerable.Repeat(value, parameter.Count).ToArray());

        var data = new DatasetIdentity(10, 4, 4, new string('0', 40), new string('1', 40));
        return new TrainingCheckpoint
        {
            Model = new ModelDescription(_architecture, 4, Normalization.None(1), ["left", "right"]),
            Recipe = recipe,
            Seed = 7,
            Execution = new ExecutionSettings(),
            TrainSet = data,
            TestSet = data,
            Position = new TrainingPosition(
                15, 2, 5, new LossSummary(3.5, 4, 5), [new EpochResult(1, 10, new LossSummary(20, 3, 10), new LossSummary(18, 4, 10), 10, TimeSpan.FromSeconds(1))],
                TimeSpan.FromSeconds(0.5), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)),
            LossScaler = LossScalerState.Initial(recipe.Precision.DataType()),
            Parameters = Values(0.5f),
            Momentum = recipe.Sgd.Momentum > 0 ? Values(0.25f) : null,
            Average = recipe.EmaDecay is null ? null : Values(0.75f),
            Notes = new Dictionary<string, string> { ["options"] = "[\"--batch=4\"]" },
        };
    }
}
