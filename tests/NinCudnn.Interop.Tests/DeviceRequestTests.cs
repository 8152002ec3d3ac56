using Xunit;

namespace NinCudnn.Interop.Tests;

public class DeviceRequestTests
{
    [Theory]
    [InlineData("auto", null, 0)]
    [InlineData("cpu", NativeProvider.Host, 0)]
    [InlineData("cpu:0", NativeProvider.Host, 0)]
    [InlineData("cpu:2", NativeProvider.Host, 2)]
    [InlineData("cuda", NativeProvider.Cuda, 0)]
    [InlineData("cuda:0", NativeProvider.Cuda, 0)]
    [InlineData("cuda:12", NativeProvider.Cuda, 12)]
    [InlineData("CUDA:3", NativeProvider.Cuda, 3)]
    [InlineData("Auto", null, 0)]
    public void Parse_Device_IsRead(string text, NativeProvider? provider, int ordinal)
    {
        var request = DeviceRequest.Parse(text);

        Assert.Equal(provider, request.Provider);
        Assert.Equal(ordinal, request.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda: 1")]
    [InlineData("cuda:+1")]
    [InlineData("cuda:1x")]
    [InlineData("cuda:99999999999")]
    [InlineData("cuda:0:1")]
    [InlineData("cpu:")]
    [InlineData("auto:0")]
    [InlineData(" cpu")]
    public void Parse_AnythingElse_ThrowsOneClearLine(string text)
    {
        var exception = Assert.Throws<FormatException>(() => DeviceRequest.Parse(text));

        Assert.Equal($"\"{text}\" is not a device: use auto, cpu, cuda or cuda:N, where N counts GPUs from 0.", exception.Message);
    }

    [Theory]
    [InlineData("auto")]
    [InlineData("cpu")]
    [InlineData("cpu:1")]
    [InlineData("cuda:0")]
    [InlineData("cuda:7")]
    public void ToString_IsWhatParseReads(string text) => Assert.Equal(text, DeviceRequest.Parse(text).ToString());

    [Fact]
    public void Requests_OfTheSameDevice_AreEqual()
    {
        Assert.Equal(DeviceRequest.Cuda(0), DeviceRequest.Parse("cuda"));
        Assert.NotEqual(DeviceRequest.Cuda(0), DeviceRequest.Cuda(1));
        Assert.NotEqual(DeviceRequest.Auto, DeviceRequest.Cpu);
    }

    [Fact]
    public void Cuda_NegativeOrdinal_Throws() => Assert.Throws<ArgumentOutOfRangeException>(() => DeviceRequest.Cuda(-1));
}
