using System.Globalization;
using NinCudnn.Devices;
using Xunit;

namespace NinCudnn.Tests.Devices;

public class DeviceBufferTests
{
    private static Device Device => TestDevice.Shared;

    [Fact]
    public void Download_AfterUpload_ReturnsTheSame()
    {
        long[] values = [.. Enumerable.Range(-500, 1001).Select(value => (long)value << 33)];
        using DeviceBuffer<long> buffer = Device.Allocate<long>(values.Length);

        buffer.Upload(values);
        var copy = new long[values.Length];
        buffer.Download(copy);

        Assert.Equal(values, copy);
        Assert.Equal(values.Length, buffer.Length);
        Assert.Equal(values.Length * sizeof(long), buffer.Memory.Bytes);
    }

    [Fact]
    public void Allocate_Values_HoldsACopy()
    {
        float[] values = [1.5f, -2, float.NaN];
        using DeviceBuffer<float> buffer = Device.Allocate<float>(values);
        values[0] = 0;

        Assert.Equal([1.5f, -2, float.NaN], buffer.Download());
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.Allocate<float>([]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(9)]
    [InlineData(11)]
    public void UploadAndDownload_OtherLength_ThrowAndNameBothLengths(int length)
    {
        using DeviceBuffer<float> buffer = Device.Allocate<float>(10);
        buffer.Upload(new float[10]);
        var span = new float[length];

        var upload = Assert.Throws<ArgumentException>(() => buffer.Upload(span));
        var download = Assert.Throws<ArgumentException>(() => buffer.Download(span));

        string expected = string.Create(CultureInfo.InvariantCulture, $"the span has {length} elements, the buffer 10");
        Assert.Equal(expected, upload.Message);
        Assert.Equal(expected, download.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(long.MinValue)]
    public void Allocate_NoElements_Throws(long length)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.Allocate<float>(length));
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.AllocatePinned<float>((int)Math.Max(length, int.MinValue)));
    }

    [Fact]
    public void Allocate_MoreElementsThanBytesCanBeCounted_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Device.Allocate<double>(long.MaxValue / 4));

    [Fact]
    public void Allocate_MoreThanTheDeviceHas_NamesWhatWasAskedForAndWhatThereIs()
    {
        long bytes = 1L << 50;

        var error = Assert.Throws<DeviceMemoryException>(() => Device.Allocate<float>(bytes / sizeof(float)));

        Assert.Equal(bytes, error.RequestedBytes);
        Assert.StartsWith("1024.0 TiB of device memory are needed, ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"of {ByteSize.Format(Device.TotalBytes)} are free on {Device.Name}", error.Message, StringComparison.Ordinal);
        using DeviceBuffer<float> next = Device.Allocate<float>(1); // a refusal leaves the device usable
    }

    [Fact]
    public void Buffer_AfterDispose_Throws()
    {
        DeviceBuffer<int> buffer = Device.Allocate<int>(2);
        buffer.Dispose();
        buffer.Dispose();

        Assert.True(buffer.IsDisposed);
        Assert.Throws<ObjectDisposedException>(() => buffer.Memory);
        Assert.Throws<ObjectDisposedException>(() => (DeviceMemory)buffer);
        Assert.Throws<ObjectDisposedException>(() => buffer.Upload([1, 2]));
        var error = Assert.Throws<ObjectDisposedException>(() => buffer.Download(new int[2]));
        Assert.Contains(nameof(DeviceBuffer<>), error.ObjectName, StringComparison.Ordinal);
    }

    [Fact]
    public void PinnedBuffer_AfterDispose_Throws()
    {
        PinnedBuffer<int> buffer = Device.AllocatePinned<int>(2);
        buffer.Span[1] = 7;
        Assert.Equal(7, buffer.Span[1]);
        buffer.Dispose();
        buffer.Dispose();

        Assert.Throws<ObjectDisposedException>(() => buffer.Span.Length);
    }

    [Fact]
    public void Upload_FromAThreadThatNeverSawTheDevice_Works()
    {
        using DeviceBuffer<int> buffer = Device.Allocate<int>(3);
        var copy = new int[3];
        OnNewThread(() =>
        {
            buffer.Upload([3, 1, 2]);
            buffer.Download(copy);
        });
        Assert.Equal([3, 1, 2], copy);
    }

    [Fact]
    public async Task Stream_FromTasks_Works()
    {
        using DeviceStream stream = await Task.Run(Device.CreateStream);
        using DeviceBuffer<int> buffer = await Task.Run(() => Device.Allocate<int>(3));
        await Task.Run(() => stream.Clear(buffer));
        await Task.Run(stream.Synchronize);
        var copy = new int[] { 1, 1, 1 };
        await Task.Run(() => buffer.Download(copy));
        Assert.Equal([0, 0, 0], copy);
    }

    private static void OnNewThread(Action action)
    {
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(action));
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }
}
