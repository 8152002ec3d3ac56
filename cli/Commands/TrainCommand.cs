using System.CommandLine;
using NinCudnn.Cli.Output;
using NinCudnn.Data;
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
    public static Command Create()
    {
        Option<TrainingRecipe> recipe = new("--recipe")
        {
            Description = $"The recipe that further options change: {string.Join(" or ", TrainingRecipe.BuiltIn.Select(r => r.Name))}.",
            HelpName = "name",
            CustomParser = result => SharedOptions.ParseOrReport(result, FindRecipe),
            DefaultValueFactory = _ => TrainingRecipe.Seed,
        };
        Option<string> architecture = new("--arch")
        {
            Description = $"The network: {string.Join(" or ", Architecture.Presets)}.",
            HelpName = "name",
            DefaultValueFactory = _ => "seed",
        };
        architecture.AcceptOnlyFromAmong([.. Architecture.Presets]);
        Option<int?> epochs = SharedOptions.Positive(new("--epochs") { Description = "Passes over the training set.", HelpName = "n" });
        Option<int?> batch = SharedOptions.Positive(new("--batch") { Description = "Samples per step.", HelpName = "n" });
        Option<int?> resize = SharedOptions.Positive(new("--resize") { Description = "Height and width that images are resized to.", HelpName = "pixels" });
        Option<double?> learningRate = new("--learning-rate", "--lr") { Description = "The (peak) learning rate.", HelpName = "rate" };
        Option<string?> schedule = new("--schedule") { Description = "How the learning rate changes: constant or one-cycle.", HelpName = "name" };
        schedule.AcceptOnlyFromAmong("constant", "one-cycle");
        Option<double?> momentum = new("--momentum") { Description = "SGD's momentum.", HelpName = "factor" };
        Option<bool?> nesterov = new("--nesterov") { Description = "Nesterov's form of the momentum." };
        Option<double?> weightDecay = new("--weight-decay") { Description = "Share of each parameter added to its gradient.", HelpName = "factor" };
        Option<string?> initialization = new("--init") { Description = "First parameters: xavier or he.", HelpName = "name" };
        initialization.AcceptOnlyFromAmong("xavier", "he");
        Option<double?> outputScale = new("--output-scale") { Description = "Factor on the last convolution's first weights.", HelpName = "factor" };
        Option<bool?> normalize = new("--normalize") { Description = "Normalise pixels by the training set's mean and deviation." };
        Option<double?> dropout = new("--dropout") { Description = "The rate of the dropout layers.", HelpName = "rate" };
        Option<ulong> seed = new("--seed") { Description = "Determines first parameters, order of samples and dropout.", HelpName = "n" };
        Option<DirectoryInfo?> output = new("--out") { Description = "The run's directory. Without it a new one under ./runs.", HelpName = "directory" };
        Option<int?> limitTrain = SharedOptions.Limit("--limit-train", "training");
        Option<int?> limitTest = SharedOptions.Limit("--limit-test", "test");
        Option<KnownDataset> dataset = SharedOptions.Dataset();
        Option<DirectoryInfo?> data = SharedOptions.DataDirectory();
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<bool> json = SharedOptions.Json();

        var command = new Command("train", "Trains a network. Without options: Dive into Deep Learning's network and recipe on Fashion-MNIST.")
        {
            recipe, architecture, epochs, batch, resize, learningRate, schedule, momentum, nesterov, weightDecay, initialization, outputScale,
            normalize, dropout, seed, dataset, data, limitTrain, limitTest, device, output, json,
        };
        command.SetAction(parsed =>
        {
            TrainingRecipe chosen = parsed.GetRequiredValue(recipe);
            chosen = chosen with
            {
                Epochs = parsed.GetValue(epochs) ?? chosen.Epochs,
                BatchSize = parsed.GetValue(batch) ?? chosen.BatchSize,
                ImageSize = parsed.GetValue(resize) ?? chosen.ImageSize,
                LearningRate = parsed.GetValue(learningRate) ?? chosen.LearningRate,
                Schedule = parsed.GetValue(schedule) switch
                {
                    "constant" => new ConstantSchedule(),
                    "one-cycle" => new OneCycleSchedule(),
                    _ => chosen.Schedule,
                },
                Sgd = new SgdSettings(
                    parsed.GetValue(momentum) ?? chosen.Sgd.Momentum,
                    parsed.GetValue(weightDecay) ?? chosen.Sgd.WeightDecay,
                    parsed.GetValue(nesterov) ?? chosen.Sgd.Nesterov),
                Initialization = parsed.GetValue(initialization) switch
                {
                    "xavier" => Initialization.Xavier,
                    "he" => Initialization.He,
                    _ => chosen.Initialization,
                },
                NormalizeInput = parsed.GetValue(normalize) ?? chosen.NormalizeInput,
                DropoutRate = parsed.GetValue(dropout) ?? chosen.DropoutRate,
            };
            if (parsed.GetValue(outputScale) is { } scale)
                chosen = chosen with { Initialization = chosen.Initialization with { OutputScale = scale } };
            chosen.Validate(); // before anything is loaded or made

            KnownDataset source = parsed.GetRequiredValue(dataset);
            ImageDataset trainSet = SharedOptions.Load(source, parsed.GetValue(data), DatasetSplit.Train, parsed.GetValue(limitTrain));
            ImageDataset testSet = SharedOptions.Load(source, parsed.GetValue(data), DatasetSplit.Test, parsed.GetValue(limitTest));
            Architecture network = Architecture.Preset(parsed.GetRequiredValue(architecture), trainSet.Channels, trainSet.Classes);
            network.InferShapes(chosen.BatchSize, chosen.ImageSize, chosen.ImageSize);

            using var interruption = new Interruption();
            using Device target = Device.Open(parsed.GetRequiredValue(device));
            using var trainer = new Trainer(target, network, chosen, trainSet, testSet, parsed.GetValue(seed));
            using RunDirectory directory = RunDirectory.Create(parsed.GetValue(output)?.FullName, chosen.Name);
            var run = new RunInfo(parsed.GetValue(seed), source.Name, trainer.Model, target.Provider == NativeProvider.Cuda ? "cuda" : "cpu", directory);
            return Train(trainer, run, CreateReporter(parsed.GetValue(json), run), interruption.Token);
        });
        return command;
    }

    private static int Train(Trainer trainer, RunInfo run, RunReporter reporter, CancellationToken stop)
    {
        var metrics = new JsonReporter(run.Directory.Metrics, run);
        TrainingResult result = reporter.Around(() => trainer.Train(new Observers(reporter, metrics), stop));
        new ModelFile(trainer.Model, trainer.Parameters.DownloadValues()).Save(run.Directory.ModelPath);
        metrics.Ended(result);
        reporter.Ended(result);
        return result.IsStopped ? ExitCode.Interrupted : ExitCode.Success;
    }

    private static RunReporter CreateReporter(bool json, RunInfo run) =>
        json ? new JsonReporter(Console.Out, run)
        : Console.IsOutputRedirected ? new PlainReporter(Console.Out, run)
        : new TerminalReporter(AnsiConsole.Console, run);

    private static TrainingRecipe FindRecipe(string name) =>
        TrainingRecipe.BuiltIn.FirstOrDefault(recipe => recipe.Name == name)
            ?? throw new ArgumentException($"there is no recipe '{name}'; there are {string.Join(", ", TrainingRecipe.BuiltIn.Select(recipe => recipe.Name))}");
}
