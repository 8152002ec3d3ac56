using System.CommandLine;
using NinCudnn.Cli.Output;
using NinCudnn.Cli.Runs;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin train</c></summary>
internal static class TrainCommand
{
    private const int DefaultKeep = 3;

    public static Command Create()
    {
        var recipe = new RecipeOptions();
        Option<ArchitectureChoice> architecture = SharedOptions.Architecture();
        Option<string?> precision = SharedOptions.Precision("the recipe's");
        Option<ulong> seed = new("--seed")
        {
            Description = "Determines first parameters, order of samples, dropout and augmentation; 0 if not given.",
            HelpName = "n",
            CustomParser = result => SharedOptions.ParseOrReport(result, text => SharedOptions.ParseSeed("--seed", text)),
        };
        Option<string?> resume = new("--resume")
        {
            Description = "Go on with a run that was interrupted, from its newest checkpoint or from this one; it keeps its options.",
            HelpName = "run",
        };
        Option<int?> checkpointEvery = SharedOptions.Positive(new("--checkpoint-every")
        {
            Description = "Steps between checkpoints within an epoch; without it there is one at each epoch's end.",
            HelpName = "steps",
        });
        Option<int?> keep = SharedOptions.WholeNumber(new("--keep")
        {
            Description = $"Keep the newest so many checkpoints, and that of the best epoch; {DefaultKeep} if not given, 0 writes none.",
            HelpName = "n",
        });
        Option<string?> onNonFinite = SharedOptions.OneOf(
            new("--on-nonfinite") { HelpName = "action", DefaultValueFactory = _ => RecipeNames.NonFiniteActions.First().Key },
            "What the run does at a step whose loss or gradients are infinite or NaN", RecipeNames.NonFiniteActions.Keys);
        Option<bool> debugNumerics = new("--debug-numerics") { Description = "Look at what every operator computes, and stop at the first infinity or NaN. Slow." };
        Option<int?> restartOnDead = SharedOptions.WholeNumber(new("--restart-on-dead")
        {
            Description = "Begin again with the next seed when the network has died, at most so many times; 0 if not given.",
            HelpName = "n",
        });
        Option<DirectoryInfo?> output = SharedOptions.Directory(new("--output") { Description = "The run's directory. Without it a new one under ./runs." });
        Option<int?> limitTrain = SharedOptions.Limit("--limit-train", "training");
        Option<int?> limitTest = SharedOptions.Limit("--limit-test", "test");
        var data = new DatasetOptions();
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<bool> json = SharedOptions.Json();
        Option<bool> noReport = new("--no-report") { Description = "Write no curves.png and no report.html, for which a few steps are run to time the layers." };
        Option<bool> tensorBoard = new("--tensorboard") { Description = "Write event files for TensorBoard into the run's directory." };
        ExecutionOptions execution = SharedOptions.Execution();

        var command = new Command("train", "Trains a network. Without options: Dive into Deep Learning's network and recipe on Fashion-MNIST.");
        command.Add(architecture);
        recipe.AddTo(command);
        Option[] others =
        [
            precision, seed, limitTrain, limitTest, device, output, resume, checkpointEvery, keep, onNonFinite, debugNumerics, restartOnDead, noReport,
            tensorBoard, json,
        ];
        Array.ForEach(others, command.Add);
        data.AddTo(command);
        execution.AddTo(command);
        command.SetAction(given =>
        {
            ResumedRun? resumed = given.GetValue(resume) is { } path ? ResumedRun.Open(path) : null;
            ParseResult parsed = resumed?.Complete(given) ?? given;
            TrainingRecipe chosen = recipe.Parse(parsed, given, resumed?.Checkpoint.Recipe); // before anything is loaded or made
            ulong chosenSeed = resumed is null || CommandTree.IsGiven(given, seed) ? parsed.GetValue(seed) : resumed.Checkpoint.Seed;
            ExecutionSettings settings = execution.Parse(parsed) with { DataPlacement = data.Placement(parsed) };
            if (parsed.GetValue(checkpointEvery) is not null && parsed.GetValue(keep) == 0)
                throw new ArgumentException("--checkpoint-every and --keep 0, which writes no checkpoints, exclude each other");
            if (resumed is not null)
            {
                Precision asked = parsed.GetValue(precision) is { } name and not PrecisionChoice.Auto ? RecipeNames.Precisions[name] : chosen.Precision;
                resumed.Check(chosen with { Precision = asked });
                ResumedRun.Check("--seed", $"{resumed.Checkpoint.Seed}", $"{chosenSeed}");
                resumed.Check(limitTrain, parsed);
                resumed.Check(limitTest, parsed);
                resumed.Check(settings);
            }

            bool isJson = parsed.GetValue(json), isLive = !isJson && Terminal.IsLive;
            using var interruption = new Interruption(isLive);
            DataSource source = data.Parse(parsed);
            var (trainSet, testSet) = source.LoadBoth(
                (parsed.GetValue(limitTrain), parsed.GetValue(limitTest)), chosen.ImageSize, new LoadingReporter(isLive, isJson, interruption.Token));
            Architecture network = resumed is null || CommandTree.IsGiven(given, architecture)
                ? parsed.GetRequiredValue(architecture).For(trainSet.Channels, trainSet.Classes)
                : resumed.Checkpoint.Model.Architecture;
            network.InferShapes(chosen.BatchSize, chosen.ImageSize, chosen.ImageSize);

            using Device target = Device.Open(parsed.GetRequiredValue(device));
            var task = new TrainingTask(target, network, chosen, PrecisionChoice.Of(parsed.GetValue(precision), chosen.Precision, target), trainSet, testSet, settings)
            {
                Dataset = source.Name,
                IsBatchSearched = resumed is null && recipe.IsBatchSearched(parsed),
            };
            var attempts = new TrainingAttempts(task, chosenSeed, resumed)
            {
                Output = parsed.GetValue(output)?.FullName,
                CommandLine = [.. given.Tokens.Select(token => token.Value)],
                Options = parsed,
                Keep = parsed.GetValue(keep) ?? DefaultKeep,
                CheckpointEvery = parsed.GetValue(checkpointEvery),
                OnNonFinite = RecipeNames.NonFiniteActions[parsed.GetValue(onNonFinite)!],
                DebugNumerics = parsed.GetValue(debugNumerics),
                MaxRestarts = parsed.GetValue(restartOnDead) ?? 0,
                WritesReport = !parsed.GetValue(noReport),
                WritesTensorBoard = parsed.GetValue(tensorBoard),
            };
            return attempts.Run(run => RunReporter.Create(run, isJson, isLive), interruption.Token) ? ExitCode.Success : ExitCode.Interrupted;
        });
        return command;
    }
}
