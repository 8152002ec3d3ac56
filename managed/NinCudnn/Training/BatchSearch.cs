using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;

namespace NinCudnn.Training;

/// <summary>Finds the largest batch whose training fits a device.</summary>
public static class BatchSearch
{
    // What the libraries take for themselves when they are first used, and for memory in pieces.
    private const double Reserve = 0.05;

    /// <summary>
    /// Measures plans of other and other sizes, none of which is placed. Where the settings leave it open whether data streams, it does only if
    /// that makes room for a batch at least twice as large.
    /// </summary>
    /// <param name="device">The device.</param>
    /// <param name="architecture">The network.</param>
    /// <param name="recipe">The recipe, whose batch size does not matter.</param>
    /// <param name="trainSet">The training set, which bounds the batch.</param>
    /// <param name="testSet">The test set, which takes device memory as well.</param>
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
        execution ??= new ExecutionSettings();
        DataPlacement asked = execution.DataPlacement;
        long usable = (long)(device.FreeBytes * (1 - Reserve));
        int most = Math.Min(trainSet.Count, architecture.LargestBatch(recipe.ImageSize, recipe.ImageSize));
        int largest = Search(asked == DataPlacement.Auto ? DataPlacement.Resident : asked);
        if (asked == DataPlacement.Auto && largest <= most / 2 && Fits(Math.Max(2 * largest, 1), DataPlacement.Auto))
            largest = Search(DataPlacement.Auto);
        if (largest == 0 && asked == DataPlacement.Resident)
            throw new DeviceMemoryException(device, Needed(1, asked), DataRoom.Remedy);
        return largest > 0 ? largest : throw new DeviceMemoryException(device, Needed(1, asked));

        // The largest batch that fits, 0 if none does.
        int Search(DataPlacement placement)
        {
            int fits = 0, tooLarge = most + 1;
            while (tooLarge - fits > 1)
            {
                int candidate = fits + (tooLarge - fits) / 2;
                if (Fits(candidate, placement))
                    fits = candidate;
                else
                    tooLarge = candidate;
            }
            return fits;
        }

        bool Fits(int batch, DataPlacement placement) => Needed(batch, placement) <= usable;

        long Needed(int batch, DataPlacement placement)
        {
            var options = new PlanOptions
            {
                Batch = batch,
                Height = recipe.ImageSize,
                Width = recipe.ImageSize,
                Sgd = recipe.Sgd,
                ClipNorm = recipe.ClipNorm,
                EmaDecay = recipe.EmaDecay,
                Operators = execution.Operators(recipe.Precision),
            };
            PlanMemory memory = PlanMemory.Measure(device, architecture, options, recipe.Precision);
            return memory.ParameterBytes + memory.ArenaBytes + DataRoom.Bytes(trainSet, batch, placement) + DataRoom.Bytes(testSet, batch, placement);
        }
    }
}
