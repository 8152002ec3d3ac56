using Xunit;

namespace NinCudnn.Interop.Tests;

public class LibraryVersionTests
{
    [Theory]
    [InlineData(8901, "8.9.1")]
    [InlineData(8907, "8.9.7")]
    [InlineData(90600, "9.6.0")]
    [InlineData(92100, "9.21.0")]
    public void Cudnn_PackedNumber_IsDecodedByMajorVersion(uint version, string text) => Assert.Equal(text, LibraryVersion.Cudnn(version));

    [Theory]
    [InlineData(12040, "12.4")]
    [InlineData(13000, "13.0")]
    public void Driver_PackedNumber_IsDecoded(int version, string text) => Assert.Equal(text, LibraryVersion.Driver(version));

    [Theory]
    [InlineData(120405, "12.4.5")]
    [InlineData(130200, "13.2.0")]
    public void Cublas_PackedNumber_IsDecoded(uint version, string text) => Assert.Equal(text, LibraryVersion.Cublas(version));
}
