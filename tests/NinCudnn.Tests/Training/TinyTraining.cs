using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;

namespace NinCudnn.Tests.Training;

/// <summary>How the tests train <see cref="TinyNetwork"/>.</summary>
internal static class TinyTraining
{
    /// <summary>Everything that a recipe can have.</summary>
    public static TrainingRecipe Recipe { get; } = new()
    {
        Name = "tiny",
        ImageSize = TinyNetwork.ImageSize,
        Epochs = 2,
        BatchSize = 16,
        LearningRate = 0.05,
        Schedule = new OneCycleSchedule(),
        Sgd = new SgdSettings(0.9, 1e-4),
        Initialization = Initialization.He,
        NormalizeInput = true,
        DropoutRate = 0.1,
    };
}

/// <summary>A rate of 0 but in the run's last step.</summary>
internal sealed record LastStepOnly : LearningRateSchedule
{
    public override double Factor(long step, long totalSteps) => step == totalSteps - 1 ? 1 : 0;
}
