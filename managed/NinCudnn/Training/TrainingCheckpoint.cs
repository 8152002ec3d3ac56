using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Data;
using NinCudnn.Formats;
using NinCudnn.Networks;
using NinCudnn.Operators;

namespace NinCudnn.Training;

/// <summary>
/// Everything that a run is after a step, in host memory: a trainer that <see cref="Trainer.Restore">takes it over</see> goes on as if it had
/// never been interrupted, to the last bit.
/// </summary>
/// <remarks>
/// Its file is safetensors. The tensors under PyTorch's names are the model, so that it can be read as a <see cref="ModelFile"/> too;
/// <c>momentum.*</c> are the momentum buffers, and where the model is a moving average, <c>trained.*</c> the parameters that are trained. The
/// metadata's <c>nin.training</c> holds the rest as JSON, and the last tensor is a checksum of the whole file.
/// </remarks>
public sealed record TrainingCheckpoint
{
    internal const int CurrentFormat = 1;
    private const string TrainingKey = "nin.training";
    private const string MomentumPrefix = "momentum.";
    private const string TrainedPrefix = "trained.";

    /// <summary>The network and how its input is made.</summary>
    public required ModelDescription Model { get; init; }

    /// <summary>How it is trained.</summary>
    public required TrainingRecipe Recipe { get; init; }

    /// <summary>The run's seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>How the recipe was carried out.</summary>
    public required ExecutionSettings Execution { get; init; }

    /// <summary>What was learnt from.</summary>
    public required DatasetIdentity TrainSet { get; init; }

    /// <summary>What was measured on.</summary>
    public required DatasetIdentity TestSet { get; init; }

    /// <summary>How far the run was.</summary>
    public required TrainingPosition Position { get; init; }

    /// <summary>Dynamic loss scaling's state, and which steps were skipped.</summary>
    public LossScalerState? LossScaler { get; init; }

    /// <summary>The parameters that are trained, by name, in PyTorch's order.</summary>
    public required IReadOnlyDictionary<string, float[]> Parameters { get; init; }

    /// <summary>The momentum buffers; null where the recipe has no momentum.</summary>
    public IReadOnlyDictionary<string, float[]>? Momentum { get; init; }

    /// <summary>The parameters' moving average; null where the recipe has none.</summary>
    public IReadOnlyDictionary<string, float[]>? Average { get; init; }

    /// <summary>What the program that wrote it added, by keys of its own.</summary>
    public IReadOnlyDictionary<string, string> Notes { get; init; } = new Dictionary<string, string>();

    /// <summary>The version of NinCudnn that wrote it.</summary>
    public string Version { get; init; } = typeof(TrainingCheckpoint).Assembly.GetName().Version!.ToString(3);

    /// <summary>The model as it was.</summary>
    public ModelFile ToModel() => new(Model, Average ?? Parameters);

    /// <summary>Refuses to go on with something else than what the run was made of.</summary>
    /// <exception cref="ArgumentException">The message says what differs.</exception>
    internal void CheckFits(Architecture architecture, TrainingRecipe recipe, ulong seed, ExecutionSettings execution)
    {
        // The names are for people, and with a constant rate an epoch more or less changes nothing that was done before.
        TrainingRecipe own = Recipe with { Name = recipe.Name, Epochs = MayHaveEpochs(recipe) ? recipe.Epochs : Recipe.Epochs };
        JsonElement before = JsonElement.Parse(RecipeJson.Write(own)), now = JsonElement.Parse(RecipeJson.Write(recipe));
        foreach (JsonProperty member in before.EnumerateObject())
            Compare($"the recipe's {member.Name}", member.Value.ToString(), now.GetProperty(member.Name).ToString());
        Compare("the network", ArchitectureJson.Write(Model.Architecture), ArchitectureJson.Write(architecture));
        Compare("the seed", $"{Seed}", $"{seed}");
        Compare("the choice of algorithms", $"{Execution.Algorithms}", $"{execution.Algorithms}");
        Compare("whether algorithms are deterministic", $"{Execution.Deterministic}", $"{execution.Deterministic}");
        Compare("the limit of scratch memory", $"{Execution.WorkspaceLimit}", $"{execution.WorkspaceLimit}");

        static void Compare(string what, string before, string now)
        {
            if (before != now)
                throw new ArgumentException($"{what} was {before} and is {now}, with which the checkpoint's run can't go on as it was");
        }
    }

    /// <summary>Refuses other data.</summary>
    /// <exception cref="InvalidDataException">The message says which.</exception>
    internal void CheckData(DatasetIdentity trainSet, DatasetIdentity testSet)
    {
        foreach (var (name, before, now) in new[] { ("training", TrainSet, trainSet), ("test", TestSet, testSet) })
        {
            if (before != now)
                throw new InvalidDataException($"the {name} images are not those that the run began with: they were {before}, and are {now}");
        }
    }

    /// <summary>Whether a run may go on with a recipe's number of epochs: only a constant rate does not depend on it.</summary>
    internal bool MayHaveEpochs(TrainingRecipe recipe) =>
        recipe.Epochs == Recipe.Epochs || (recipe.Schedule is ConstantSchedule && Recipe.Schedule is ConstantSchedule);

    /// <summary>Writes the file: to a temporary one beside it, which is flushed to the disk and then renamed.</summary>
    /// <exception cref="IOException">It can't be written; an earlier file is left as it was.</exception>
    /// <exception cref="NotSupportedException">The recipe has a schedule of one's own, which JSON can't hold.</exception>
    public void Save(string path)
    {
        SafetensorsWriter writer = ToModel().Writer(hasChecksum: true);
        if (Average is not null)
            Add(TrainedPrefix, Parameters);
        if (Momentum is not null)
            Add(MomentumPrefix, Momentum);
        writer.Metadata[TrainingKey] = JsonSerializer.Serialize(
            new CheckpointDocument(
                CurrentFormat, Version, JsonElement.Parse(RecipeJson.Write(Recipe)), Seed, Execution, TrainSet, TestSet, Position, LossScaler, Notes),
            CheckpointJsonContext.Default.CheckpointDocument);
        writer.Save(path);

        void Add(string prefix, IReadOnlyDictionary<string, float[]> tensors)
        {
            foreach (Parameter parameter in Parameter.Enumerate(Model.Architecture))
                writer.Add(prefix + parameter.Name, parameter.Shape.AsSpan(), tensors[parameter.Name]);
        }
    }

    /// <summary>Reads a file that <see cref="Save"/> wrote.</summary>
    /// <exception cref="InvalidDataException">It is no such file, or damaged; the message says what is wrong.</exception>
    /// <exception cref="IOException">It can't be read.</exception>
    public static TrainingCheckpoint Load(string path)
    {
        using SafetensorsFile file = SafetensorsFile.Open(path);
        if (!file.Metadata.TryGetValue(TrainingKey, out string? json))
            throw new InvalidDataException($"{path}: the metadata has no {TrainingKey}; it is no checkpoint");
        file.VerifyChecksum();
        try
        {
            CheckpointDocument document = JsonSerializer.Deserialize(json, CheckpointJsonContext.Default.CheckpointDocument)
                ?? throw new InvalidDataException($"{TrainingKey} is null");
            if (document.Format != CurrentFormat)
                throw new InvalidDataException($"the checkpoint has the format {document.Format}, this version reads {CurrentFormat}");
            document.Position.Validate();
            if (document.LossScaler is { Scale: not (> 0 and <= float.MaxValue) } scaler)
                throw new InvalidDataException(FormattableString.Invariant($"the loss scale is {scaler.Scale}, but must be positive and finite"));
            TrainingRecipe recipe = RecipeJson.Read(document.Recipe.GetRawText());
            ModelDescription model = ModelFile.ReadDescription(path, file);
            IReadOnlyDictionary<string, float[]> values = ModelFile.ReadParameters(path, file, model.Architecture);
            bool hasAverage = recipe.EmaDecay is not null;
            return new TrainingCheckpoint
            {
                Model = model,
                Recipe = recipe,
                Seed = document.Seed,
                Execution = document.Execution,
                TrainSet = document.TrainSet,
                TestSet = document.TestSet,
                Position = document.Position,
                LossScaler = document.LossScaler,
                Parameters = hasAverage ? ModelFile.ReadParameters(path, file, model.Architecture, TrainedPrefix) : values,
                Average = hasAverage ? values : null,
                Momentum = recipe.Sgd.Momentum > 0 ? ModelFile.ReadParameters(path, file, model.Architecture, MomentumPrefix) : null,
                Notes = document.Notes,
                Version = document.Version,
            };
        }
        catch (Exception e) when (e is JsonException or ArgumentException or InvalidDataException)
        {
            throw new InvalidDataException(MessageText.InFile(path, e.Message), e);
        }
    }
}

internal sealed record CheckpointDocument(
    int Format, string Version, JsonElement Recipe, ulong Seed, ExecutionSettings Execution, DatasetIdentity TrainSet, DatasetIdentity TestSet,
    TrainingPosition Position, LossScalerState? LossScaler, IReadOnlyDictionary<string, string> Notes);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    IgnoreReadOnlyProperties = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, UseStringEnumConverter = true)]
[JsonSerializable(typeof(CheckpointDocument))]
internal sealed partial class CheckpointJsonContext : JsonSerializerContext;
