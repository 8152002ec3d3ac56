using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using NinCudnn.Cli.Output;
using NinCudnn.Cli.Runs;
using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;
using NinCudnn.Training;
using Spectre.Console;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin eval</c></summary>
internal static class EvalCommand
{
    private const int DefaultBatch = 128;

    public static Command Create()
    {
        Option<string> checkpoint = SharedOptions.Checkpoint();
        Option<int?> batch = SharedOptions.Positive(new("--batch") { Description = $"Samples per batch, {DefaultBatch} if not given.", HelpName = "n" });
        Option<int?> limitTest = SharedOptions.Limit("--limit-test", "test");
        var data = new DatasetOptions();
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<string?> precision = SharedOptions.Precision("fp32");
        Option<bool> json = SharedOptions.Json();
        ExecutionOptions execution = SharedOptions.Execution();

        var command = new Command("eval", "Measures a trained model on the test set.") { checkpoint, batch, limitTest, precision, device, json };
        data.AddTo(command);
        execution.AddTo(command);
        command.SetAction(parsed =>
        {
            string path = RunDirectory.FindModel(parsed.GetRequiredValue(checkpoint));
            ModelFile model = ModelFile.Load(path);
            bool isJson = parsed.GetValue(json), isLive = !isJson && Terminal.IsLive;
            using var interruption = new Interruption(isLive);
            DataSource source = data.Parse(parsed);
            ImageDataset testSet = source.LoadTest(
                parsed.GetValue(limitTest), model.Description.ImageSize, model.Description.Architecture.InputChannels,
                new LoadingReporter(isLive, isJson, interruption.Token));
            model.Description.CheckFits(testSet);

            using Device target = Device.Open(parsed.GetRequiredValue(device));
            using DeviceStream stream = target.CreateStream();
            using var arena = new DeviceArena(target);
            var (made, _) = PrecisionChoice.Of(parsed.GetValue(precision), Precision.Float32, target).Make(used =>
            {
                var store = new ParameterStore(target, model.Description.Architecture, used);
                try
                {
                    store.Load(model.Parameters);
                    int samples = parsed.GetValue(batch) ?? DefaultBatch;
                    ExecutionSettings settings = execution.Parse(parsed) with { DataPlacement = data.Placement(parsed) };
                    return (Store: store, Evaluator: new Evaluator(stream, model.Description, store, arena, testSet, samples, settings));
                }
                catch
                {
                    store.Dispose();
                    throw;
                }
            });
            using ParameterStore parameters = made.Store;
            using Evaluator evaluator = made.Evaluator;
            if (!isJson && ReportText.Streaming(null, evaluator.Placement, evaluator.PlacementReason) is { } streaming)
                Console.WriteLine($"streaming {streaming}");
            var predictions = new TestPredictions(testSet);
            var time = Stopwatch.StartNew();
            LossSummary result = isLive
                ? EvaluateLive(evaluator, predictions, interruption.Token)
                : evaluator.Evaluate(logits: predictions.Add, stop: interruption.Token);
            double rate = result.Samples / time.Elapsed.TotalSeconds;

            if (isJson)
            {
                var evaluation = new EvaluationEvent(
                    "evaluation", path, source.Name, testSet.Count, result.Loss, result.Accuracy, rate, target.Name,
                    ReportText.Of(evaluator.Placement), evaluator.PlacementReason,
                    ConfusionText.Classes(predictions.Confusion, testSet.ClassNames), ConfusionText.Cells(predictions.Confusion, testSet.ClassNames));
                Console.WriteLine(JsonSerializer.Serialize(evaluation, JsonEventsContext.Default.EvaluationEvent));
                return ExitCode.Success;
            }
            Console.WriteLine(FormattableString.Invariant(
                $"test loss {result.Loss:0.0000}, test accuracy {result.Accuracy:0.0000} on {result.Samples} images of {source.Name} ({ReportText.Rate(rate)} on {target.Name})"));
            ConfusionText.Write(Console.Out, predictions.Confusion, testSet.ClassNames);
            return ExitCode.Success;
        });
        return command;
    }

    private static LossSummary EvaluateLive(Evaluator evaluator, TestPredictions predictions, CancellationToken stop) =>
        AnsiConsole.Progress().AutoClear(true).Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn()).Start(context =>
        {
            ProgressTask task = context.AddTask("evaluating", maxValue: 1);
            return evaluator.Evaluate(share => task.Value = share, predictions.Add, stop);
        });
}
