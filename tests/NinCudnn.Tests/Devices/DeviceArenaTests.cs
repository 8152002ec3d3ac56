using NinCudnn.Devices;
using Xunit;

namespace NinCudnn.Tests.Devices;

public class DeviceArenaTests
{
    [Fact]
    public void Reserve_NotMoreThanBefore_SharesTheMemory()
    {
        using var arena = new DeviceArena(TestDevice.Shared);

        DeviceMemory large = arena.Reserve(10_000), same = arena.Reserve(10_000), small = arena.Reserve(1);

        Assert.Equal(large, same);
        Assert.Equal(large.Address, small.Address);
        Assert.Equal(10_000, arena.Bytes);
    }

    [Fact]
    public void Reserve_MoreThanBefore_LeavesTheEarlierMemoryWhereItIs()
    {
        using var arena = new DeviceArena(TestDevice.Shared);

        DeviceMemory small = arena.Reserve(1000), large = arena.Reserve(2000), again = arena.Reserve(500);

        Assert.NotEqual(small.Address, large.Address);
        Assert.Equal(small.Address, again.Address);
        Assert.Equal(3000, arena.Bytes);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(4097)]
    public void Reserve_AnySize_IsAlignedAndLongEnough(long bytes)
    {
        using var arena = new DeviceArena(TestDevice.Shared);

        DeviceMemory memory = arena.Reserve(bytes);

        Assert.True(memory.Bytes >= bytes);
        Assert.Equal(0u, memory.Address.Value % 256);
    }

    [Fact]
    public void Reserve_Nothing_GivesARangeAllTheSame()
    {
        using var arena = new DeviceArena(TestDevice.Shared);
        Assert.NotEqual(0u, arena.Reserve(0).Address.Value);
    }

    [Fact]
    public void Dispose_Twice_FreesOnce()
    {
        var arena = new DeviceArena(TestDevice.Shared);
        arena.Reserve(100);
        arena.Dispose();
        arena.Dispose();
        Assert.Equal(0, arena.Bytes);
    }
}
