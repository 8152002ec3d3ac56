using System.CommandLine;
using System.Globalization;
using NinCudnn.Cli.Output;
using NinCudnn.Cli.Runs;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Training;
using Spectre.Console;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin train</c></summary>
internal static class TrainCommand
{
    private const int DefaultKeep = 3;

    public static Command Create()
    {
        Option<RecipeChoice> recipe = new("--recipe")
        {
            Description = $"The recipe, whose values hold where no option is given: {RecipeChoice.Choices} (nin recipe).",
            HelpName = "name",
            CustomParser = result => SharedOptions.ParseOrReport(result, RecipeChoice.Parse),
            DefaultValueFactory = _ => RecipeChoice.Seed,
        };
        recipe.CompletionSources.Add([.. TrainingRecipe.BuiltIn.Select(built => built.Name)]);
        Option<ArchitectureChoice> architecture = SharedOptions.Architecture();
        Option<int?> epochs = SharedOptions.Positive(new("--epochs") { Description = "Passes over the training set.", HelpName = "n" });
        Option<BatchRequest?> batch = new("--batch")
        {
            Description = "Samples per step; auto takes as many as fit the device.",
            HelpName = "n|auto",
            CustomParser = result => SharedOptions.ParseOrReport<BatchRequest?>(result, BatchRequest.Parse),
        };
        batch.CompletionSources.Add("auto");
        Option<int?> resize = SharedOptions.Positive(new("--resize") { Description = "Height and width that images are resized to.", HelpName = "pixels" });
        Option<double?> learningRate = SharedOptions.NonNegative(new("--learning-rate", "--lr") { Description = "The (peak) learning rate.", HelpName = "rate" });
        Option<string?> schedule = SharedOptions.OneOf(new("--schedule") { HelpName = "name" }, "How the learning rate changes", RecipeNames.Schedules.Keys);
        Option<double?> warmUp = SharedOptions.NonNegative(new("--warm-up") { Description = "Share of the steps in which the rate rises first, below 1.", HelpName = "share" });
        Option<double?> momentum = SharedOptions.NonNegative(new("--momentum") { Description = "SGD's momentum, below 1.", HelpName = "factor" });
        Option<bool?> nesterov = new("--nesterov") { Description = "Nesterov's form of the momentum." };
        Option<double?> weightDecay = SharedOptions.NonNegative(new("--weight-decay") { Description = "Share of each parameter added to its gradient.", HelpName = "factor" });
        Option<string?> initialization = SharedOptions.OneOf(new("--init") { HelpName = "name" }, "First parameters", RecipeNames.Initializations.Keys);
        Option<double?> outputScale = SharedOptions.NonNegative(new("--output-scale") { Description = "Factor on the last convolution's first weights.", HelpName = "factor" });
        Option<double?> outputBias = SharedOptions.NonNegative(new("--output-bias") { Description = "Added to the last convolution's first biases.", HelpName = "value" });
        Option<bool?> normalize = new("--normalize") { Description = "Normalise pixels by the training set's mean and deviation." };
        Option<double?> dropout = SharedOptions.NonNegative(new("--dropout") { Description = "The rate of the dropout layers, below 1.", HelpName = "rate" });
        Option<double?> labelSmoothing = SharedOptions.NonNegative(new("--label-smoothing") { Description = "Share of the loss's target that all classes divide among them, below 1.", HelpName = "share" });
        Option<double?> clipNorm = SharedOptions.NonNegative(new("--clip-norm") { Description = "Scale gradients down to this global norm where theirs is larger.", HelpName = "norm" });
        Option<double?> ema = SharedOptions.NonNegative(new("--ema") { Description = "Evaluate and save a moving average of the parameters; its decay, below 1.", HelpName = "decay" });
        Option<double?> flip = SharedOptions.NonNegative(new("--flip") { Description = "Probability that a training image is flipped left to right.", HelpName = "probability" });
        Option<int?> crop = SharedOptions.WholeNumber(new("--crop") { Description = "Shift training images by up to so many of their own pixels, each way.", HelpName = "pixels" });
        Option<double?> erase = SharedOptions.NonNegative(new("--erase") { Description = "Probability that a rectangle of a training image is made black.", HelpName = "probability" });
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

        var command = new Command("train", "Trains a network. Without options: Dive into Deep Learning's network and recipe on Fashion-MNIST.")
        {
            recipe, architecture, epochs, batch, resize, learningRate, schedule, warmUp, momentum, nesterov, weightDecay, initialization, outputScale,
            outputBias, normalize, dropout, labelSmoothing, clipNorm, ema, flip, crop, erase, precision, seed, limitTrain, limitTest, device, output, resume, checkpointEvery, keep, onNonFinite, debugNumerics, restartOnDead, noReport, tensorBoard, json,
        };
        data.AddTo(command);
        execution.AddTo(command);
        command.SetAction(given =>
        {
            ResumedRun? resumed = given.GetValue(resume) is { } path ? ResumedRun.Open(path) : null;
            ParseResult parsed = resumed?.Complete(given) ?? given;
            TrainingRecipe chosen = resumed is null || CommandTree.IsGiven(given, recipe) ? parsed.GetRequiredValue(recipe).Recipe : resumed.Checkpoint.Recipe;
            ulong chosenSeed = resumed is null || CommandTree.IsGiven(given, seed) ? parsed.GetValue(seed) : resumed.Checkpoint.Seed;
            chosen = chosen with
            {
                Epochs = parsed.GetValue(epochs) ?? chosen.Epochs,
                BatchSize = parsed.GetValue(batch) is { Size: { } batchSize } ? batchSize : chosen.BatchSize,
                ImageSize = parsed.GetValue(resize) ?? chosen.ImageSize,
                LearningRate = parsed.GetValue(learningRate) ?? chosen.LearningRate,
                Schedule = parsed.GetValue(schedule) is { } scheduleName ? RecipeNames.Schedules[scheduleName] : chosen.Schedule,
                Sgd = new SgdSettings(
                    parsed.GetValue(momentum) ?? chosen.Sgd.Momentum,
                    parsed.GetValue(weightDecay) ?? chosen.Sgd.WeightDecay,
                    parsed.GetValue(nesterov) ?? chosen.Sgd.Nesterov),
                Initialization = (parsed.GetValue(initialization) is { } initializationName ? RecipeNames.Initializations[initializationName] : chosen.Initialization) with
                {
                    OutputScale = parsed.GetValue(outputScale) ?? chosen.Initialization.OutputScale,
                    OutputBias = parsed.GetValue(outputBias) ?? chosen.Initialization.OutputBias,
                },
                NormalizeInput = parsed.GetValue(normalize) ?? chosen.NormalizeInput,
                DropoutRate = parsed.GetValue(dropout) ?? chosen.DropoutRate,
                LabelSmoothing = parsed.GetValue(labelSmoothing) ?? chosen.LabelSmoothing,
                ClipNorm = parsed.GetValue(clipNorm) ?? chosen.ClipNorm,
                EmaDecay = parsed.GetValue(ema) ?? chosen.EmaDecay,
            };
            if (parsed.GetValue(warmUp) is { } rising)
                chosen = chosen with { Schedule = new WarmUpSchedule(chosen.Schedule is WarmUpSchedule before ? before.After : chosen.Schedule, rising) };
            Augmentation augmentation = chosen.Augmentation ?? Augmentation.None;
            augmentation = new Augmentation(
                parsed.GetValue(flip) ?? augmentation.HorizontalFlip,
                parsed.GetValue(crop) ?? augmentation.CropPadding,
                parsed.GetValue(erase) ?? augmentation.ErasingProbability);
            chosen = chosen with { Augmentation = augmentation == Augmentation.None ? null : augmentation };
            chosen.Validate(); // before anything is loaded or made
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
            PrecisionChoice choice = PrecisionChoice.Of(parsed.GetValue(precision), chosen.Precision, target);
            RunDirectory? directory = null;
            List<RunDeath> deaths = [.. resumed is null ? [] : RunOptions.ReadDeaths(resumed.Checkpoint)];
            try
            {
                while (true)
                {
                    RunOutcome outcome = Attempt();
                    if (outcome.Death is not { } death)
                        return outcome.IsFinished ? ExitCode.Success : ExitCode.Interrupted;
                    deaths.Add(new RunDeath(chosenSeed, death.Epoch, death.Step, death.Since));
                    chosenSeed++;
                    resumed = null;
                    directory!.BeginAgain();
                }
            }
            finally
            {
                directory?.Dispose();
            }

            RunOutcome Attempt()
            {
                (Trainer made, choice) = choice.Make(used =>
                {
                    TrainingRecipe recipe = chosen with { Precision = used };
                    if (resumed is null && parsed.GetValue(batch) is { Size: null })
                        recipe = recipe with { BatchSize = BatchSearch.Largest(target, network, recipe, trainSet, testSet, settings) };
                    return new Trainer(target, network, recipe, trainSet, testSet, chosenSeed, settings);
                });
                using Trainer trainer = made;
                trainer.OnNonFinite = RecipeNames.NonFiniteActions[parsed.GetValue(onNonFinite)!];
                trainer.DebugNumerics = parsed.GetValue(debugNumerics);
                resumed?.Restore(trainer);
                directory ??= resumed is null
                    ? RunDirectory.Create(parsed.GetValue(output)?.FullName, chosen.Name)
                    : RunDirectory.Resume(resumed.Directory, resumed.Checkpoint.Position);
                if ((parsed.GetValue(keep) ?? DefaultKeep) is > 0 and var kept)
                {
                    trainer.Checkpoints = new CheckpointSettings(new CheckpointDirectory(RunDirectory.CheckpointsIn(directory.Path)))
                    {
                        Keep = kept,
                        EverySteps = parsed.GetValue(checkpointEvery),
                        Notes = RunOptions.Notes(parsed, deaths),
                    };
                    if (resumed is null && deaths.Count > 0)
                        ReplaceCheckpoints(trainer, trainer.Checkpoints);
                }
                var run = new RunInfo(chosenSeed, source.Name, trainer.Model, target.Provider == NativeProvider.Cuda ? "cuda" : "cpu", choice, directory)
                {
                    CommandLine = [.. given.Tokens.Select(token => token.Value)],
                    Deaths = [.. deaths],
                    RestartsLeft = Math.Max((parsed.GetValue(restartOnDead) ?? 0) - deaths.Count, 0),
                    Resumed = resumed,
                };
                RunReporter reporter = isJson ? new JsonReporter(Console.Out, run)
                    : isLive ? new TerminalReporter(AnsiConsole.Console, run)
                    : new PlainReporter(Console.Out, run);
                if (run.RestartsLeft > 0 && resumed?.Checkpoint.Position.Death is { } death)
                {
                    reporter.Died(death); // before it was interrupted, or when it had no restart left
                    return new RunOutcome(false, death);
                }
                var training = new RecordedTraining(trainer, run, settings, trainSet, testSet, reporter, isLive)
                {
                    WritesReport = !parsed.GetValue(noReport),
                    WritesTensorBoard = parsed.GetValue(tensorBoard),
                };
                return training.Run(interruption.Token);
            }
        });
        return command;
    }

    /// <summary>
    /// Puts a trainer that begins in place of another whose checkpoints are there. Until its own is, the run goes on from the other's, which is dead, and
    /// begins again.
    /// </summary>
    private static void ReplaceCheckpoints(Trainer trainer, CheckpointSettings settings)
    {
        TrainingCheckpoint first = trainer.DownloadCheckpoint(settings.Notes);
        first.Save(settings.Directory.FileOf(first.Position.Step));
        trainer.Restore(first); // by which it takes the later ones for its own, and deletes them
    }
}

/// <summary>How many samples a step is to take.</summary>
/// <param name="Size">The number; null for as many as fit.</param>
internal readonly record struct BatchRequest(int? Size)
{
    /// <exception cref="FormatException">The text is neither a number of at least 1 nor auto.</exception>
    public static BatchRequest? Parse(string text)
    {
        if (text == "auto")
            return new BatchRequest(null);
        return int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out int size) && size >= 1
            ? new BatchRequest(size)
            : throw new FormatException($"--batch is '{text}', but must be auto or a whole number between 1 and {int.MaxValue}");
    }
}
