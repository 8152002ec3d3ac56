using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Training;

namespace NinCudnn.Cli.Runs;

/// <summary>What is to be trained, on what, and how; all but the seed.</summary>
internal sealed record TrainingTask(
    Device Device, Architecture Network, TrainingRecipe Recipe, PrecisionChoice Precision, ImageDataset TrainSet, ImageDataset TestSet,
    ExecutionSettings Execution)
{
    /// <summary>What reports call the data.</summary>
    public required string Dataset { get; init; }

    /// <summary>Whether the batch is to be as large as the device allows, in place of the recipe's.</summary>
    public bool IsBatchSearched { get; init; }

    /// <summary>Makes a trainer.</summary>
    /// <returns>The trainer, and the precision that it has in the end.</returns>
    /// <exception cref="NotSupportedException">The device refuses the precision that was asked for.</exception>
    /// <exception cref="DeviceMemoryException">The device has too little memory.</exception>
    public (Trainer Trainer, PrecisionChoice Precision) CreateTrainer(ulong seed) => Precision.Make(precision =>
    {
        TrainingRecipe recipe = Recipe with { Precision = precision };
        if (IsBatchSearched)
            recipe = recipe with { BatchSize = BatchSearch.Largest(Device, Network, recipe, TrainSet, TestSet, Execution) };
        return new Trainer(Device, Network, recipe, TrainSet, TestSet, seed, Execution);
    });
}
