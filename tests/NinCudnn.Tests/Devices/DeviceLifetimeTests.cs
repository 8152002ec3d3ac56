using System.Runtime.CompilerServices;
using NinCudnn.Devices;
using NinCudnn.Interop;
using NinCudnn.Operators;
using Xunit;

namespace NinCudnn.Tests.Devices;

/// <summary>
/// Who keeps whom alive. The tests open devices of their own, which share the primary context with everybody else's.
/// </summary>
[Collection(DeviceAlone.Name)]
public class DeviceLifetimeTests
{
    private const int LargeBytes = 16 << 20;

    [Fact]
    public void Open_Device_DescribesIt()
    {
        using Device device = Open();
        Assert.NotEmpty(device.Name);
        Assert.InRange(device.FreeBytes, 0, device.TotalBytes);
        Assert.True(device.MultiprocessorCount >= 1);
        Assert.True(device.ComputeCapability.Major >= 1);
        Assert.Equal(device.Selection.Provider, device.Provider);
    }

    [Fact]
    public void Dispose_InAnyOrder_IsSafe()
    {
        int orders = 0;
        foreach (int[] order in Permutations(6))
        {
            Device device = Open();
            DeviceStream stream = device.CreateStream();
            DeviceBuffer<int> buffer = device.Allocate<int>(100);
            PinnedBuffer<int> pinned = device.AllocatePinned<int>(100);
            var mark = new DeviceEvent(device);
            stream.Clear(buffer);
            stream.Copy(buffer, pinned, 100);
            mark.Record(stream);
            ExecutableGraph graph = stream.Capture(() => stream.Clear(buffer));
            graph.Launch();

            IDisposable[] items = [device, stream, buffer, pinned, mark, graph];
            if (orders % 2 == 0)
                stream.Synchronize(); // else the work is still under way
            foreach (int item in order[..^1])
                items[item].Dispose();
            device.Synchronize(); // reports a release that failed; the last item still holds the context
            items[order[^1]].Dispose();
            foreach (IDisposable item in items)
                item.Dispose();
            Assert.Throws<ObjectDisposedException>(device.Synchronize);
            orders++;
        }
        Assert.Equal(720, orders);
    }

    [Fact]
    public void Dispose_OfTheDevice_LeavesItsResourcesUsable()
    {
        Device device = Open();
        using DeviceStream stream = device.CreateStream();
        using DeviceBuffer<int> buffer = device.Allocate<int>(2);
        device.Dispose();

        stream.Clear(buffer);
        var values = new int[] { 1, 1 };
        buffer.Download(values);

        Assert.Equal([0, 0], values);
        Assert.Throws<ObjectDisposedException>(device.CreateStream);
        Assert.Throws<ObjectDisposedException>(() => device.Allocate<int>(1));
        Assert.Throws<ObjectDisposedException>(() => device.AllocatePinned<int>(1));
        Assert.Throws<ObjectDisposedException>(() => new DeviceEvent(device));
    }

    [Fact]
    public void Dispose_OfTheDevice_LeavesOperatorsUsable()
    {
        Device device = Open();
        using DeviceStream stream = device.CreateStream();
        using DeviceBuffer<float> y = device.Allocate<float>(2), dy = device.Allocate<float>(2), db = device.Allocate<float>(1);
        y.Upload([1, 0]);
        dy.Upload([2, 3]);
        using var relu = new Relu(stream, new TensorShape(2, 1, 1, 1));
        using DeviceBuffer<byte> workspace = device.Allocate<byte>(relu.BackwardWorkspaceBytes);
        device.Dispose();

        relu.Backward(y, dy, db, workspace); // a kernel of a module that the device loaded
        var gradient = new float[2];
        stream.Synchronize();
        dy.Download(gradient);

        Assert.Equal([2, 0], gradient);
    }

    [Fact]
    public void Dispose_OfADeviceWithLoadedKernels_LeavesTheSharedOneUsable()
    {
        using (Device device = Open())
        using (DeviceStream stream = device.CreateStream())
            _ = new SgdStep(stream, 1, new SgdSettings());

        using DeviceBuffer<int> buffer = TestDevice.Shared.Allocate<int>(1);
        buffer.Upload([3]);
        TestDevice.Shared.Synchronize();
    }

    [Fact]
    public void FreeBytes_AllocateAndDispose_ChangesByTheBuffer()
    {
        using Device device = Open();
        long before = device.FreeBytes;
        DeviceBuffer<byte> buffer = device.Allocate<byte>(LargeBytes);
        long during = device.FreeBytes;
        buffer.Dispose();

        Assert.True(during <= before - LargeBytes);
        Assert.True(device.FreeBytes >= during + LargeBytes);
    }

    [Fact]
    public void Finaliser_OfAForgottenBuffer_LeavesItToTheNextAllocation()
    {
        using Device device = Open();
        Forget(device);
        long held = device.FreeBytes;

        GC.Collect();
        GC.WaitForPendingFinalizers();
        long afterCollection = device.FreeBytes;
        using DeviceBuffer<byte> next = device.Allocate<byte>(1);

        Assert.Equal(held, afterCollection); // the finaliser's thread frees nothing itself
        Assert.True(device.FreeBytes >= held + LargeBytes / 2, $"{device.FreeBytes} bytes are free, {held} were");
    }

    [Fact]
    public void Finaliser_OfABufferBeforeACapture_IsNotLostToAnAllocationInTheCapture()
    {
        using Device device = Open();
        using DeviceStream stream = device.CreateStream();
        Forget(device);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        long held = device.FreeBytes;

        Assert.Throws<CudaException>(() => stream.Capture(() => device.Allocate<int>(1)));
        Assert.Throws<CudaException>(() => stream.Capture(() => device.AllocatePinned<int>(1)));

        device.Synchronize(); // would report a free that was refused
        using DeviceBuffer<byte> next = device.Allocate<byte>(1);
        Assert.True(device.FreeBytes >= held + LargeBytes / 2, $"{device.FreeBytes} bytes are free, {held} were");
    }

    [Fact]
    public void Finaliser_OfForgottenThings_DoesNotKeepTheDeviceFromItsEnd()
    {
        Device device = Open();
        ForgetOneOfEach(device);
        GC.Collect();
        GC.WaitForPendingFinalizers();

        device.Dispose(); // reclaims what is left

        Assert.Throws<ObjectDisposedException>(device.Synchronize);
    }

    [Fact]
    public void Allocate_Refused_GivesItsHoldOnTheDeviceBack()
    {
        Device device = Open();
        Refuse(device);

        device.Dispose(); // at once: no finaliser is needed for what was never made

        Assert.Throws<ObjectDisposedException>(device.Synchronize);
        using Device again = Open();
        using DeviceBuffer<int> buffer = again.Allocate<int>([1, 2]);
        Assert.Equal([1, 2], buffer.Download());
    }

    [Fact]
    public void Finaliser_BehindTheDevicesDispose_EndsTheDevice()
    {
        Device device = Open();
        ForgetOneOfEach(device);
        device.Dispose();

        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.True(SpinWait.SpinUntil(() => Record.Exception(device.Synchronize) is ObjectDisposedException, TimeSpan.FromSeconds(30)));
    }

    // In methods of their own: a local could stay alive to the end of the test.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget(Device device) => device.Allocate<byte>(LargeBytes);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ForgetOneOfEach(Device device)
    {
        DeviceStream stream = device.CreateStream();
        DeviceBuffer<int> buffer = device.Allocate<int>(100);
        PinnedBuffer<int> pinned = device.AllocatePinned<int>(100);
        var mark = new DeviceEvent(device);
        stream.Copy(pinned, buffer, 100);
        mark.Record(stream);
        stream.Capture(() => stream.Clear(buffer)).Launch();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Refuse(Device device)
    {
        Assert.Throws<DeviceMemoryException>(() => device.Allocate<byte>(1L << 50));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.Allocate<byte>(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => device.AllocatePinned<byte>(0));
    }

    private static Device Open()
    {
        ProviderSelection selection = TestDevice.Shared.Selection;
        return Device.Open(selection.Provider == NativeProvider.Host ? DeviceRequest.Cpu : DeviceRequest.Cuda(selection.Ordinal));
    }

    private static IEnumerable<int[]> Permutations(int count)
    {
        if (count == 0)
            return [[]];
        return Permutations(count - 1).SelectMany(shorter =>
            Enumerable.Range(0, count).Select(place => (int[])[.. shorter[..place], count - 1, .. shorter[place..]]));
    }
}
