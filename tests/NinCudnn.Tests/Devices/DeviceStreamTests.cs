using NinCudnn.Devices;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Devices;

public class DeviceStreamTests
{
    private static Device Device => TestDevice.Shared;

    [Fact]
    public void Copy_PinnedToDeviceToPinned_ReturnsTheSame()
    {
        using DeviceStream stream = Device.CreateStream();
        using PinnedBuffer<int> source = Device.AllocatePinned<int>(100), destination = Device.AllocatePinned<int>(100);
        using DeviceBuffer<int> first = Device.Allocate<int>(100), second = Device.Allocate<int>(100);
        Enumerable.Range(0, 100).ToArray().CopyTo(source.Span);

        stream.Copy(source, first, 100);
        stream.Copy(first.Memory, second.Memory);
        stream.Copy(second, destination, 100);
        stream.Synchronize();

        Assert.Equal(Enumerable.Range(0, 100), destination.Span.ToArray());
    }

    [Fact]
    public void Copy_PartOfPinned_CopiesOnlyThatPart()
    {
        using DeviceStream stream = Device.CreateStream();
        using PinnedBuffer<int> source = Device.AllocatePinned<int>(5), destination = Device.AllocatePinned<int>(3);
        using DeviceBuffer<int> buffer = Device.Allocate<int>(3);
        new[] { 10, 11, 12, 13, 14 }.CopyTo(source.Span);
        destination.Span.Fill(-1);

        stream.Clear(buffer);
        stream.Copy(source, 3, buffer, 2);
        stream.Copy(buffer, destination, 2);
        stream.Synchronize();

        Assert.Equal([13, 14, -1], destination.Span.ToArray());
        var all = new int[3];
        buffer.Download(all);
        Assert.Equal([13, 14, 0], all);
    }

    [Fact]
    public void Clear_PartOfABuffer_ClearsEveryByteOfItAndNoOther()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<byte> buffer = Device.Allocate<byte>(9);
        buffer.Upload([1, 2, 3, 4, 5, 6, 7, 8, 9]);

        stream.Clear(buffer.Memory.Slice(1, 7));

        var all = new byte[9];
        buffer.Download(all);
        Assert.Equal([1, 0, 0, 0, 0, 0, 0, 0, 9], all);
    }

    [Theory]
    [InlineData(0, 6)]
    [InlineData(3, 3)]
    [InlineData(6, 0)]
    [InlineData(-1, 2)]
    [InlineData(0, -1)]
    public void Copy_OutsidePinned_Throws(int start, int count)
    {
        using DeviceStream stream = Device.CreateStream();
        using PinnedBuffer<int> pinned = Device.AllocatePinned<int>(5);
        using DeviceBuffer<int> buffer = Device.Allocate<int>(10);

        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Copy(pinned, start, buffer, count));
        if (start == 0)
            Assert.Throws<ArgumentOutOfRangeException>(() => stream.Copy(buffer, pinned, count));
    }

    [Fact]
    public void Copy_DeviceSideTooSmall_Throws()
    {
        using DeviceStream stream = Device.CreateStream();
        using PinnedBuffer<int> pinned = Device.AllocatePinned<int>(5);
        using DeviceBuffer<int> buffer = Device.Allocate<int>(4);

        Assert.Throws<ArgumentException>(() => stream.Copy(pinned, buffer, 5));
        Assert.Throws<ArgumentException>(() => stream.Copy(buffer, pinned, 5));
        var error = Assert.Throws<ArgumentException>(() => stream.Copy(buffer.Memory, buffer.Memory.Slice(0, 8)));
        Assert.Equal("the source has 16 bytes, the destination 8", error.Message);
    }

    [Fact]
    public void Stream_AfterDispose_Throws()
    {
        DeviceStream stream = Device.CreateStream();
        using PinnedBuffer<int> pinned = Device.AllocatePinned<int>(1);
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1);
        using var mark = new DeviceEvent(Device);
        stream.Dispose();
        stream.Dispose();

        Assert.Throws<ObjectDisposedException>(() => stream.Handle);
        Assert.Throws<ObjectDisposedException>(stream.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => stream.Clear(buffer));
        Assert.Throws<ObjectDisposedException>(() => stream.Copy(pinned, buffer, 1));
        Assert.Throws<ObjectDisposedException>(() => stream.Copy(buffer, pinned, 1));
        Assert.Throws<ObjectDisposedException>(() => stream.Copy(buffer.Memory, buffer.Memory));
        Assert.Throws<ObjectDisposedException>(() => stream.Capture(() => { }));
        Assert.Throws<ObjectDisposedException>(() => mark.Record(stream));
    }

    [Fact]
    public void Operators_AfterTheirStreamsDispose_Throw()
    {
        // The stream's cuDNN and cuBLASLt handles end with it; an operator must not hand a dead one to the library.
        DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<float> x = Device.Allocate<float>(8), y = Device.Allocate<float>(8);
        using var relu = new Relu(stream, new TensorShape(1, 8, 1, 1));
        using ConvolutionOperator pointwise = ConvolutionOperator.Create(stream, new ConvolutionShape(new TensorShape(1, 1, 1, 1), 1, 1, 1), Activation.None);
        stream.Clear(x);
        relu.Forward(x, y);
        pointwise.Forward(x, x, x, y, default);
        stream.Dispose();

        Assert.Throws<ObjectDisposedException>(() => relu.Forward(x, y));
        Assert.Throws<ObjectDisposedException>(() => pointwise.Forward(x, x, x, y, default));
    }

    [Fact]
    public void Copy_FromDisposedBuffer_Throws()
    {
        using DeviceStream stream = Device.CreateStream();
        PinnedBuffer<int> pinned = Device.AllocatePinned<int>(1);
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1);
        pinned.Dispose();

        Assert.Throws<ObjectDisposedException>(() => stream.Copy(pinned, buffer, 1));
        Assert.Throws<ObjectDisposedException>(() => stream.Copy(buffer, pinned, 1));
    }

    [Fact]
    public void Dispose_WithWorkQueued_LetsItFinish()
    {
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1000);
        buffer.Upload(Enumerable.Repeat(1, 1000).ToArray());
        using (DeviceStream stream = Device.CreateStream())
            stream.Clear(buffer);

        var copy = new int[1000];
        buffer.Download(copy);
        Assert.All(copy, value => Assert.Equal(0, value));
    }

    [Fact]
    public void Dispose_OfBufferInUse_WaitsForIt()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> destination = Device.Allocate<int>(1000);
        using (DeviceBuffer<int> source = Device.Allocate<int>(1000))
        {
            source.Upload(Enumerable.Range(0, 1000).ToArray());
            stream.Copy(source.Memory, destination.Memory);
        }

        var copy = new int[1000];
        destination.Download(copy);
        Assert.Equal(Enumerable.Range(0, 1000), copy);
    }
}
