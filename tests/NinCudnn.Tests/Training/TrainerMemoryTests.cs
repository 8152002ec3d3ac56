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

    [Fact]
    public void Dispose_AfterTraining_GivesAllMemoryBack()
    {
        Reclaim();
        long before = TestDevice.Shared.FreeBytes;
        using (Trainer trainer = Create(_recipe))
        {
            Assert.True(TestDevice.Shared.FreeBytes < before - 2 * _dataset.Images.Length);
            trainer.Train();
        }
        Assert.Equal(before, TestDevice.Shared.FreeBytes);
    }

    [Fact]
    public void Create_Failing_GivesAllMemoryBack()
    {
        // The network does not fit so small an image, which comes out after data set and parameters are on the device.
        Reclaim();
        long before = TestDevice.Shared.FreeBytes;
        Assert.Throws<ArgumentException>(() => Create(_recipe with { ImageSize = 2 }));
        Assert.Equal(before, TestDevice.Shared.FreeBytes);
    }

    /// <summary>Frees what finalisers of earlier tests left behind, so that it is not freed in between.</summary>
    private static void Reclaim()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        TestDevice.Shared.Allocate<byte>(1).Dispose();
    }

    private static Trainer Create(TrainingRecipe recipe) => new(TestDevice.Shared, TinyNetwork.Architecture(), recipe, _dataset, _dataset.Take(100));
}
