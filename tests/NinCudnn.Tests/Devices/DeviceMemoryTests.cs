using NinCudnn.Devices;
using NinCudnn.Interop;
using Xunit;

namespace NinCudnn.Tests.Devices;

public class DeviceMemoryTests
{
    private static readonly DeviceMemory _range = new(new CUdeviceptr(4096), 100);

    [Theory]
    [InlineData(0, 100)]
    [InlineData(30, 70)]
    [InlineData(100, 0)]
    [InlineData(0, 0)]
    public void Slice_Inside_HasItsAddressAndLength(long offset, long bytes) =>
        Assert.Equal(new DeviceMemory(new CUdeviceptr(4096 + (ulong)offset), bytes), _range.Slice(offset, bytes));

    [Theory]
    [InlineData(0, 101)]
    [InlineData(1, 100)]
    [InlineData(101, 0)]
    [InlineData(-1, 10)]
    [InlineData(10, -1)]
    [InlineData(long.MaxValue, 1)]
    [InlineData(1, long.MaxValue)]
    public void Slice_Outside_Throws(long offset, long bytes) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _range.Slice(offset, bytes));

    [Fact]
    public void Slice_Outside_NamesTheRanges()
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _range.Slice(90, 20));
        Assert.Contains("bytes 90 to 110 of a range of 100 bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Require_TooShort_NamesBothSizesAndWhatWasNeeded()
    {
        long outputBytes = 101;
        var error = Assert.Throws<ArgumentException>(() => Require(outputBytes));
        Assert.Equal("the operand has 100 bytes of device memory, but 101 are needed (outputBytes)", error.Message);

        static unsafe void Require(long outputBytes) => _range.Require(outputBytes);
    }
}
