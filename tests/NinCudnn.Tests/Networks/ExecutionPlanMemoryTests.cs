using NinCudnn.Networks;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using Xunit;

namespace NinCudnn.Tests.Networks;

[Collection(DeviceAlone.Name)]
public class ExecutionPlanMemoryTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Run_Step_AllocatesNoDeviceMemory(bool replay)
    {
        var options = new PlanOptions { Batch = 5, Height = TinyNetwork.ImageSize, Width = TinyNetwork.ImageSize, Replay = replay };
        using var network = new NetworkFixture(TinyNetwork.Architecture(), options, TinyNetwork.Dataset(5));
        Step(0); // warms the libraries up, and captures
        long before = network.Stream.Device.FreeBytes;

        for (int i = 1; i < 10; i++)
            Step(i);

        Assert.Equal(before, network.Stream.Device.FreeBytes);

        void Step(int step)
        {
            network.StepInput.Send(new StepState(0.01f, step), [0, 1, 2, 3, 4]);
            network.Plan.Run();
            network.Stream.Synchronize();
        }
    }
}
