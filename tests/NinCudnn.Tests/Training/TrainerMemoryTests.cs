using NinCudnn.Data;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

[Collection(DeviceAlone.Name)]
public class TrainerMemoryTests
{
    private static readonly ImageDataset _dataset = TinyNetwork.Dataset(10_000); // 1.4 MB, which would be noticed

    private static readonly TrainingRecipe _recipe = new() { ImageSize = TinyNetwork.ImageSize, Epochs = 1, BatchSize = 5000 };

    [Theory]
    [InlineData(DataPlacement.Resident)]
    [InlineData(DataPlacement.Stream)]
    public void Dispose_AfterTraining_GivesAllMemoryBack(DataPlacement placement)
    {
        Reclaim();
        long before = TestDevice.Shared.FreeBytes;
        using (Trainer trainer = Create(_recipe, placement))
        {
            Assert.True(TestDevice.Shared.FreeBytes < before - 2 * _dataset.Images.Length);
            trainer.Train();
        }
        Assert.Equal(before, TestDevice.Shared.FreeBytes);
    }

    [Theory]
    [InlineData(DataPlacement.Resident)]
    [InlineData(DataPlacement.Stream)]
    public void Create_Failing_GivesAllMemoryBack(DataPlacement placement)
    {
        // The network does not fit so small an image, which comes out after data set and parameters are on the device.
        Reclaim();
        long before = TestDevice.Shared.FreeBytes;
        Assert.Throws<ArgumentException>(() => Create(_recipe with { ImageSize = 2 }, placement));
        Assert.Equal(before, TestDevice.Shared.FreeBytes);
    }

    [Fact]
    public void Create_DataThatStreams_TakesRoomForTwoBatchesOnly()
    {
        Reclaim();
        TrainingRecipe recipe = _recipe with { BatchSize = 50 };
        long before = TestDevice.Shared.FreeBytes, resident, streaming;
        using (Create(recipe, DataPlacement.Resident))
            resident = before - TestDevice.Shared.FreeBytes;
        using (Create(recipe, DataPlacement.Stream))
            streaming = before - TestDevice.Shared.FreeBytes;

        // Both sets have images of one size; the test set has no more than two batches. Allocations are rounded up a little.
        long sampleBytes = _dataset.ImageBytes + sizeof(int);
        Assert.Equal(resident - (_dataset.Count - 100) * sampleBytes, streaming, tolerance: 4096.0);
    }

    /// <summary>Frees what finalisers of earlier tests left behind, so that it is not freed in between.</summary>
    private static void Reclaim()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TestDevice.Shared.Allocate<byte>(1).Dispose();
    }

    private static Trainer Create(TrainingRecipe recipe, DataPlacement placement) => new(
        TestDevice.Shared, TinyNetwork.Architecture(), recipe, _dataset, _dataset.Take(100), execution: new ExecutionSettings { DataPlacement = placement });
}
