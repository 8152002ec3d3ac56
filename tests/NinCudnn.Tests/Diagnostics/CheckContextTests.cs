using NinCudnn.Devices;
using NinCudnn.Diagnostics;
using NinCudnn.Operators;
using NinCudnn.Tests.Devices;
using Xunit;
using DiagnosticTolerance = NinCudnn.Diagnostics.Tolerance;

namespace NinCudnn.Tests.Diagnostics;

public class CheckContextTests
{
    [Fact]
    public void Expect_WrongElement_NamesItsPositionAndBothValues()
    {
        using DeviceStream stream = TestDevice.Shared.CreateStream();
        using var context = new CheckContext(stream);

        CheckFailedException e = Assert.Throws<CheckFailedException>(
            () => context.Expect("y", [0, 1, 2, 3, 4, 7], [0, 1, 2, 3, 4, 5], [2, 3], DiagnosticTolerance.Exact));

        Assert.StartsWith("y[1,2] is 7, expected 5; 1 of 6 elements", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Expect_OutputThatNobodyWrote_Fails()
    {
        using DeviceStream stream = TestDevice.Shared.CreateStream();
        using var context = new CheckContext(stream);

        foreach (DataType type in Enum.GetValues<DataType>())
        {
            DeviceMemory y = context.Output(3, type);
            Assert.Throws<CheckFailedException>(() => context.Expect("y", y, type, [0, 0, 0], [3], DiagnosticTolerance.Integer));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(40)]
    public void Conclude_WriteOutsideAnOperand_Fails(int offset)
    {
        using DeviceStream stream = TestDevice.Shared.CreateStream();
        using var context = new CheckContext(stream);
        DeviceMemory y = context.Output(40);
        stream.Clear(new DeviceMemory(y.Address + offset, 1));

        Assert.Throws<CheckFailedException>(() => context.Conclude("shape"));
    }

    [Theory]
    [InlineData(DataType.Float32, 1.0000001f, 1.0000001f)]
    [InlineData(DataType.Float16, 2049, 2048)] // 11 bits, to even
    [InlineData(DataType.Float16, 2051, 2052)]
    [InlineData(DataType.BFloat16, 257, 256)] // 8 bits, to even
    [InlineData(DataType.BFloat16, 259, 260)]
    [InlineData(DataType.BFloat16, -257.5f, -258)]
    public void Round_ToType_TakesTheNearestAndOfTwoTheEven(DataType type, float value, float expected) =>
        Assert.Equal(expected, Elements.Round(value, type));
}
