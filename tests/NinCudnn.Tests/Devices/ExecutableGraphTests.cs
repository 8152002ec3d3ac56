using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Devices;

public class ExecutableGraphTests
{
    private static Device Device => TestDevice.Shared;

    [Fact]
    public void Capture_Work_DoesNotRunIt()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(3);
        buffer.Upload([1, 2, 3]);

        using ExecutableGraph graph = stream.Capture(() => stream.Clear(buffer));

        Assert.Equal(1, graph.NodeCount);
        Assert.Equal([1, 2, 3], Download(buffer));
    }

    [Fact]
    public void Launch_ManyTimes_DoesWhatTheCallsDo()
    {
        // Each round moves the first three values on by one place, through the fourth: the order of the copies matters.
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> eager = Device.Allocate<int>(4), replayed = Device.Allocate<int>(4);
        eager.Upload([1, 2, 3, 0]);
        replayed.Upload([1, 2, 3, 0]);

        using ExecutableGraph graph = stream.Capture(() => Rotate(stream, replayed));
        for (int i = 0; i < 5; i++)
        {
            Rotate(stream, eager);
            graph.Launch();
        }

        Assert.Equal(4, graph.NodeCount);
        Assert.Equal([2, 3, 1, 3], Download(eager)); // five rounds are two and a whole turn
        Assert.Equal([2, 3, 1, 3], Download(replayed));
    }

    [Fact]
    public void Launch_AfterTheSourceChanged_ReadsItsNewContents()
    {
        using DeviceStream stream = Device.CreateStream();
        using PinnedBuffer<int> pinned = Device.AllocatePinned<int>(1);
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1);
        using ExecutableGraph graph = stream.Capture(() => stream.Copy(pinned, buffer, 1));
        for (int value = 5; value < 8; value++)
        {
            pinned.Span[0] = value;
            graph.Launch();
            stream.Synchronize();
            Assert.Equal([value], Download(buffer));
        }
    }

    [Fact]
    public void Capture_Throwing_PassesTheExceptionOnAndLeavesTheStreamUsable()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(2);
        buffer.Upload([1, 2]);

        var error = Assert.Throws<InvalidDataException>(() => stream.Capture(() =>
        {
            stream.Clear(buffer);
            throw new InvalidDataException("from inside");
        }));

        Assert.Equal("from inside", error.Message);
        stream.Synchronize();
        Assert.Equal([1, 2], Download(buffer)); // what was recorded is gone
        stream.Clear(buffer);
        Assert.Equal([0, 0], Download(buffer));
        using ExecutableGraph graph = stream.Capture(() => stream.Clear(buffer));
        graph.Launch();
        stream.Synchronize();
    }

    [Fact]
    public void Capture_ACallThatCannotBeCaptured_ThrowsAndLeavesTheStreamUsable()
    {
        using DeviceStream stream = Device.CreateStream();

        var waiting = Assert.Throws<CudaException>(() => stream.Capture(stream.Synchronize));
        var allocating = Assert.Throws<CudaException>(() => stream.Capture(() => Device.Allocate<int>(1).Dispose()));

        Assert.Equal(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, waiting.Status);
        Assert.Equal(CUresult.CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, allocating.Status);
        stream.Synchronize();
        using ExecutableGraph empty = stream.Capture(() => { });
        Assert.Equal(0, empty.NodeCount);
        empty.Launch();
        stream.Synchronize();
    }

    [Fact]
    public void Capture_TheRefusalWasSwallowed_ThrowsAllTheSame()
    {
        // The refused call has invalidated the capture: no graph with a hole in it may come out.
        using DeviceStream stream = Device.CreateStream();
        var error = Assert.Throws<CudaException>(() => stream.Capture(() => Assert.Throws<CudaException>(stream.Synchronize)));
        Assert.Equal(CUresult.CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, error.Status);
        stream.Synchronize();
    }

    [Fact]
    public void Capture_WhileAnotherThreadWaitsForTheDevice_Succeeds()
    {
        // Waiting for a whole context is illegal while one of its streams captures, on any thread, and breaks the capture.
        using DeviceBuffer<float> downloaded = Device.Allocate<float>(1);
        downloaded.Upload([7]);
        var values = new float[1];
        CaptureBeside(() => downloaded.Download(values));
        Assert.Equal([7], values);
    }

    [Fact]
    public void Capture_WhileAnotherThreadUploads_Succeeds()
    {
        // An upload uses the default stream, which is illegal while a stream captures that waits for it: ours must not.
        using DeviceBuffer<float> uploaded = Device.Allocate<float>(1);
        CaptureBeside(() => uploaded.Upload([7]));
        var values = new float[1];
        uploaded.Download(values);
        Assert.Equal([7], values);
    }

    [Fact]
    public void Capture_WhileAnotherThreadDisposesOfAStream_Succeeds()
    {
        // Destroying a cuDNN handle waits for the context too.
        using DeviceBuffer<float> buffer = Device.Allocate<float>(1);
        DeviceStream other = Device.CreateStream();
        using var relu = new Relu(other, new TensorShape(1, 1, 1, 1));
        other.Clear(buffer);
        relu.Forward(buffer, buffer);
        CaptureBeside(other.Dispose);
    }

    [Fact]
    public void Graph_AfterDispose_Throws()
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1);
        ExecutableGraph graph = stream.Capture(() => stream.Clear(buffer));
        graph.Dispose();
        graph.Dispose();

        Assert.Throws<ObjectDisposedException>(graph.Launch);
    }

    [Fact]
    public void Launch_AfterTheStreamsDispose_Throws()
    {
        DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1);
        using ExecutableGraph graph = stream.Capture(() => stream.Clear(buffer));
        stream.Dispose();

        Assert.Throws<ObjectDisposedException>(graph.Launch);
    }

    /// <summary>Captures, while another thread does something, and checks that both succeed.</summary>
    private static void CaptureBeside(Action action)
    {
        using DeviceStream stream = Device.CreateStream();
        using DeviceBuffer<int> buffer = Device.Allocate<int>(1);
        buffer.Upload([1]);
        using var isCapturing = new ManualResetEventSlim();
        Exception? failure = null;
        var thread = new Thread(() => failure = Record.Exception(() =>
        {
            isCapturing.Wait();
            action();
        }));
        thread.Start();

        using ExecutableGraph graph = stream.Capture(() =>
        {
            isCapturing.Set();
            thread.Join(50); // time for the other thread to get in the way; it may be held up, so don't wait for its end
            stream.Clear(buffer);
        });
        thread.Join();

        Assert.Null(failure);
        graph.Launch();
        Assert.Equal([0], Download(buffer));
    }

    private static void Rotate(DeviceStream stream, DeviceBuffer<int> ring)
    {
        DeviceMemory Place(int i) => ring.Memory.Slice(i * sizeof(int), sizeof(int));
        stream.Copy(Place(0), Place(3));
        stream.Copy(Place(2), Place(0));
        stream.Copy(Place(1), Place(2));
        stream.Copy(Place(3), Place(1));
    }

    private static int[] Download(DeviceBuffer<int> buffer)
    {
        var values = new int[buffer.Length];
        buffer.Download(values);
        return values;
    }
}
