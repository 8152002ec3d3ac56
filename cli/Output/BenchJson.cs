using System.Text.Json;
using System.Text.Json.Serialization;
using NinCudnn.Benchmarks;

namespace NinCudnn.Cli.Output;

// The document of `nin bench --json`; docs/json.md describes the fields.

internal sealed record BenchDocument(
    string Version, string Device, string Provider, string Architecture, int Batch, int ImageSize, string Precision, string Mode, int Repetitions,
    double SamplesPerSecond, BenchTime Step, BenchTime EnqueueReplayed, BenchTime? EnqueueEager, long DeviceBytes, long PeakResidentBytes,
    double? PeakFlopPerSecond, double? PeakBytesPerSecond, IReadOnlyList<BenchLayer> Layers);

internal sealed record BenchTime(double Median, double Low, double High);

internal sealed record BenchLayer(
    string Layer, string Pass, BenchTime Seconds, double Share, double Flop, double Bytes, double ShareOfPeak, long WorkspaceBytes, string? Method);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(BenchDocument))]
internal sealed partial class BenchJsonContext : JsonSerializerContext;

/// <summary>A benchmark for programs: one JSON document.</summary>
internal static class BenchJson
{
    public static void Write(TextWriter output, BenchReport report)
    {
        BenchmarkOptions options = report.Options;
        var document = new BenchDocument(
            AppVersion.Text, report.Device.Name, report.Device.Provider == Interop.NativeProvider.Cuda ? "cuda" : "cpu", report.Network.Name,
            options.Batch, options.ImageSize, RecipeNames.Of(options.Precision), options.Inference ? "inference" : "training", options.Repetitions,
            report.SamplesPerSecond, Time(report.Run.Replayed), Time(report.Run.EnqueueReplayed), report.Run.EnqueueEager is { } eager ? Time(eager) : null,
            report.ArenaBytes, System.Diagnostics.Process.GetCurrentProcess().PeakWorkingSet64, report.Peaks?.FlopsPerSecond, report.Peaks?.BytesPerSecond,
            [
                .. report.Steps.Select(step => new BenchLayer(
                    step.Step.Layer, step.Step.Kind.ToString(), Time(step.Time), step.Time.Median / report.StepsTime, step.Flops, step.Step.Bytes,
                    report.ShareOfPeak(step), step.Step.WorkspaceBytes, step.Step.Method)),
            ]);
        output.WriteLine(JsonSerializer.Serialize(document, BenchJsonContext.Default.BenchDocument));
    }

    private static BenchTime Time(Timing timing) => new(timing.Median.TotalSeconds, timing.Low.TotalSeconds, timing.High.TotalSeconds);
}
