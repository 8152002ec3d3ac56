using NinCudnn.Data;
using NinCudnn.Devices;
using NinCudnn.Networks;
using NinCudnn.Tests.Devices;
using NinCudnn.Tests.Networks;
using NinCudnn.Training;
using Xunit;

namespace NinCudnn.Tests.Training;

[Collection(DeviceAlone.Name)] // free memory must not change meanwhile
public class BatchSearchTests
{
    private static readonly TrainingRecipe _recipe = new() { ImageSize = TinyNetwork.ImageSize };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(37)]
    public void Largest_RoomForAll_TakesTheWholeSet(int samples)
    {
        ImageDataset images = TinyNetwork.Dataset(samples);
        Assert.Equal(samples, BatchSearch.Largest(TestDevice.Shared, TinyNetwork.Architecture(), _recipe, images, images));
    }

    [Fact]
    public void Largest_LittleRoom_TakesWhatFits()
    {
        Device device = TestDevice.Shared;
        ImageDataset images = TinyNetwork.Dataset(500);
        // Free memory is bounded by images so large that a handful fills it.
        TrainingRecipe recipe = _recipe with { ImageSize = 2048 };
        int largest = BatchSearch.Largest(device, TinyNetwork.Architecture(), recipe, images, images);

        Assert.InRange(largest, 1, 499);
        Assert.True(ArenaBytes(largest) < device.FreeBytes);
        Assert.True(ArenaBytes(largest + 1) > device.FreeBytes * 0.9);

        long ArenaBytes(int batch)
        {
            var options = new PlanOptions { Batch = batch, Height = recipe.ImageSize, Width = recipe.ImageSize };
            return PlanMemory.Measure(device, TinyNetwork.Architecture(), options).ArenaBytes;
        }
    }
}
