using System.Collections.Immutable;
using System.Globalization;
using NinCudnn.Benchmarks;
using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Cli.Output;

/// <summary>A benchmark for people, and as comma-separated values.</summary>
internal static class BenchText
{
    private static readonly string[] _csvHeader =
    [
        "layer", "pass", "median_ms", "low_ms", "high_ms", "share", "gflop_per_s", "gb_per_s", "flop_per_byte", "share_of_peak", "workspace_bytes", "method",
    ];

    public static void Write(TextWriter output, BenchReport report)
    {
        output.WriteLine(Title(report.Network, report.Options, report.Device.Name));
        if (report.Peaks is { } peaks)
        {
            output.WriteLine(Invariant($"peaks   {peaks.FlopsPerSecond / 1e9:N0} GFLOP/s in a matrix product, {peaks.BytesPerSecond / 1e9:N1} GB/s in a copy"));
            TextTable.Write(
                output,
                ["layer", "pass", "method", "workspace", "ms", "±", "step", "GFLOP/s", "GB/s", "FLOP/B", "of peak"],
                [.. report.Steps.Select(step => Row(report, step))],
                firstNumber: 3);
            output.WriteLine(Invariant(
                $"forward {Milliseconds(report.TimeOf(PlanStepKind.Input, PlanStepKind.Forward, PlanStepKind.Loss))} ms, backward {Milliseconds(report.TimeOf(PlanStepKind.BackwardBias, PlanStepKind.BackwardData, PlanStepKind.BackwardFilter))} ms, update {Milliseconds(report.TimeOf(PlanStepKind.Update))} ms, all {Milliseconds(report.StepsTime)} ms call by call"));
        }
        RunTiming run = report.Run;
        output.WriteLine(Invariant(
            $"{(report.Options.Inference ? "forward" : "step")}    {Milliseconds(run.Replayed.Median)} ms replayed ({Milliseconds(run.Replayed.Low)} to {Milliseconds(run.Replayed.High)}): {ReportText.Rate(report.SamplesPerSecond)}"));
        output.WriteLine(Invariant($"enqueue {Microseconds(run.EnqueueReplayed.Median)} µs replayed{(run.EnqueueEager is { } eager ? $", {Microseconds(eager.Median)} µs call by call" : "")}"));
        output.WriteLine($"memory  {ByteSize.Format(report.ArenaBytes)} for tensors");
    }

    public static void WriteCsv(TextWriter output, BenchReport report)
    {
        output.WriteLine(string.Join(',', _csvHeader));
        foreach (StepTiming step in report.Steps)
        {
            double seconds = step.Time.Median.TotalSeconds;
            output.WriteLine(string.Join(',',
            [
                step.Step.Layer, $"{step.Step.Kind}", Number(step.Time.Median.TotalMilliseconds), Number(step.Time.Low.TotalMilliseconds),
                Number(step.Time.High.TotalMilliseconds), Number(step.Time.Median / report.StepsTime), Number(step.Flops / seconds / 1e9),
                Number(step.Step.Bytes / seconds / 1e9), Number(step.Flops / step.Step.Bytes), Number(report.ShareOfPeak(step)),
                step.Step.WorkspaceBytes.ToString(CultureInfo.InvariantCulture), step.Step.Method ?? "",
            ]));
        }

        static string Number(double value) => value.ToString("0.######", CultureInfo.InvariantCulture);
    }

    /// <summary>Lower bounds of a GPU.</summary>
    public static void WriteModel(TextWriter output, Architecture network, BenchmarkOptions options, ImmutableArray<PlanStep> steps, GpuModel gpu)
    {
        TimeSpan[] times = [.. steps.Select(step => gpu.LeastTime(step, options.Operators))];
        TimeSpan total = times.Aggregate(TimeSpan.Zero, (sum, time) => sum + time);
        output.WriteLine(Title(network, options, gpu.Description));
        output.WriteLine("COMPUTED, NOT MEASURED: the least time that the data sheet allows.");
        output.WriteLine(Invariant(
            $"{gpu.Source}: {gpu.FlopsPerSecond(options.Operators) / 1e12:0.#} TFLOP/s, {gpu.BytesPerSecond / 1e12:0.###} TB/s; {GpuModel.LaunchTime.TotalMicroseconds:0.#} µs a launch"));
        TextTable.Write(
            output,
            ["layer", "pass", "µs", "step", "bound by"],
            [
                .. steps.Zip(times, (step, time) => (string[])
                [
                    step.Layer, Pass(step.Kind), Microseconds(time), Share(time / total),
                    2.0 * step.MultiplyAdds / gpu.FlopsPerSecond(options.Operators) > step.Bytes / gpu.BytesPerSecond ? "arithmetic" : "memory",
                ]),
            ],
            firstNumber: 2);
        output.WriteLine(Invariant(
            $"{(options.Inference ? "forward" : "step")} at least {Milliseconds(total)} ms: at most {ReportText.Rate(options.Batch / total.TotalSeconds)}"));
    }

    public static string Title(Architecture network, BenchmarkOptions options, string device) =>
        $"{network.Name}: {(options.Inference ? "forward pass" : "training step")}, {options.Batch} images of {network.InputChannels}×{options.ImageSize}×{options.ImageSize}, {RecipeNames.Of(options.Precision)}, on {device}";

    private static string[] Row(BenchReport report, StepTiming step)
    {
        double seconds = step.Time.Median.TotalSeconds;
        return
        [
            step.Step.Layer, Pass(step.Step.Kind), step.Step.Method ?? "", step.Step.WorkspaceBytes > 0 ? ByteSize.Format(step.Step.WorkspaceBytes) : "",
            Milliseconds(step.Time.Median), Milliseconds((step.Time.High - step.Time.Low) / 2), Share(step.Time.Median / report.StepsTime),
            step.Flops > 0 ? Invariant($"{step.Flops / seconds / 1e9:0.0}") : "", Invariant($"{step.Step.Bytes / seconds / 1e9:0.00}"),
            step.Flops > 0 ? Invariant($"{step.Flops / step.Step.Bytes:0.0}") : "", Share(report.ShareOfPeak(step)),
        ];
    }

    public static string Pass(PlanStepKind kind) => kind switch
    {
        PlanStepKind.BackwardData => "data gradient",
        PlanStepKind.BackwardFilter => "filter gradient",
        PlanStepKind.BackwardBias => "relu, bias gradient",
        _ => kind.ToString().ToLowerInvariant(),
    };

    private static string Milliseconds(TimeSpan time) => Invariant($"{time.TotalMilliseconds:0.000}");

    private static string Microseconds(TimeSpan time) => Invariant($"{time.TotalMicroseconds:0.0}");

    private static string Share(double share) => share.ToString("P1", CultureInfo.InvariantCulture).Replace(" ", "", StringComparison.Ordinal);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
