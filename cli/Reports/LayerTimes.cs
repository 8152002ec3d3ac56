using NinCudnn.Benchmarks;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli.Reports;

/// <summary>The time that a layer takes in a training step.</summary>
/// <param name="Layer">The layer or convolution, for example <c>0.2</c>.</param>
/// <param name="Forward">Its output.</param>
/// <param name="Backward">Its gradients.</param>
/// <param name="Other">Input, loss and update.</param>
internal sealed record LayerTime(string Layer, TimeSpan Forward, TimeSpan Backward, TimeSpan Other)
{
    public TimeSpan Total => Forward + Backward + Other;

    /// <summary>Runs a few steps of a recipe on synthetic images.</summary>
    /// <param name="device">Where.</param>
    /// <param name="network">The network.</param>
    /// <param name="recipe">Its image size, batch and precision count.</param>
    /// <param name="batch">Samples in a step.</param>
    /// <param name="execution">How it is carried out.</param>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public static LayerTime[] Measure(Device device, Architecture network, TrainingRecipe recipe, int batch, ExecutionSettings execution)
    {
        var options = new BenchmarkOptions
        {
            Batch = batch,
            ImageSize = recipe.ImageSize,
            Precision = recipe.Precision,
            Execution = execution,
            WarmUp = 1,
            Repetitions = 3,
        };
        using var benchmark = new NetworkBenchmark(device, network, options);
        return
        [
            .. benchmark.MeasureSteps().GroupBy(step => step.Step.Layer).Select(layer => new LayerTime(
                layer.Key, Sum(layer, kind => kind == PlanStepKind.Forward), Sum(layer, IsBackward),
                Sum(layer, kind => kind != PlanStepKind.Forward && !IsBackward(kind)))),
        ];
    }

    private static bool IsBackward(PlanStepKind kind) => kind is PlanStepKind.BackwardBias or PlanStepKind.BackwardData or PlanStepKind.BackwardFilter;

    private static TimeSpan Sum(IEnumerable<StepTiming> steps, Func<PlanStepKind, bool> isCounted) =>
        steps.Where(step => isCounted(step.Step.Kind)).Aggregate(TimeSpan.Zero, (sum, step) => sum + step.Time.Median);
}
