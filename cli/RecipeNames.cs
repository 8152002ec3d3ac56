using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli;

/// <summary>The names by which options ask for parts of a recipe and of how it is run, and by which reports call them.</summary>
internal static class RecipeNames
{
    public static IReadOnlyDictionary<string, LearningRateSchedule> Schedules { get; } = new Dictionary<string, LearningRateSchedule>
    {
        ["constant"] = new ConstantSchedule(),
        ["step"] = new StepSchedule(),
        ["cosine"] = new CosineSchedule(),
        ["one-cycle"] = new OneCycleSchedule(),
    };

    public static IReadOnlyDictionary<string, Initialization> Initializations { get; } = new Dictionary<string, Initialization>
    {
        ["xavier"] = Initialization.Xavier,
        ["he"] = Initialization.He,
    };

    public static IReadOnlyDictionary<string, Precision> Precisions { get; } = new Dictionary<string, Precision>
    {
        ["fp32"] = Precision.Float32,
        ["tf32"] = Precision.TensorFloat32,
        ["bf16"] = Precision.BFloat16,
        ["fp16"] = Precision.Float16,
    };

    public static IReadOnlyDictionary<string, NonFiniteAction> NonFiniteActions { get; } = new Dictionary<string, NonFiniteAction>
    {
        ["stop"] = NonFiniteAction.Stop,
        ["skip"] = NonFiniteAction.Skip,
    };

    public static string Of(Precision precision) => Precisions.First(entry => entry.Value == precision).Key;

    public static string Of(LearningRateSchedule schedule) => schedule is WarmUpSchedule warmUp
        ? $"warm-up, {Of(warmUp.After)}"
        : Schedules.First(entry => entry.Value.GetType() == schedule.GetType()).Key;

    /// <summary>The name, whatever the scale of the output's weights.</summary>
    public static string Of(Initialization initialization) => Initializations.First(entry => entry.Value.Weights == initialization.Weights).Key;
}
