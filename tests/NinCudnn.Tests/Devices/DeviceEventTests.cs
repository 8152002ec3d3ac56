using NinCudnn.Devices;
using NinCudnn.Interop;
using Xunit;

namespace NinCudnn.Tests.Devices;

public class DeviceEventTests
{
    private static Device Device => TestDevice.Shared;

    [Fact]
    public void IsReached_NeverRecorded_IsTrue()
    {
        using var mark = new DeviceEvent(Device);
        Assert.True(mark.IsReached);
        mark.Synchronize();
    }

    [Fact]
    public void Synchronize_WaitsForTheWorkBeforeTheMark()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1000);
        using PinnedBuffer<int> pinned = Device.AllocatePinned<int>(1000);
        using var mark = new DeviceEvent(Device);
        pinned.Span.Fill(-1);

        stream.Clear(buffer);
        stream.Copy(buffer, pinned, 1000);
        mark.Record(stream);
        mark.Synchronize();

        Assert.True(mark.IsReached);
        Assert.All(pinned.Span.ToArray(), value => Assert.Equal(0, value));
    }

    [Fact]
    public void IsReached_AnEarlierMark_IsReachedOnceALaterOneIs()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1000);
        using DeviceEvent first = new(Device), second = new(Device);

        stream.Clear(buffer);
        first.Record(stream);
        stream.Clear(buffer);
        second.Record(stream);
        second.Synchronize();

        Assert.True(first.IsReached);
        Assert.True(second.IsReached);
    }

    [Fact]
    public void Record_Again_ReplacesTheMark()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1);
        using PinnedBuffer<int> pinned = Device.AllocatePinned<int>(1);
        using var mark = new DeviceEvent(Device);
        pinned.Span[0] = 1;

        mark.Record(stream);
        mark.Synchronize();
        stream.Clear(buffer);
        stream.Copy(buffer, pinned, 1);
        mark.Record(stream);
        mark.Synchronize();

        Assert.Equal(0, pinned.Span[0]);
    }

    [Fact]
    public void ElapsedSince_TwoReachedMarks_IsNotNegative()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1000);
        using DeviceEvent start = new(Device, timing: true), end = new(Device, timing: true);

        start.Record(stream);
        stream.Clear(buffer);
        end.Record(stream);
        end.Synchronize();

        Assert.True(end.ElapsedSince(start) >= TimeSpan.Zero);
    }

    [Fact]
    public void ElapsedSince_WithoutTiming_Throws()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceEvent start = new(Device), end = new(Device, timing: true);
        start.Record(stream);
        end.Record(stream);
        end.Synchronize();

        Assert.Throws<CudaException>(() => end.ElapsedSince(start));
        Assert.Throws<CudaException>(() => start.ElapsedSince(end));
    }

    [Fact]
    public void Event_AfterDispose_Throws()
    {
        using DeviceStream stream = Device.CreateStream();
        using var live = new DeviceEvent(Device, timing: true);
        var disposed = new DeviceEvent(Device, timing: true);
        live.Record(stream);
        live.Synchronize();
        disposed.Dispose();
        disposed.Dispose();

        Assert.Throws<ObjectDisposedException>(() => disposed.IsReached);
        Assert.Throws<ObjectDisposedException>(() => disposed.Record(stream));
        Assert.Throws<ObjectDisposedException>(disposed.Synchronize);
        Assert.Throws<ObjectDisposedException>(() => disposed.ElapsedSince(live));
        Assert.Throws<ObjectDisposedException>(() => live.ElapsedSince(disposed));
    }
}
