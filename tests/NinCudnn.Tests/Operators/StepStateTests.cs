using System.Buffers.Binary;
using System.Runtime.InteropServices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Operators;

/// <summary>The layout of struct step_state in native/kernels/step_state.h.</summary>
public class StepStateTests
{
    [Fact]
    public void StepState_InMemory_IsTheKernelsStruct()
    {
        StepState[] states = [new(0.125f, 0x1122334455667788, 1024)];
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes<StepState>(states);

        Assert.Equal(16, bytes.Length);
        Assert.Equal(0.125f, BinaryPrimitives.ReadSingleLittleEndian(bytes)); // learning_rate
        Assert.Equal(1024f, BinaryPrimitives.ReadSingleLittleEndian(bytes[4..])); // loss_scale
        Assert.Equal(0x55667788u, BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..])); // step_low
        Assert.Equal(0x11223344u, BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..])); // step_high
    }

    [Fact]
    public void StepState_LossScale_IsOneUnlessGiven() => Assert.Equal(1, new StepState(0.1f, 5).LossScale);
}
