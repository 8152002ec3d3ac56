using Xunit;

namespace NinCudnn.Interop.Tests;

public class CUdeviceptrTests
{
    [Fact]
    public void Plus_CountsBytes()
    {
        var address = new CUdeviceptr(0x7000_0000_0000);

        Assert.Equal(0x7000_0000_0010u, (address + 16).Value);
        Assert.Equal(0x6fff_ffff_fff0u, (address + -16).Value);
        Assert.Equal(0x7001_0000_0000u, (address + 0x1_0000_0000L).Value);
        Assert.Equal(0x7000_0000_0020u, (address + (nuint)32).Value);
    }

    [Fact]
    public unsafe void Pointer_IsTheSameAddress() => Assert.Equal(0x7000_0000_0000u, (ulong)new CUdeviceptr(0x7000_0000_0000).Pointer);

    [Fact]
    public void ToString_IsHexadecimal() => Assert.Equal("0x70000000abcd", new CUdeviceptr(0x7000_0000_abcd).ToString());
}
