using System.CommandLine;
using NinCudnn.Benchmarks;
using NinCudnn.Cli.Output;
using NinCudnn.Cli.Plots;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Networks;

namespace NinCudnn.Cli.Commands;

/// <summary><c>nin bench</c></summary>
internal static class BenchCommand
{
    public static Command Create()
    {
        var defaults = new BenchmarkOptions();
        Option<ArchitectureChoice> architecture = SharedOptions.Architecture();
        Option<int?> batch = SharedOptions.Positive(new("--batch") { Description = $"Samples per step, {defaults.Batch} if not given.", HelpName = "n" });
        Option<int?> resize = SharedOptions.Positive(new("--resize") { Description = "Height and width of the input; those that the network is meant for if not given, or 224.", HelpName = "pixels" });
        Option<int?> repetitions = SharedOptions.Positive(new("--repetitions")
        {
            Description = $"Measured runs, {defaults.Repetitions} if not given.",
            HelpName = "n",
        });
        Option<string?> precision = SharedOptions.Precision("fp32");
        Option<bool> inference = new("--inference") { Description = "Measure a forward pass in place of a training step." };
        Option<bool> stepOnly = new("--step-only") { Description = "Measure the whole step only." };
        Option<string?> model = SharedOptions.OneOf(
            new("--model") { HelpName = "gpu" }, "Measure nothing, but compute lower bounds for a GPU from its data sheet", GpuModel.All.Select(gpu => gpu.Name));
        Option<bool> csv = new("--csv") { Description = "Write the layers as comma-separated values." };
        Option<FileInfo?> plot = SharedOptions.File(new("--plot") { Description = "Draw roofline and layer times into a picture, .png or .svg." });
        Option<DeviceRequest> device = SharedOptions.Device();
        Option<bool> json = SharedOptions.Json();
        ExecutionOptions execution = SharedOptions.Execution();

        var command = new Command("bench", "Measures a training step layer by layer, on synthetic data.")
        {
            architecture, batch, resize, precision, repetitions, inference, stepOnly, model, plot, device, json, csv,
        };
        execution.AddTo(command);
        command.SetAction(parsed =>
        {
            string? picture = parsed.GetValue(plot)?.FullName;
            bool isStepOnly = parsed.GetValue(stepOnly);
            if (picture is not null)
            {
                Picture.CheckName(picture);
                if (isStepOnly || parsed.GetValue(model) is not null)
                    throw new ArgumentException("--plot needs the layers' times, which are not measured with --step-only or --model");
            }
            ArchitectureChoice chosen = parsed.GetRequiredValue(architecture);
            Architecture network = chosen.For();
            var settings = execution.Parse(parsed);
            var options = new BenchmarkOptions
            {
                Batch = parsed.GetValue(batch) ?? defaults.Batch,
                ImageSize = parsed.GetValue(resize) ?? chosen.ImageSize ?? defaults.ImageSize,
                Inference = parsed.GetValue(inference),
                Repetitions = parsed.GetValue(repetitions) ?? defaults.Repetitions,
                Execution = settings,
            };
            network.InferShapes(options.Batch, options.ImageSize, options.ImageSize);
            using Device target = Device.Open(parsed.GetRequiredValue(device));
            var (made, choice) = PrecisionChoice.Of(parsed.GetValue(precision), Precision.Float32, target)
                .Make(used => new NetworkBenchmark(target, network, options with { Precision = used }));
            options = options with { Precision = choice.Precision };
            using NetworkBenchmark benchmark = made;
            if (parsed.GetValue(model) is { } gpu)
            {
                BenchText.WriteModel(Console.Out, network, options, benchmark.Steps, GpuModel.All.First(known => known.Name == gpu));
                return ExitCode.Success;
            }

            RunTiming run = benchmark.MeasureRuns(eager: !isStepOnly);
            var report = new BenchReport(
                target, network, options, benchmark.ArenaBytes, run, isStepOnly ? null : benchmark.MeasurePeaks(), isStepOnly ? [] : benchmark.MeasureSteps());
            if (parsed.GetValue(json))
                BenchJson.Write(Console.Out, report);
            else if (parsed.GetValue(csv))
                BenchText.WriteCsv(Console.Out, report);
            else
                BenchText.Write(Console.Out, report);
            if (picture is not null)
                BenchPlot.Save(picture, report);
            return ExitCode.Success;
        });
        return command;
    }
}
