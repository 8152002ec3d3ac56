using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>Finds the largest batch whose training fits a device.</summary>
public static class BatchSearch
{
    // What the libraries take for themselves when they are first used, and for memory in pieces.
    private const double Reserve = 0.05;

    /// <summary>Measures plans of other and other sizes, none of which is placed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="architecture">The network.</param>
    /// <param name="recipe">The recipe, whose batch size does not matter.</param>
    /// <param name="trainSet">The training set, which bounds the batch.</param>
    /// <param name="testSet">The test set, which lies on the device as well.</param>
    /// <param name="execution">How it is carried out; the defaults when null.</param>
    /// <exception cref="ArgumentException">Network and image size do not fit together.</exception>
    /// <exception cref="DeviceMemoryException">Not even a batch of one fits.</exception>
    public static int Largest(
        Device device, Architecture architecture, TrainingRecipe recipe, ImageDataset trainSet, ImageDataset testSet, ExecutionSettings? execution = null)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(architecture);
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(trainSet);
        ArgumentNullException.ThrowIfNull(testSet);
        long free = (long)(device.FreeBytes * (1 - Reserve)), datasets = Bytes(trainSet) + Bytes(testSet);
        if (Needed(1) is var least && least > free)
            throw new DeviceMemoryException(device, least);
        int most = Math.Min(trainSet.Count, architecture.LargestBatch(recipe.ImageSize, recipe.ImageSize));
        int fits = 1, tooLarge = most + 1;
        while (tooLarge - fits > 1)
        {
            int candidate = fits + (tooLarge - fits) / 2;
            if (Needed(candidate) <= free)
                fits = candidate;
            else
                tooLarge = candidate;
        }
        return fits;

        long Needed(int batch)
        {
            var options = new PlanOptions
            {
                Batch = batch,
                Height = recipe.ImageSize,
                Width = recipe.ImageSize,
                Sgd = recipe.Sgd,
                ClipNorm = recipe.ClipNorm,
                EmaDecay = recipe.EmaDecay,
                Operators = (execution ?? new ExecutionSettings()).Operators(recipe.Precision),
            };
            PlanMemory memory = PlanMemory.Measure(device, architecture, options, recipe.Precision);
            return memory.ParameterBytes + memory.ArenaBytes + datasets;
        }
    }

    private static long Bytes(ImageDataset dataset) => dataset.Images.Length + (long)dataset.Count * sizeof(int);
}
