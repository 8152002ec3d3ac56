using NinCudnn.Devices;
using Xunit;

namespace NinCudnn.Tests.Devices;

public class ByteSizeTests
{
    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1024, "1.0 KiB")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(1L << 20, "1.0 MiB")]
    [InlineData(47_040_000, "44.9 MiB")]
    [InlineData(3L << 29, "1.5 GiB")]
    [InlineData(1L << 40, "1.0 TiB")]
    [InlineData(1L << 50, "1024.0 TiB")] // the largest unit takes what is left
    [InlineData(-2048, "-2.0 KiB")]
    public void Format_Bytes_TakesTheLargestUnitThatGivesAtLeastOne(long bytes, string expected) => Assert.Equal(expected, ByteSize.Format(bytes));
}
